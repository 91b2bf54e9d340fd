/**
 * A bounded map that forgets by halves: what is new goes into the young half; when that is full it becomes the old half,
 * and the former old one is dropped. No entry is ever looked for to make room, so a flood of new keys costs what any
 * insertion costs. Values that are still asked for are written again and so stay young.
 */
export class GenerationMap<V> {
  readonly #entriesMax: number;
  #young = new Map<string, V>();
  #old = new Map<string, V>();

  /** The latest half of `entriesMax` is kept for certain; never more than all of it. */
  constructor(entriesMax: number) {
    this.#entriesMax = entriesMax;
  }

  get size(): number {
    return this.#young.size + this.#old.size;
  }

  get(key: string): V | undefined {
    return this.#young.get(key) ?? this.#old.get(key);
  }

  set(key: string, value: V): void {
    const half = this.#entriesMax / 2;
    if (half < 1) return;
    if (this.#young.size + 1 > half) {
      this.#old = this.#young;
      this.#young = new Map();
    }
    this.#young.set(key, value);
  }

  clear(): void {
    this.#young = new Map();
    this.#old = new Map();
  }
}
