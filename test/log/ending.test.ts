import { execFile } from 'node:child_process';
import { pathToFileURL } from 'node:url';
import { describe, expect, it } from 'vitest';
import { built } from '../support/built.ts';

const module = JSON.stringify(pathToFileURL(built('gateway/log/logger.js')).href);

/** Logs below and above the level that is written at once, then ends in the way given. */
const logging = (ending: string): string => `
  import(${module}).then(({ openLog }) => {
    const { logger } = openLog({ level: 'info', thread: 'tested' });
    for (let line = 0; line < 100; line++) logger[line % 10 === 0 ? 'warn' : 'info']({ line }, 'line');
    setImmediate(() => { ${ending} });
  });
`;
const inWorker = (script: string): string => `
  const { Worker } = require('node:worker_threads');
  const worker = new Worker(${JSON.stringify(script)}, { eval: true });
  worker.on('error', () => {});
`;

function linesOf(script: string): Promise<number[]> {
  return new Promise((resolve) => {
    execFile(process.execPath, ['-e', script], (_error, stdout) => {
      const lines = stdout.split('\n').filter((line) => line !== '');
      resolve(lines.map((line) => (JSON.parse(line) as { line: number }).line));
    });
  });
}

describe('a log whose thread ends', () => {
  const every = Array.from({ length: 100 }, (_, line) => line);

  it.each([
    ['by process.exit in the main thread', logging('process.exit(0)')],
    ['by an uncaught error in the main thread', logging('throw new Error()')],
    ['by process.exit in a worker thread', inWorker(logging('process.exit(0)'))],
    ['by an uncaught error in a worker thread', inWorker(logging('throw new Error()'))],
  ])('%s has written every line', async (_, script) => {
    const lines = await linesOf(script);
    expect(lines.toSorted((a, b) => a - b)).toEqual(every);
  });

  it('writes whole lines when threads write to one pipe', async () => {
    const lines = await linesOf(Array.from({ length: 3 }, () => `{ ${inWorker(logging(''))} }`).join('\n'));
    expect(lines.length).toBe(300);
  });
});
