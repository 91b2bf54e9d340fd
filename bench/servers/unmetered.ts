/**
 * The built gateway once more, except that a listener writes no metrics of a request: the other half of a comparison. The
 * writes are emptied in a copy, so that the program itself needs no switch for it.
 */
import { appendFileSync, copyFileSync, cpSync, mkdtempSync, rmSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';

/** What `recorder-loop.ts` times: all that a decision about a known token writes. */
const writes = ['requestStarted', 'tokenSeen', 'decided', 'requestDone'];

/** The `main.js` of the copy, which is removed at the end of the process. `program`: the one to copy. */
export function withoutMetrics(program: string): string {
  const dist = dirname(dirname(program));
  const folder = mkdtempSync(join(tmpdir(), 'sallyport-bench-'));
  process.once('exit', () => rmSync(folder, { recursive: true }));
  for (const part of ['gateway', 'workers'])
    cpSync(join(dist, part), join(folder, 'dist', part), { recursive: true });
  copyFileSync(join(dist, '..', 'package.json'), join(folder, 'package.json'));
  symlinkSync(join(dist, '..', 'node_modules'), join(folder, 'node_modules'));
  appendFileSync(
    join(folder, 'dist', 'gateway', 'metrics', 'recorder.js'),
    `\nfor (const name of ${JSON.stringify(writes)}) {
  if (typeof Recorder.prototype[name] !== 'function') throw new Error('the recorder has no ' + name);
  Recorder.prototype[name] = () => {};
}\n`,
  );
  return join(folder, 'dist', 'gateway', 'main.js');
}
