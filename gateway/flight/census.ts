/** How full the table is, and how its flights stand: for who watches it, not for who decides. */
import type { Cells } from './cells.ts';
import { stateName } from './control-word.ts';
import type { StateName } from './control-word.ts';
import { controlAddress, k1Address } from './layout.ts';
import type { Layout } from './layout.ts';

/** What a slot of a key can be in, but for `idle`: then nothing is under way or kept. */
export const FLIGHT_STATES = [
  'reserved',
  'pending',
  'committing',
  'success',
  'failed',
  'cancelled',
  'expired',
] as const satisfies readonly StateName[];

export interface Census {
  /** Slots that belong to a key. */
  readonly keys: number;
  readonly slots: number;
  readonly flights: Readonly<Record<(typeof FLIGHT_STATES)[number], number>>;
}

export const EMPTY_CENSUS: Census = {
  keys: 0,
  slots: 0,
  flights: { reserved: 0, pending: 0, committing: 0, success: 0, failed: 0, cancelled: 0, expired: 0 },
};

/** Slots that are counted in one go: under a millisecond. */
const SLICE = 8192;

/** Counts all slots, in slices; yields between them, so that the caller can let others through. No snapshot. */
export function* count(cells: Cells, layout: Layout): Generator<void, Census> {
  const flights = { ...EMPTY_CENSUS.flights };
  let keys = 0;
  for (let slot = 0; slot < layout.slots; slot++) {
    if (slot % SLICE === SLICE - 1) yield;
    if (cells.load(k1Address(layout, slot)) === 0n) continue;
    keys++;
    const state = stateName(cells.load(controlAddress(layout, slot)));
    if (state !== 'idle') flights[state]++;
  }
  return { keys, slots: layout.slots, flights };
}
