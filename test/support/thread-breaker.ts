/**
 * Loaded into every thread of the program under test (`NODE_OPTIONS=--import`, see `startGateway`): breaks a thread when the
 * test says so, so that the product needs no hook for it. Orders come to main over the process's channel.
 *
 * The soak has a saboteur of its own, which breaks threads in turn and for minutes; here each break is exact.
 */
import {
  BroadcastChannel,
  getEnvironmentData,
  isMainThread,
  setEnvironmentData,
  workerData,
} from 'node:worker_threads';

/** Which thread is to be broken: main, the listener of an index, or the verify worker that gets the next batch. */
export type BreakTarget = 'main' | `listener-${number}` | 'verify-worker';

/** `hang` blocks the thread for good; `reject` is an unhandled rejection; `exit` is `process.exit`. */
const ways = ['throw', 'reject', 'hang', 'exit'] as const;

export interface BreakOrder {
  readonly target: BreakTarget;
  readonly how: (typeof ways)[number];
}

const key = 'thread-breaker';

function breakSoon(how: BreakOrder['how']): void {
  if (how === 'hang') hang();
  if (how === 'reject') void Promise.reject(new Error('broken by a test'));
  if (how === 'exit') setImmediate(() => process.exit(7));
  if (how === 'throw')
    setImmediate(() => {
      throw new Error('broken by a test');
    });
}

function hang(): void {
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0);
}

/** Main: passes orders on; those for verify workers by shared memory, because these sleep between batches. */
function relay(): void {
  const order = new Int32Array(new SharedArrayBuffer(4));
  setEnvironmentData(key, order);
  const channel = new BroadcastChannel(key);
  channel.unref();
  process.on('message', (message: BreakOrder) => {
    if (message.target === 'main') breakSoon(message.how);
    else if (message.target === 'verify-worker') Atomics.store(order, 0, 1 + ways.indexOf(message.how));
    else channel.postMessage(message);
  });
  process.channel?.unref();
}

function obeyAsListener(name: string): void {
  const channel = new BroadcastChannel(key);
  channel.onmessage = (event) => {
    const { target, how } = (event as { readonly data: BreakOrder }).data;
    if (target === name) breakSoon(how);
  };
  // Listening keeps a thread alive otherwise.
  channel.unref();
}

/** Verify worker: looks for an order whenever a batch begins, which it times. */
function obeyAsWorker(): void {
  const order = getEnvironmentData(key) as Int32Array;
  const now = process.hrtime.bigint.bind(process.hrtime);
  process.hrtime.bigint = () => {
    const how = ways[Atomics.exchange(order, 0, 0) - 1];
    if (how === 'hang') hang();
    if (how === 'exit') process.exit(7);
    if (how === 'throw') throw new Error('broken by a test');
    return now();
  };
}

const data = workerData as { readonly name?: unknown; readonly boot?: unknown } | null;
if (isMainThread) relay();
else if (typeof data?.name === 'string' && data.boot !== undefined) obeyAsListener(data.name);
else obeyAsWorker();
