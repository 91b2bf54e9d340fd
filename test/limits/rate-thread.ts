/** Takes requests of one key as fast as it can, together with others, and says how many conformed. */
import { parentPort, workerData } from 'node:worker_threads';
import { paceOf } from '../../gateway/limits/gcra.ts';
import { RateCells, type RateMemory } from '../../gateway/limits/rate-cells.ts';

export interface RateThreadData {
  readonly memory: RateMemory;
  readonly burst: number;
  /** One word; opened when all are there. */
  readonly gate: SharedArrayBuffer;
  readonly takes: number;
}

const { memory, burst, gate, takes } = workerData as RateThreadData;
const cells = new RateCells(memory, () => 1000);
parentPort!.postMessage('ready');
Atomics.wait(new Int32Array(gate), 0, 0);
let conforming = 0;
for (let take = 0; take < takes; take += 1)
  if (cells.take('one', paceOf(1, 10, burst)).conforms) conforming += 1;
parentPort!.postMessage(conforming);
