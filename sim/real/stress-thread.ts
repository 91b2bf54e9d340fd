// One thread of a stress run. Drives the scripts of the flight table itself, without the table's sharing of starts
// within a thread, so that every starter contends.

import { setImmediate, setTimeout } from 'node:timers/promises';
import { workerData } from 'node:worker_threads';
import type { Cells } from '../../gateway/flight/cells.ts';
import { complete } from '../../gateway/flight/completion.ts';
import type { Context } from '../../gateway/flight/context.ts';
import { generationOf, pack, PENDING, stateOf } from '../../gateway/flight/control-word.ts';
import type { Created } from '../../gateway/flight/effects.ts';
import { controlAddress } from '../../gateway/flight/layout.ts';
import { operations } from '../../gateway/flight/operations.ts';
import { layoutOfBuffer, RealCells } from '../../gateway/flight/real-cells.ts';
import { run } from '../../gateway/flight/runner.ts';
import type { Stage } from '../../gateway/flight/runner.ts';
import { start } from '../../gateway/flight/start.ts';
import { realTimers } from '../../gateway/flight/timers.ts';
import { Waiters } from '../../gateway/flight/waiters.ts';
import type { StressThread } from './stress.ts';
import { Tally } from './tally.ts';

const { handle, tally: tallyBuffer, ledger, options, starts } = workerData as StressThread;
const tally = new Tally(tallyBuffer);
const book = new Int32Array(ledger);
const cells: Cells = new RealCells(handle.buffer);
const waiters = new Waiters(cells, realTimers);
const layout = layoutOfBuffer(handle.buffer);
const context: Context = { layout, operations, me: handle.seat.thread, terms: handle.terms };

/** The provider: counts the call, and answers later. */
async function create(round: number): Promise<Created> {
  Atomics.add(book, round * 2, 1);
  if (options.providerMs > 0) await setTimeout(options.providerMs);
  else await setImmediate();
  return { kind: 'created', payload: { bytes: 8, words: [BigInt(round)] }, flowTicks: 4000 };
}

function stageOf(round: number): Stage {
  return {
    perform(effect) {
      if (effect.type === 'create') return create(round);
      return Promise.resolve(effect.type === 'spawn');
    },
  };
}

async function startFlight(round: number): Promise<number> {
  const request = {
    digest: digestOf(round),
    payload: true,
    until: 'published',
    waitTicks: 40,
    leases: 1,
  } as const;
  const outcome = await run(start(context, request), cells, waiters, stageOf(round));
  if (outcome.kind !== 'led' && outcome.kind !== 'joined') {
    tally.add('refused');
    return -1;
  }
  tally.add(outcome.kind);
  if (outcome.payload?.words[0] !== BigInt(round)) tally.add('mismatches');
  if (outcome.kind === 'led') {
    const script = complete(context, outcome.hold, 60_000);
    led.push({ slot: outcome.hold.slot, followed: run(script, cells, waiters, stageOf(round)) });
  }
  return generationOf(outcome.hold.word);
}

/** The flows that this thread leads, to be cancelled when the round is over. */
let led: { readonly slot: number; readonly followed: Promise<unknown> }[] = [];

/** Check, create, insert: each step right, the three together not. */
async function startByInsert(round: number): Promise<number> {
  const address = controlAddress(layout, round);
  const word = cells.load(address);
  if (stateOf(word) === PENDING) {
    tally.add('joined');
    return generationOf(word);
  }
  await create(round);
  const mine = tally.add('claims');
  cells.store(address, pack(PENDING, mine, 0, 0));
  tally.add('led');
  return mine;
}

const startOne = options.table === 'flight' ? startFlight : startByInsert;

for (let round = 0; round < options.rounds; round++) {
  tally.meet(options.threads, round * 2);
  const flows = await Promise.all(Array.from({ length: starts }, () => startOne(round)));
  for (const flow of flows) {
    const first = Atomics.compareExchange(book, round * 2 + 1, 0, flow + 1);
    if (first !== 0 && first !== flow + 1) tally.add('mismatches');
  }
  tally.add('answers', flows.length);
  // Nobody cancels before everyone was answered.
  tally.meet(options.threads, round * 2 + 1);
  for (const { slot, followed } of led) {
    operations.cancel(cells, layout, slot, 1);
    await followed;
  }
  led = [];
}
// A native wait that nobody's notify ended would be left over.
tally.add('waiting', waiters.natives + waiters.sleeping);

function digestOf(round: number): { high: bigint; low: bigint } {
  return { high: BigInt(round + 1), low: BigInt(round + 1) };
}
