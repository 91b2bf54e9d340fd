/**
 * Where each metric lies in a thread's region. Computed from the catalogue and two bounds, alike on every thread.
 *
 *   region (Float64):     | fixed families ............................ | series cells ... | URLs ... |
 *                         0                                             seriesBase         urlBase    cells
 *   a family:             | block (label values 0,0) | block (0,1) | ... in the order of the labels
 *   a histogram's block:  | bucket 0 | ... | bucket n-1 | +Inf | sum |   counts of each bucket alone, not cumulative
 *   a counter's or gauge's block: one cell
 *   URLs (`url-cells.ts`, in no exposition): | busy | idle | out |  for each of the first 16 URLs of each upstream
 */
import { cellFamilies, type CellFamilyName, type Family } from './catalogue.ts';
import { reservedRouteNames } from './ordinals.ts';
import { slotsFor } from './series.ts';

/** Upstreams with cells of their own; ordinal 0 takes the rest. */
export const upstreamNamesMax = 256;

/** URLs of an upstream that have cells of their own, and how many each. */
export const urlsToldMax = 16;
export const urlCellsOf = 3;

/** Providers with cells of their own; ordinal 0 takes the rest. */
export const providerNamesMax = 64;

export interface Placement {
  readonly base: number;
  /** Cells of one block. */
  readonly width: number;
  readonly blocks: number;
}

export interface Layout {
  readonly families: Readonly<Record<CellFamilyName, Placement>>;
  /** Route ordinals below this have a duration histogram of their own; the rest share that of `other`. */
  readonly durationRows: number;
  /** Series that the series table may hold for named routes. */
  readonly seriesBudget: number;
  readonly seriesBase: number;
  readonly slots: number;
  readonly urlBase: number;
  readonly cells: number;
}

/** Cells of one block: a histogram has its buckets, +Inf and the sum. */
export function widthOf(family: Family): number {
  return family.type === 'histogram' ? family.buckets.length + 2 : 1;
}

/** Lines that one block takes in the exposition: a histogram adds its count. */
function seriesOf(family: Family): number {
  return family.type === 'histogram' ? family.buckets.length + 3 : 1;
}

/** Blocks that each route has of a family with a route label. */
function blocksOfRow({ labels }: Family): number {
  return Object.values(labels).reduce<number>(
    (product, values) => product * (typeof values === 'string' ? 1 : values.length),
    1,
  );
}

/**
 * A quarter of the budget goes to rows of fixed cells, one per route in order of declaration; the rest to counters. A row is
 * a duration histogram of 20 series, and what WebSockets count: 10,000 of them would be what the budget is there to prevent.
 */
export function layoutFor(seriesMax: number): Layout {
  const perRow = Object.values<Family>(cellFamilies)
    .filter(({ labels }) => 'route' in labels)
    .reduce((sum, family) => sum + seriesOf(family) * blocksOfRow(family), 0);
  const ownRows = Math.floor(seriesMax / 4 / perRow);
  const seriesBudget = seriesMax - ownRows * perRow;
  const durationRows = reservedRouteNames.length + ownRows;

  const families: Partial<Record<CellFamilyName, Placement>> = {};
  let next = 0;
  for (const name of Object.keys(cellFamilies) as CellFamilyName[]) {
    const family: Family = cellFamilies[name];
    const width = widthOf(family);
    const blocks = Object.values(family.labels).reduce<number>((product, values) => {
      if (values === 'thread') return product;
      if (values === 'route') return product * durationRows;
      if (values === 'upstream') return product * upstreamNamesMax;
      if (values === 'provider') return product * providerNamesMax;
      return product * values.length;
    }, 1);
    families[name] = { base: next, width, blocks };
    next += width * blocks;
  }
  const slots = slotsFor(seriesBudget);
  return {
    families: families as Record<CellFamilyName, Placement>,
    durationRows,
    seriesBudget,
    seriesBase: next,
    slots,
    urlBase: next + slots,
    cells: next + slots + upstreamNamesMax * urlsToldMax * urlCellsOf,
  };
}
