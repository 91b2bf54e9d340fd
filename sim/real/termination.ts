// Threads that are ended at random moments while all of them start, join, cancel and complete flows on a few keys. What
// must hold whatever dies when: no key is wedged beyond its reservation, no key has two live flows, and afterwards
// every key can be started, every payload block is free and every thread record is given back.

import { Worker } from 'node:worker_threads';
import type { Terms } from '../../gateway/flight/context.ts';
import { BLOCK_FREE, blockAddress, threadAddress } from '../../gateway/flight/layout.ts';
import { RealCells } from '../../gateway/flight/real-cells.ts';
import { THREAD_FREE, threadState } from '../../gateway/flight/reaper.ts';
import { createTable } from '../../gateway/flight/table.ts';
import type { FlightTable, Handle, Seat } from '../../gateway/flight/table.ts';
import { TICK_MS } from '../../gateway/flight/cells.ts';
import type { Counter } from '../../gateway/flight/counters.ts';
import type { Work } from '../../gateway/flight/work.ts';
import { Tally } from './tally.ts';
import type { TallyName } from './tally.ts';

export interface TerminationOptions {
  readonly threads: number;
  readonly keys: number;
  readonly durationMs: number;
  /** The longest pause between two terminations. */
  readonly pauseMsMax: number;
  readonly seed: number;
  readonly progress?: (report: {
    readonly elapsedMs: number;
    readonly killed: number;
    readonly answers: number;
  }) => void;
}

export interface TerminationReport {
  readonly killed: number;
  readonly tally: Readonly<Record<TallyName, number>>;
  readonly counters: Readonly<Record<Counter, bigint>>;
  /** The reservation of a key, after which anyone may take it over. */
  readonly reservationMs: number;
  /** Keys that could not be started afterwards. */
  readonly wedged: readonly string[];
  /** Payload blocks in use when every flow had been purged. */
  readonly blocksLeft: number;
  /** Thread records in use beyond the main thread's own. */
  readonly seatsLeft: number;
}

export interface TerminationThread {
  readonly handle: Handle;
  readonly tally: SharedArrayBuffer;
  readonly keys: number;
  readonly seed: number;
}

/** Short, so that a stalled or killed leader shows within the run. */
export const TERMINATION_TERMS: Terms = {
  reserveTicks: 8,
  commitTicks: 8,
  marginTicks: 2,
  retentionTicks: 4,
  coolDownTicks: 1,
};

const THREAD = new URL('./termination-thread.js', import.meta.url);
/** How long a start may wait in all before it counts as wedged: the reservation, and a second leader's. */
export const WAIT_MS = TERMINATION_TERMS.reserveTicks * TICK_MS * 2;

export async function terminate(options: TerminationOptions): Promise<TerminationReport> {
  const { threads, keys } = options;
  const table = createTable(
    { slots: 256, threads: threads * 2 + 1, blocks: keys * 2, blockWords: 16 },
    TERMINATION_TERMS,
  );
  const tally = new Tally();
  const random = randomOf(options.seed);
  const stopSweeping = table.keepSwept(TICK_MS);
  const workers = new Map<Worker, Promise<void>>();
  const failures: Error[] = [];
  const launch = (): void => {
    const seat = seatOf(table);
    const workerData: TerminationThread = { handle: seat.handle, tally: tally.buffer, keys, seed: random() };
    const worker = new Worker(THREAD, { workerData });
    seat.watch(worker);
    worker.on('error', (error: Error) => failures.push(error));
    const ended = new Promise<void>((resolve) => {
      worker.once('exit', () => {
        workers.delete(worker);
        resolve();
      });
    });
    workers.set(worker, ended);
  };
  for (let thread = 0; thread < threads; thread++) launch();
  let killed = 0;
  const began = performance.now();
  for (
    let elapsedMs = 0;
    elapsedMs < options.durationMs && failures.length === 0;
    elapsedMs = performance.now() - began
  ) {
    await pause(random() % options.pauseMsMax);
    const victims = [...workers.keys()];
    const victim = victims[random() % victims.length];
    if (victim === undefined) continue;
    await victim.terminate();
    killed++;
    launch();
    options.progress?.({ elapsedMs, killed, answers: tally.get('answers') });
  }
  tally.set('stop', 1);
  const ends = [...workers.values()];
  await Promise.all(ends);
  if (failures[0] !== undefined) throw failures[0];
  // A failure is shared with new starts until it has cooled down; that is no wedge.
  await pause((TERMINATION_TERMS.coolDownTicks + 1) * TICK_MS);
  const wedged = await startAll(table, keys);
  // Retention over, every flow is purged, and with it every block.
  await pause((TERMINATION_TERMS.retentionTicks + 2) * TICK_MS);
  await table.sweep();
  stopSweeping();
  const report = { killed, tally: tally.all(), counters: table.counters(), wedged, ...leftovers(table) };
  await table.close();
  return { ...report, reservationMs: TERMINATION_TERMS.reserveTicks * TICK_MS };
}

function seatOf(table: FlightTable): Seat {
  const seat = table.seat();
  if (seat === null) throw new Error('no seat: records of ended threads were not given back');
  return seat;
}

const QUICK: Work = { create: () => Promise.resolve({ payload: null, flowMs: 1000, pollMs: 0 }) };

/** Starts every key once more, until its end. Returns those that could not be. */
async function startAll(table: FlightTable, keys: number): Promise<string[]> {
  const names = Array.from({ length: keys }, (_, key) => `key ${key}`);
  const answers = await Promise.all(
    names.map((account) =>
      table.start({ provider: 'p', account }, QUICK, {
        until: 'settled',
        payload: false,
        waitMs: WAIT_MS,
        leases: 1,
      }),
    ),
  );
  return names.filter((_, key) => answers[key]?.kind !== 'flow');
}

function leftovers(table: FlightTable): { blocksLeft: number; seatsLeft: number } {
  const { layout } = table;
  const cells = new RealCells(table.buffer);
  let blocksLeft = 0;
  for (let block = 0; block < layout.blocks; block++) {
    if (cells.load(blockAddress(layout, block)) !== BLOCK_FREE) blocksLeft++;
  }
  let seatsLeft = -1;
  for (let thread = 0; thread < layout.threads; thread++) {
    if (threadState(cells.load(threadAddress(layout, thread))) !== THREAD_FREE) seatsLeft++;
  }
  return { blocksLeft, seatsLeft };
}

function pause(ms: number): Promise<void> {
  return new Promise((resolve) => {
    setTimeout(resolve, ms);
  });
}

/** A small generator of whole numbers below 2^31, from a seed (xorshift32). */
export function randomOf(seed: number): () => number {
  let state = seed | 0 || 1;
  return () => {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    return state >>> 1;
  };
}
