/** What the flight table counts, each in a shared word of the header, added to by whoever drives a flight. */
import type { Cells } from './cells.ts';
import { FIRST_COUNTER } from './layout.ts';

/** In the order of their words; append only, so that the words keep their meaning. */
export const COUNTERS = [
  /** Generations claimed: the upper bound of provider calls. */
  'claims',
  /** Starts answered with somebody else's flow. */
  'joins',
  /** Claims of a generation whose leader had stalled. */
  'takeovers',
  /** Flows published. */
  'published',
  /** Late writes of a leader that had lost its lease, refused. */
  'fenced',
  /** Flights ended as FAILED by their leader. */
  'failures',
  /** Starts answered with somebody else's failure. */
  'shared_failures',
  'successes',
  'cancels',
  'expiries',
  'purges',
  /** Starts refused because no slot was free for the key. */
  'full',
  /** Starts refused because no payload block was free. */
  'blocks_exhausted',
  /** Payloads that did not fit a block. */
  'oversized',
  'spawn_failures',
  /** Decisions repeated because another thread was faster. */
  'retries',
  /** Starts that gave up waiting for a leader. */
  'waited_out',
  /** Starts that gave up repeating. */
  'contended',
  /** Threads reaped, descendants included. */
  'reaps',
  /** Live flights that ended with their thread. */
  'orphans',
] as const;

export type Counter = (typeof COUNTERS)[number];

const ADDRESSES = new Map<Counter, number>(COUNTERS.map((name, index) => [name, FIRST_COUNTER + index]));

export function counterAddress(counter: Counter): number {
  return ADDRESSES.get(counter)!;
}

/** Reads all counters. Each is exact; together they are no snapshot. */
export function readCounters(cells: Cells): Record<Counter, bigint> {
  const values = {} as Record<Counter, bigint>;
  for (const name of COUNTERS) values[name] = cells.load(counterAddress(name));
  return values;
}
