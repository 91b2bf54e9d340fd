/** A listener thread, as main makes it. */
import { MessageChannel, Worker } from 'node:worker_threads';
import type { ListenerBoot, ListenerSeed } from './listener/messages.ts';
import { listenerEntry } from './places.ts';

/**
 * A thread that loads its code at once and then waits for what it is to serve. So the first one can be made before main has
 * read the configuration, while it loads code of its own; where that comes to nothing, the thread ends with the process.
 */
export class ListenerThread {
  readonly name: string;
  readonly worker: Worker;
  readonly #boot: MessageChannel['port1'];
  /** It cannot be begun any more. */
  ended = false;

  constructor(index: number) {
    const { port1, port2 } = new MessageChannel();
    this.name = `listener-${index}`;
    this.#boot = port1;
    this.worker = new Worker(listenerEntry, {
      workerData: { name: this.name, boot: port2 } satisfies ListenerSeed,
      transferList: [port2],
    });
    this.worker.unref();
    // Whoever begins it listens, too; before that, a failure to load shows when the next one is made.
    this.worker.on('error', () => {});
    this.worker.once('exit', () => {
      this.ended = true;
    });
  }

  /** From now on it keeps the process alive. */
  begin(boot: ListenerBoot): void {
    this.worker.ref();
    this.#boot.postMessage(boot);
  }
}
