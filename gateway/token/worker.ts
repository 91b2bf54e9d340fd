/**
 * One verify worker: a Piscina of a single thread, opened and closed as a whole.
 *
 * A Piscina each, because a shared one does not tell which of its threads hangs, its abort signal allows a thread only one
 * task at a time, and a thread that dies while it starts is never replaced. What holds for them all is `pool.ts`.
 */
import { Piscina } from 'piscina';
import type { VerifyReply, VerifyTask } from '../../workers/messages.ts';
import { verifyEntry } from '../places.ts';

/** Piscina's own queue stays empty: one task runs, one is at the worker's door. */
export const tasksPerWorker = 2;

export interface VerifyWorker {
  /** Rejects when the thread is lost, or the task could not be run. Replies come in the order of the tasks. */
  run(task: VerifyTask): Promise<VerifyReply>;
  /** Ends the thread wherever it is; tasks in flight reject. */
  close(): Promise<void>;
}

/** Opens workers; `onLost` is called when the thread is lost, whether it had a task or not. */
export type OpenWorker = (onLost: () => void) => VerifyWorker;

export function piscinaWorker(url: URL = verifyEntry): OpenWorker {
  return (onLost) => {
    const piscina = new Piscina<VerifyTask, VerifyReply>({
      filename: url.href,
      name: 'verifyBatch',
      minThreads: 1,
      maxThreads: 1,
      idleTimeout: Number.POSITIVE_INFINITY,
      concurrentTasksPerWorker: tasksPerWorker,
      // The handler is synchronous and the thread does nothing else: it may sleep in Atomics.wait between tasks.
      atomics: 'sync',
      recordTiming: false,
    });
    piscina.on('error', onLost);
    // Piscina would replace an idle thread without a word, and the next batch would wait for it to start.
    piscina.on('workerDestroy', onLost);
    return {
      run: (task) => piscina.run(task),
      close: () => piscina.destroy(),
    };
  };
}
