/** The cells of one histogram in a thread's region: a block for each set of labels. */
import { cellFamilies, type CellFamilyName } from './catalogue.ts';
import { type Layout, widthOf } from './layout.ts';

export class HistogramCells {
  readonly #cells: Float64Array;
  readonly #base: number;
  readonly #width: number;
  readonly #bounds: readonly number[];

  constructor(cells: Float64Array, layout: Layout, name: CellFamilyName) {
    this.#cells = cells;
    this.#base = layout.families[name].base;
    this.#width = widthOf(cellFamilies[name]);
    this.#bounds = cellFamilies[name].buckets;
  }

  /** Counts a value, in the unit of the histogram's name. Returns its bucket. */
  observe(block: number, value: number): number {
    const bounds = this.#bounds;
    let bucket = 0;
    while (bucket < bounds.length && value > bounds[bucket]!) bucket += 1;
    const start = this.#base + block * this.#width;
    this.#cells[start + bucket]! += 1;
    this.#cells[start + this.#width - 1]! += value;
    return bucket;
  }
}
