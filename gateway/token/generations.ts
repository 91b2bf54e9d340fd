/**
 * A bounded map that forgets by halves: what is new goes into the young half; when that is full it becomes the old half,
 * and the former old one is dropped. No entry is ever looked for to make room, so a flood of new keys costs what any
 * insertion costs. Values that are still asked for are written again and so stay young.
 */
export class GenerationMap<V> {
  readonly #weightMax: number;
  #young = new Map<string, V>();
  #old = new Map<string, V>();
  #weight = 0;

  /** Half of `weightMax` is kept for certain; never more than all of it. */
  constructor(weightMax: number) {
    this.#weightMax = weightMax;
  }

  get size(): number {
    return this.#young.size + this.#old.size;
  }

  get(key: string): V | undefined {
    return this.#young.get(key) ?? this.#old.get(key);
  }

  /** `weight` is what this entry counts towards the bound; heavier than half of it is not kept at all. */
  set(key: string, value: V, weight = 1): void {
    const half = this.#weightMax / 2;
    if (weight > half) return;
    if (this.#weight + weight > half) {
      this.#old = this.#young;
      this.#young = new Map();
      this.#weight = 0;
    }
    this.#weight += weight;
    this.#young.set(key, value);
  }

  clear(): void {
    this.#young = new Map();
    this.#old = new Map();
    this.#weight = 0;
  }
}
