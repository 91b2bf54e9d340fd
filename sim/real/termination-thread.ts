// One thread of a termination run: starts, joins, cancels and completes flows on the common keys until it is stopped or
// ended, and checks what it is told.

import { setTimeout } from 'node:timers/promises';
import { workerData } from 'node:worker_threads';
import { FlightTable } from '../../gateway/flight/table.ts';
import type { Answer, StartOptions } from '../../gateway/flight/answer.ts';
import type { Work } from '../../gateway/flight/work.ts';
import { Tally } from './tally.ts';
import { randomOf, WAIT_MS } from './termination.ts';
import type { TerminationThread } from './termination.ts';

const { handle, tally: tallyBuffer, keys, seed } = workerData as TerminationThread;
const tally = new Tally(tallyBuffer);
const random = randomOf(seed);
const table = new FlightTable(handle);
const CALLERS = 6;
const OPTIONS: StartOptions = { until: 'published', payload: true, waitMs: WAIT_MS, leases: 1 };

/** A provider that takes a few milliseconds, sometimes fails, and approves after a while. */
function workOf(account: string): Work {
  return {
    async create() {
      tally.add('creations');
      await setTimeout(random() % 4);
      if (random() % 64 === 0) throw new Error('the provider fails now and then');
      return { payload: Buffer.from(account), flowMs: 4000, pollMs: 1 + (random() % 20) };
    },
    poll: () => Promise.resolve({ kind: 'approved' }),
    persist: () => setTimeout(random() % 3),
  };
}

async function call(): Promise<void> {
  const account = `key ${random() % keys}`;
  const began = performance.now();
  const answer = await table.start({ provider: 'p', account }, workOf(account), OPTIONS);
  tally.max('latencyMaxMs', Math.round(performance.now() - began));
  tally.add('answers');
  if (answer.kind === 'failed') {
    tally.add('failed');
    await setTimeout(10);
  } else if (answer.kind === 'flow') await check(account, answer);
  else tally.add('refused');
}

async function check(account: string, answer: Extract<Answer, { kind: 'flow' }>): Promise<void> {
  tally.add(answer.led ? 'led' : 'joined');
  // The payload of an ended flow may be gone; any other is the leader's, byte for byte.
  if (answer.payload !== null && Buffer.from(answer.payload).toString() !== account) tally.add('mismatches');
  const second = await table.start({ provider: 'p', account }, workOf(account), OPTIONS);
  if (second.kind === 'flow' && second.flowId !== answer.flowId) {
    // Another flow of the same key: then the first must have ended.
    const first = await table.view(answer.flowId);
    if (first?.state === 'pending' || first?.state === 'committing') tally.add('secondLive');
  }
  if (random() % 4 === 0) await table.cancel(answer.flowId);
}

async function caller(): Promise<void> {
  while (tally.get('stop') === 0) await call();
}

await Promise.all(Array.from({ length: CALLERS }, caller));
await table.close();
tally.add('waiting', table.waiters.sleeping);
