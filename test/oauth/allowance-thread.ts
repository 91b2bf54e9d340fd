/** Takes from one allowance as fast as it can, together with others, and says how often it was granted. */
import { parentPort, workerData } from 'node:worker_threads';
import { Allowance, type AllowanceSettings } from '../../gateway/oauth/allowance.ts';

export interface AllowanceThreadData extends Omit<AllowanceSettings, 'nowMs'> {
  /** One word; opened when all are there. */
  readonly gate: SharedArrayBuffer;
  readonly takes: number;
}

const { gate, takes, ...settings } = workerData as AllowanceThreadData;
const allowance = new Allowance({ ...settings, nowMs: () => 1000 });
parentPort!.postMessage('ready');
Atomics.wait(new Int32Array(gate), 0, 0);
let granted = 0;
for (let take = 0; take < takes; take++) if (allowance.take('ada')) granted++;
parentPort!.postMessage(granted);
