// Bursts on real threads: in each round everyone starts the same fresh key at the same moment. The flight table must
// make one flow; a table that checks and then inserts, as many programs do, makes as many as there are starters.

import { Worker } from 'node:worker_threads';
import { createTable } from '../../gateway/flight/table.ts';
import type { Handle } from '../../gateway/flight/table.ts';
import type { Terms } from '../../gateway/flight/context.ts';
import { Tally } from './tally.ts';
import type { TallyName } from './tally.ts';

export interface StressOptions {
  readonly threads: number;
  readonly rounds: number;
  /** How many starts a round has, over all threads. */
  readonly starters: number;
  /** `flight`: the table that ships · `insert`: check, create at the provider, then insert. */
  readonly table: 'flight' | 'insert';
  /** How long the provider takes; 0 is one turn of the event loop. */
  readonly providerMs: number;
}

export interface StressReport {
  readonly rounds: number;
  /** Provider calls of each round, as how many rounds had how many. */
  readonly creations: Readonly<Record<number, number>>;
  /** Rounds in which two starters were answered with different flows. */
  readonly mismatches: number;
  readonly tally: Readonly<Record<TallyName, number>>;
  readonly durationMs: number;
}

/** What a stress thread is started with. */
export interface StressThread {
  readonly handle: Handle;
  readonly tally: SharedArrayBuffer;
  /** Two words a round: the creations, and the generation that the first answer named. */
  readonly ledger: SharedArrayBuffer;
  readonly options: StressOptions;
  /** How many of a round's starts are this thread's. */
  readonly starts: number;
}

export const STRESS_TERMS: Terms = {
  reserveTicks: 120,
  commitTicks: 120,
  marginTicks: 40,
  retentionTicks: 1200,
  coolDownTicks: 8,
};

const THREAD = new URL('./stress-thread.js', import.meta.url);

/** Runs the rounds. Errors: what a thread throws. */
export async function stress(options: StressOptions): Promise<StressReport> {
  const { threads, rounds, starters } = options;
  // One slot for each round's key, at most half full, so that no key meets a full neighbourhood.
  const slots = 2 ** Math.ceil(Math.log2(rounds * 2));
  const table = createTable({ slots, threads: threads + 1, blocks: 16, blockWords: 16 }, STRESS_TERMS);
  const tally = new Tally();
  const ledger = new SharedArrayBuffer(rounds * 8);
  const began = performance.now();
  const workers = Array.from({ length: threads }, async (_, index) => {
    const seat = table.seat();
    if (seat === null) throw new Error('the table has too few seats');
    const starts = Math.floor(starters / threads) + (index < starters % threads ? 1 : 0);
    const workerData: StressThread = { handle: seat.handle, tally: tally.buffer, ledger, options, starts };
    const worker = new Worker(THREAD, { workerData });
    seat.watch(worker);
    await finished(worker);
  });
  await Promise.all(workers);
  const durationMs = performance.now() - began;
  await table.close();
  const creations: Record<number, number> = {};
  const words = new Int32Array(ledger);
  for (let round = 0; round < rounds; round++) {
    const made = words[round * 2] ?? 0;
    creations[made] = (creations[made] ?? 0) + 1;
  }
  return { rounds, creations, mismatches: tally.get('mismatches'), tally: tally.all(), durationMs };
}

/** Resolves when the thread has ended by itself. */
export function finished(worker: Worker): Promise<void> {
  return new Promise((resolve, reject) => {
    worker.once('error', reject);
    worker.once('exit', (code) =>
      code === 0 ? resolve() : reject(new Error(`a thread ended with ${code}`)),
    );
  });
}
