/**
 * Thread records, and what happens to the flights of a thread that ended.
 *
 * The spawner takes a record before it makes the thread, and reaps it when the thread's 'exit' event arrives, which is
 * after its last write. A record says in one word who the thread is, who spawned it and whether it lives:
 *
 * ```
 *   THREAD[t]   incarnation:50 | parent:12 | state:2        FREE → ALIVE → REAPING → FREE, incarnation + 1
 * ```
 *
 * The incarnation makes a second reap of the same death harmless after the index was given to a newcomer. A thread's
 * own children are stopped before its exit event, and their exit handlers died with it, so it is reaped with all its
 * descendants, those included that it was reaping itself.
 */
import type { Cells } from './cells.ts';
import {
  after,
  FAILED,
  generationOf,
  isLive,
  OWNER_MAX,
  ownerOf,
  pack,
  stateOf,
  COMMITTING,
} from './control-word.ts';
import { FAILURES } from './failure.ts';
import type { Layout } from './layout.ts';
import {
  BLOCK_FREE,
  blockAddress,
  controlAddress,
  headGeneration,
  headOwner,
  headSlot,
  payloadRefAddress,
  refBlock,
  refGeneration,
  threadAddress,
} from './layout.ts';

export const THREAD_FREE = 0;
export const THREAD_ALIVE = 1;
export const THREAD_REAPING = 2;

/** The parent of a thread that nobody in this table spawned. */
export const NO_PARENT = OWNER_MAX;

export function packThread(state: number, parent: number, incarnation: bigint): bigint {
  return BigInt.asIntN(64, (incarnation << 14n) | BigInt(parent * 4 + state));
}
export function threadState(record: bigint): number {
  return Number(record & 3n);
}
export function threadParent(record: bigint): number {
  return Number((record >> 2n) & 0xfffn);
}
export function threadIncarnation(record: bigint): bigint {
  return BigInt.asUintN(64, record) >> 14n;
}

/** A thread's place in the table. */
export interface Enrolment {
  readonly thread: number;
  readonly incarnation: bigint;
}

/** Takes a free thread record. Returns null when the table has as many threads as it has records. */
export function enrol(cells: Cells, layout: Layout, parent: number): Enrolment | null {
  for (let thread = 0; thread < layout.threads; thread++) {
    const address = threadAddress(layout, thread);
    const record = cells.load(address);
    if (threadState(record) !== THREAD_FREE) continue;
    const incarnation = threadIncarnation(record);
    if (cells.compareExchange(address, record, packThread(THREAD_ALIVE, parent, incarnation)) === record) {
      return { thread, incarnation };
    }
  }
  return null;
}

/** What a reap found, for the counters. */
export interface Reaped {
  readonly threads: number;
  readonly flights: number;
  readonly blocks: number;
}

const NOTHING: Reaped = { threads: 0, flights: 0, blocks: 0 };

/**
 * Ends every flight of a thread that has ended, and of its descendants, and returns the records to the pool. To be
 * called once the thread can no longer write. Calling it twice does nothing the second time.
 */
export function reap(cells: Cells, layout: Layout, dead: Enrolment): Reaped {
  const address = threadAddress(layout, dead.thread);
  const record = cells.load(address);
  if (threadState(record) !== THREAD_ALIVE || threadIncarnation(record) !== dead.incarnation) return NOTHING;
  const reaping = packThread(THREAD_REAPING, threadParent(record), dead.incarnation);
  if (cells.compareExchange(address, record, reaping) !== record) return NOTHING;
  return bury(cells, layout, dead.thread, reaping);
}

/** The reap itself, of a record that is REAPING and whose reaper is this caller. The record is freed last. */
function bury(cells: Cells, layout: Layout, thread: number, reaping: bigint): Reaped {
  let threads = 1;
  let flights = endFlights(cells, layout, thread);
  let blocks = freeBlocks(cells, layout, thread);
  for (let child = 0; child < layout.threads; child++) {
    if (child === thread) continue;
    const address = threadAddress(layout, child);
    const record = cells.load(address);
    if (threadState(record) === THREAD_FREE || threadParent(record) !== thread) continue;
    const marked = packThread(THREAD_REAPING, thread, threadIncarnation(record));
    // A child already marked is one whose reap the dead parent did not finish.
    if (record !== marked && cells.compareExchange(address, record, marked) !== record) continue;
    const buried = bury(cells, layout, child, marked);
    threads += buried.threads;
    flights += buried.flights;
    blocks += buried.blocks;
  }
  cells.store(threadAddress(layout, thread), packThread(THREAD_FREE, 0, threadIncarnation(reaping) + 1n));
  return { threads, flights, blocks };
}

/**
 * Fails the live flights of an owner that is dead, or about to leave. Startable at once: there is no cool-down. Returns
 * how many there were.
 */
export function endFlights(cells: Cells, layout: Layout, owner: number): number {
  let flights = 0;
  for (let slot = 0; slot < layout.slots; slot++) {
    const control = controlAddress(layout, slot);
    const word = cells.load(control);
    if (!isLive(stateOf(word)) || ownerOf(word) !== owner) continue;
    const code = FAILURES[stateOf(word) === COMMITTING ? 'commit-unknown' : 'owner-died'];
    const next = pack(FAILED, generationOf(word), code, after(cells.tick(), 0));
    // Lost to a cancel, an expiry or a takeover: then it is no longer the dead thread's.
    if (cells.compareExchange(control, word, next) === word) flights++;
    cells.notify(control);
  }
  return flights;
}

/** Frees the blocks that a dead owner took and never linked; a linked one is freed when its generation is left. */
function freeBlocks(cells: Cells, layout: Layout, owner: number): number {
  let freed = 0;
  for (let block = 0; block < layout.blocks; block++) {
    const address = blockAddress(layout, block);
    const head = cells.load(address);
    if (head === BLOCK_FREE || headOwner(head) !== owner) continue;
    const ref = cells.load(payloadRefAddress(layout, headSlot(head)));
    if (refBlock(ref) === block && refGeneration(ref) === headGeneration(head)) continue;
    if (cells.compareExchange(address, head, BLOCK_FREE) === head) freed++;
  }
  return freed;
}
