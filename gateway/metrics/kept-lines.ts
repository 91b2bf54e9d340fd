/**
 * Lines of the exposition as the bytes that the last scrape sent. Between two scrapes most values are the same, and what is
 * before a value never changes: so a scrape copies the bytes around the values that changed, and nothing where none did.
 *
 * Cost: the bytes of the lines, and 16 bytes a line beside them.
 */

const newline = 0x0a;

/** What stands in a line from one place to another, in bytes. ASCII. */
interface Edit {
  readonly from: number;
  readonly to: number;
  readonly text: string;
}

export class KeptLines {
  #bytes: Buffer;
  /** As they are written. */
  readonly #values: Float64Array;
  readonly #valueStarts: Uint32Array;
  /** Where the newline is. */
  readonly #valueEnds: Uint32Array;

  /** All lines at 0. A head is name and labels, and the space before the value. */
  constructor(heads: readonly string[]) {
    // No head has a newline: those of labels are escaped.
    this.#bytes = Buffer.from(heads.map((head) => `${head}0\n`).join(''));
    this.#values = new Float64Array(heads.length);
    this.#valueStarts = new Uint32Array(heads.length);
    this.#valueEnds = new Uint32Array(heads.length);
    let end = -1;
    for (let line = 0; line < heads.length; line++) {
      end = this.#bytes.indexOf(newline, end + 1);
      this.#valueStarts[line] = end - 1;
      this.#valueEnds[line] = end;
    }
  }

  /** The lines with these values, one each. Nobody writes to what was returned before. */
  with(values: Float64Array): Buffer {
    const edits: Edit[] = [];
    let shift = 0;
    for (let line = 0; line < this.#values.length; line++) {
      const value = values[line]!;
      const [from, to] = [this.#valueStarts[line]!, this.#valueEnds[line]!];
      this.#valueStarts[line] = from + shift;
      if (value !== this.#values[line]) {
        const text = String(value);
        edits.push({ from, to, text });
        this.#values[line] = value;
        shift += text.length - (to - from);
      }
      this.#valueEnds[line] = to + shift;
    }
    if (edits.length > 0) this.#bytes = edited(this.#bytes, edits);
    return this.#bytes;
  }

  /** The lines as they are, and behind each value what `tailOf` says. */
  withTails(tailOf: (line: number) => string): Buffer {
    const edits: Edit[] = [];
    for (const [line, end] of this.#valueEnds.entries()) {
      const text = tailOf(line);
      if (text !== '') edits.push({ from: end, to: end, text });
    }
    return edits.length > 0 ? edited(this.#bytes, edits) : this.#bytes;
  }
}

/** A copy. The edits are in the order of their places. */
function edited(bytes: Buffer, edits: readonly Edit[]): Buffer {
  const size = edits.reduce((sum, { from, to, text }) => sum + text.length - (to - from), bytes.length);
  // Not of the pool, of which each piece would keep all of a slab.
  const copy = Buffer.allocUnsafeSlow(size);
  let read = 0;
  let written = 0;
  for (const { from, to, text } of edits) {
    written += bytes.copy(copy, written, read, from);
    written += copy.write(text, written, 'latin1');
    read = to;
  }
  bytes.copy(copy, written, read);
  return copy;
}
