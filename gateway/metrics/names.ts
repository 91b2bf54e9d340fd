/**
 * Dictionaries of label values: names of the configuration and their ordinals. Main owns them; they only grow, so that an
 * ordinal in a shared cell means the same name after any number of reloads.
 */

export class Names {
  readonly #names: string[];
  readonly #ordinals: Map<string, number>;
  readonly #max: number;
  readonly #overflow: number;

  /** `overflow` is the ordinal, among the reserved ones, that takes every name past `max`. */
  constructor(reserved: readonly string[], overflow: number, max: number) {
    this.#names = [...reserved];
    // A route that is called like a reserved name is counted there: two series of one name would spoil the scrape.
    this.#ordinals = new Map(reserved.map((name, ordinal) => [name, ordinal]));
    this.#overflow = overflow;
    this.#max = max;
  }

  get size(): number {
    return this.#names.length;
  }

  at(ordinal: number): string {
    return this.#names[ordinal]!;
  }

  /** The ordinal of a name, new ones in order of arrival. */
  ordinal(name: string): number {
    const known = this.#ordinals.get(name);
    if (known !== undefined) return known;
    if (this.#names.length >= this.#max) return this.#overflow;
    this.#ordinals.set(name, this.#names.length);
    return this.#names.push(name) - 1;
  }
}
