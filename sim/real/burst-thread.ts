// One thread of a burst.

import { setTimeout } from 'node:timers/promises';
import { parentPort, workerData } from 'node:worker_threads';
import { FlightTable } from '../../gateway/flight/table.ts';
import type { StartOptions } from '../../gateway/flight/answer.ts';
import type { Work } from '../../gateway/flight/work.ts';
import type { BurstAnswers, BurstThread } from './burst.ts';
import { Tally } from './tally.ts';

const { handle, tally: tallyBuffer, options, first } = workerData as BurstThread;
const tally = new Tally(tallyBuffer);
const table = new FlightTable(handle);
const OPTIONS: StartOptions = { until: 'published', payload: true, waitMs: 10_000, leases: 1 };

const payloadOf = (key: number): string =>
  `{"user_code":"WXYZ-${key}","verification_uri":"https://issuer.example/device"}`;

function workOf(key: number): Work {
  return {
    async create() {
      tally.add('creations');
      await setTimeout(options.providerMs);
      return { payload: Buffer.from(payloadOf(key)), flowMs: 900_000, pollMs: 5000 };
    },
    poll: () => Promise.resolve({ kind: 'pending', waitMs: 5000 }),
  };
}

async function startOne(index: number, round: number): Promise<BurstAnswers['answers'][number]> {
  const key = index % options.keys;
  const began = performance.now();
  const answer = await table.start(
    { provider: 'example', account: `account ${round} ${key}` },
    workOf(key),
    OPTIONS,
  );
  const ms = performance.now() - began;
  if (answer.kind !== 'flow') {
    tally.add('refused');
    return [key, false, answer.kind, ms];
  }
  if (Buffer.from(answer.payload ?? []).toString() !== payloadOf(key)) tally.add('mismatches');
  return [key, answer.led, answer.flowId, ms];
}

/** One burst. Nobody goes on, and ends its flows by that, before everyone was answered. */
async function burst(round: number): Promise<BurstAnswers['answers']> {
  tally.meet(options.threads, round);
  const starts: Promise<BurstAnswers['answers'][number]>[] = [];
  for (let index = first; index < options.starts; index += options.threads)
    starts.push(startOne(index, round));
  const answers = await Promise.all(starts);
  tally.add('answers', answers.length);
  while (tally.get('answers') < options.starts * (round + 1)) await setTimeout(5);
  return answers;
}

let posted: BurstAnswers = { answers: [] };
for (let round = 0; round <= options.warmups; round++) posted = { answers: await burst(round) };
parentPort?.postMessage(posted);
await table.close();
