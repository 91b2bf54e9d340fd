/**
 * Places in a JSON text: `JSON.parse` reads a document of megabytes in no time and says no places, and the YAML reader, which
 * does, takes seconds. Only the upper levels are kept, where findings are about.
 */
import type { ConfigPath } from '../route/problem.ts';
import type { Range } from './yaml.ts';

interface Place {
  readonly key: Range;
  readonly value: Range;
  readonly members: ReadonlyMap<string, Place> | null;
}

const depthMax = 6;

/** Finds places in a text that `JSON.parse` takes; of a place that is missing, the nearest one around it. */
export function jsonPlaces(text: string): (path: ConfigPath, atKey: boolean) => Range {
  let root: Place | null = null;
  return (path, atKey) => {
    root ??= new Scanner(text).place([0, 0], 0);
    let found = root;
    for (const step of path) {
      const inner = found.members?.get(String(step));
      if (inner === undefined) return found.key;
      found = inner;
    }
    // A collection is shown by its key.
    return atKey || found.members !== null ? found.key : found.value;
  };
}

class Scanner {
  readonly #text: string;
  #at = 0;

  constructor(text: string) {
    this.#text = text;
  }

  /** Reads one value; `key` is shown for it. */
  place(key: Range, depth: number): Place {
    this.#skipSpace();
    const start = this.#at;
    const opening = this.#text[start];
    if ((opening !== '{' && opening !== '[') || depth >= depthMax) {
      this.#skipValue();
      return { key, value: [start, this.#at], members: null };
    }
    const members = new Map<string, Place>();
    this.#at += 1;
    for (let index = 0; !this.#isAtEnd(); index++) {
      let own: Range = [this.#at, this.#at + 1];
      let name = String(index);
      if (opening === '{') {
        own = [this.#at, this.#stringEnd(this.#at)];
        name = JSON.parse(this.#text.slice(...own)) as string;
        this.#at = own[1];
        this.#skipSpace();
        this.#at += 1;
      }
      members.set(name, this.place(own, depth + 1));
    }
    this.#at += 1;
    return { key: start === 0 ? [0, 1] : key, value: [start, this.#at], members };
  }

  /** Moves to the next member; true where there is none. */
  #isAtEnd(): boolean {
    this.#skipSpace();
    if (this.#text[this.#at] === ',') {
      this.#at += 1;
      this.#skipSpace();
    }
    return this.#at >= this.#text.length || this.#text[this.#at] === '}' || this.#text[this.#at] === ']';
  }

  #skipSpace(): void {
    while (this.#at < this.#text.length && this.#text.charCodeAt(this.#at) <= 32) this.#at += 1;
  }

  #skipValue(): void {
    let open = 0;
    while (this.#at < this.#text.length) {
      const char = this.#text[this.#at]!;
      if (char === '"') this.#at = this.#stringEnd(this.#at) - 1;
      else if (char === '{' || char === '[') open += 1;
      else if ((char === '}' || char === ']' || char === ',') && open === 0) return;
      else if (char === '}' || char === ']') open -= 1;
      this.#at += 1;
      if (open === 0 && (char === '"' || char === '}' || char === ']')) return;
    }
  }

  /** Behind the closing quote of the string that begins at `start`. */
  #stringEnd(start: number): number {
    let at = start;
    do at = this.#text.indexOf('"', at + 1);
    while (at !== -1 && this.#isEscaped(at));
    return at === -1 ? this.#text.length : at + 1;
  }

  #isEscaped(at: number): boolean {
    let backslashes = 0;
    while (this.#text[at - 1 - backslashes] === '\\') backslashes += 1;
    return backslashes % 2 === 1;
  }
}
