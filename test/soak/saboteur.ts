/**
 * Loaded into every thread of the program under test (`NODE_OPTIONS=--import`): breaks threads on command of the soak.
 * So the product needs no hook for it. Commands reach the main thread over the process's channel and go to all threads.
 */
import { syncBuiltinESMExports } from 'node:module';
import workerThreads, {
  BroadcastChannel,
  isMainThread,
  threadId,
  Worker,
  workerData,
} from 'node:worker_threads';
import { type Sabotage, sabotageMessage } from './sabotage.ts';

/** What the main thread tells the soak: a verify worker has ended as ordered. */
export interface EndedReport {
  readonly ended: 'verify worker';
}

/** A listener's verify worker runs, so that there is something to break. */
interface ReadyReport {
  readonly ready: number;
}

interface Order {
  readonly sabotage: Sabotage;
  readonly thread: number;
}

const channelName = 'saboteur';

if (isMainThread) relay();
else if (isListener()) obey();

/** Main thread: passes orders on to one listener after the other. */
function relay(): void {
  const listeners = trackWorkers();
  const channel = new BroadcastChannel(channelName);
  const ready = new Set<number>();
  channel.onmessage = (event) => {
    const report = event.data as EndedReport | ReadyReport;
    if ('ready' in report) ready.add(report.ready);
    else process.send!(report);
  };
  channel.unref();
  let turn = 0;
  process.on('message', (sabotage: Sabotage) => {
    const living = [...listeners].map((worker) => worker.threadId).filter((thread) => ready.has(thread));
    if (living.length === 0) return;
    turn += 1;
    channel.postMessage({ sabotage, thread: living[turn % living.length]! } satisfies Order);
  });
  process.channel?.unref();
}

/** Listener thread. */
function obey(): void {
  const channel = new BroadcastChannel(channelName);
  const verifyWorkers = trackWorkers(() => channel.postMessage({ ready: threadId } satisfies ReadyReport));
  channel.onmessage = (event) => {
    const order = event.data as Order | EndedReport | ReadyReport;
    if (!('sabotage' in order) || order.thread !== threadId) return;
    switch (order.sabotage) {
      case 'throw':
        setImmediate(() => {
          throw new Error(sabotageMessage);
        });
        return;
      case 'terminate':
        for (const worker of [...verifyWorkers].slice(0, 1)) {
          worker.once('exit', () => channel.postMessage({ ended: 'verify worker' } satisfies EndedReport));
          void worker.terminate();
        }
        return;
    }
  };
  // Listening keeps a thread alive otherwise, and a listener that ends would not.
  channel.unref();
}

function isListener(): boolean {
  return typeof workerData === 'object' && workerData !== null && 'boot' in workerData;
}

/** Replaces the constructor of threads by one that remembers them, before anybody imports it. */
function trackWorkers(onOnline: () => void = () => {}): ReadonlySet<Worker> {
  const living = new Set<Worker>();
  workerThreads.Worker = class extends Worker {
    constructor(...options: ConstructorParameters<typeof Worker>) {
      super(...options);
      living.add(this);
      this.once('online', onOnline);
      this.once('exit', () => living.delete(this));
    }
  };
  syncBuiltinESMExports();
  return living;
}
