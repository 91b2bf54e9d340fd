/** Single flights for who watches the table: which slots are in use, how they stand, what joiners are shown. */
import { type Standing, standing } from './answer.ts';
import type { Cells } from './cells.ts';
import { IDLE, isLive, isTerminal, RESERVED, stateOf } from './control-word.ts';
import { controlAddress, k1Address } from './layout.ts';
import type { Layout } from './layout.ts';
import { operations } from './operations.ts';
import { decodePayload } from './payload.ts';

export interface FlightRow extends Standing {
  readonly slot: number;
  /** Eight hexadecimal digits of the key's digest, which is made with a secret of this process. */
  readonly key: string;
  /** What joiners are shown; null before there is any, of a refresh, and when it was given away. */
  readonly payload: Uint8Array | null;
}

export interface FlightListing {
  readonly rows: readonly FlightRow[];
  /** Flights beyond `rowsMax`. */
  readonly leftOut: number;
}

/** Slots that are looked at in one go: under a millisecond. */
const SLICE = 8192;

/**
 * Lists at most `rowsMax` flights, those under way before those that ended a short while ago. Yields between slices, so that
 * the caller can let others through. No snapshot.
 */
export function* list(cells: Cells, layout: Layout, rowsMax: number): Generator<void, FlightListing> {
  const live: number[] = [];
  const ended: number[] = [];
  let leftOut = 0;
  for (let slot = 0; slot < layout.slots; slot++) {
    if (slot % SLICE === SLICE - 1) yield;
    if (cells.load(k1Address(layout, slot)) === 0n) continue;
    const state = stateOf(cells.load(controlAddress(layout, slot)));
    if (state === IDLE) continue;
    const slots = isLive(state) ? live : ended;
    if (slots.length < rowsMax) slots.push(slot);
    else leftOut++;
  }
  const slots = [...live, ...ended].slice(0, rowsMax);
  const rows = slots.map((slot) => rowOf(cells, layout, slot));
  return { rows, leftOut: leftOut + live.length + ended.length - slots.length };
}

function rowOf(cells: Cells, layout: Layout, slot: number): FlightRow {
  const word = cells.load(controlAddress(layout, slot));
  const digest = BigInt.asUintN(32, cells.load(k1Address(layout, slot)));
  const state = stateOf(word);
  const isPublished = state !== RESERVED && (isLive(state) || isTerminal(state));
  const read = isPublished ? operations.readPayload(cells, layout, slot, word) : null;
  return {
    ...standing(word, cells.tick()),
    slot,
    key: digest.toString(16).padStart(8, '0'),
    payload: read?.kind === 'read' ? decodePayload(read.payload) : null,
  };
}
