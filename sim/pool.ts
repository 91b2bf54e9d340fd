// Shares tasks out among threads. Each thread has one task at a time, and the next when it is done.

import { Worker } from 'node:worker_threads';
import type { Task, TaskResult } from './suite.ts';

export interface Progress {
  readonly done: number;
  readonly total: number;
  readonly task: Task;
}

/** Results come in the order of the tasks. Errors: what a task throws ends the run. */
export async function performAll(
  tasks: readonly Task[],
  threads: number,
  onProgress: (progress: Progress) => void,
): Promise<TaskResult[]> {
  const results: TaskResult[] = [];
  let next = 0;
  let done = 0;
  const crew = Array.from({ length: Math.min(threads, tasks.length) }, async () => {
    const worker = new Worker(new URL('./thread.js', import.meta.url));
    try {
      while (next < tasks.length) {
        const at = next++;
        const task = tasks[at] as Task;
        results[at] = await askWorker(worker, task);
        onProgress({ done: ++done, total: tasks.length, task });
      }
    } finally {
      await worker.terminate();
    }
  });
  await Promise.all(crew);
  return results;
}

function askWorker(worker: Worker, task: Task): Promise<TaskResult> {
  return new Promise((resolve, reject) => {
    const settle = (): void => {
      worker.off('message', onMessage);
      worker.off('error', onError);
      worker.off('exit', onExit);
    };
    const onMessage = (result: TaskResult): void => {
      settle();
      resolve(result);
    };
    const onError = (error: unknown): void => {
      settle();
      reject(error instanceof Error ? error : new Error(String(error)));
    };
    const onExit = (code: number): void => {
      settle();
      reject(new Error(`the thread that ran ${task.kind} ${task.name} ended with code ${code}`));
    };
    worker.on('message', onMessage);
    worker.on('error', onError);
    worker.on('exit', onExit);
    worker.postMessage(task);
  });
}
