// One thread of the pool: does a task, posts the result, waits for the next.

import { parentPort } from 'node:worker_threads';
import { perform, type Task } from './suite.ts';

parentPort?.on('message', (task: Task) => {
  parentPort?.postMessage(perform(task));
});
