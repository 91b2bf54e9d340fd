/** The flight table of the broker, as the main thread makes it: how large, and how long everything lasts. */
import type { OauthConfig } from '../config/schema.ts';
import { TICK_MS } from '../flight/cells.ts';
import type { Terms } from '../flight/context.ts';
import { BLOCK_HEAD_WORDS } from '../flight/layout.ts';
import { createTable, type FlightTable } from '../flight/table.ts';
import { detailsBytesMax } from './details.ts';

const ticks = (ms: number): number => Math.ceil(ms / TICK_MS);

/** One lease is longer than a thread may stall unnoticed, and short enough for a user to wait for the next leader. */
export const terms: Terms = {
  reserveTicks: ticks(10_000),
  commitTicks: ticks(15_000),
  marginTicks: ticks(2000),
  // Hole H4 of the reference: five minutes after any end.
  retentionTicks: ticks(300_000),
  coolDownTicks: ticks(1000),
};

/** What one key may lie apart from its home must be empty enough: half of the slots at most are in use. */
const slotsPerKey = 2;
/** A login and a refresh. */
const flightsPerKey = 2;

/** Threads are the listeners, this one, and those that are ending while their successors start. */
export function createFlights({ limits }: OauthConfig, listeners: number): FlightTable {
  const wanted = limits.keys * flightsPerKey * slotsPerKey;
  return createTable(
    {
      slots: 2 ** Math.ceil(Math.log2(wanted)),
      threads: listeners * 2 + 2,
      blocks: limits.flows,
      blockWords: BLOCK_HEAD_WORDS + detailsBytesMax / 8,
    },
    terms,
  );
}
