// Thousands of starts at the same moment, from several threads, over some keys, against a provider that takes its time:
// how many calls the provider sees, and how much later than the provider's answer the joiners get theirs.

import { Worker } from 'node:worker_threads';
import type { Handle } from '../../gateway/flight/table.ts';
import { createTable } from '../../gateway/flight/table.ts';
import { finished, STRESS_TERMS } from './stress.ts';
import { Tally } from './tally.ts';

export interface BurstOptions {
  readonly threads: number;
  readonly starts: number;
  readonly keys: number;
  readonly providerMs: number;
  /** Bursts on other keys beforehand, so that what is measured is compiled code. */
  readonly warmups: number;
}

export interface BurstReport {
  readonly creations: number;
  /** Answers that were not the flow and payload of their key. */
  readonly wrong: number;
  readonly joined: number;
  /** From each joiner's start to its answer. */
  readonly joinerP50Ms: number;
  readonly joinerP99Ms: number;
  readonly joinerMaxMs: number;
}

export interface BurstThread {
  readonly handle: Handle;
  readonly tally: SharedArrayBuffer;
  readonly options: BurstOptions;
  /** This thread's starts: every `threads`-th, from `first` on. */
  readonly first: number;
}

/** What a burst thread posts when all its starts were answered. */
export interface BurstAnswers {
  /** For each start: key, whether it led, flow id, and milliseconds. */
  readonly answers: readonly (readonly [key: number, led: boolean, flowId: string, ms: number])[];
}

const THREAD = new URL('./burst-thread.js', import.meta.url);

export async function burst(options: BurstOptions): Promise<BurstReport> {
  const table = createTable(
    {
      slots: 4096,
      threads: options.threads + 1,
      blocks: options.keys * (options.warmups + 1),
      blockWords: 128,
    },
    STRESS_TERMS,
  );
  const tally = new Tally();
  const all = await Promise.all(
    Array.from({ length: options.threads }, async (_, first) => {
      const seat = table.seat();
      if (seat === null) throw new Error('the table has too few seats');
      const workerData: BurstThread = { handle: seat.handle, tally: tally.buffer, options, first };
      const worker = new Worker(THREAD, { workerData });
      seat.watch(worker);
      let posted: BurstAnswers = { answers: [] };
      worker.once('message', (message: BurstAnswers) => (posted = message));
      await finished(worker);
      return posted.answers;
    }),
  );
  await table.close();
  const flows = new Map<number, string>();
  let wrong = tally.get('mismatches') + tally.get('refused');
  const joiners: number[] = [];
  for (const [key, led, flowId, ms] of all.flat()) {
    const flow = flows.get(key) ?? flowId;
    flows.set(key, flow);
    if (flow !== flowId) wrong++;
    if (!led) joiners.push(ms);
  }
  joiners.sort((a, b) => a - b);
  const at = (share: number): number =>
    joiners[Math.min(joiners.length - 1, Math.floor(joiners.length * share))] ?? 0;
  return {
    creations: tally.get('creations') - options.warmups * options.keys,
    wrong,
    joined: joiners.length,
    joinerP50Ms: at(0.5),
    joinerP99Ms: at(0.99),
    joinerMaxMs: at(1),
  };
}
