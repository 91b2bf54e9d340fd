/**
 * The built gateway once more, except that a listener writes no metrics of a request: the other half of a comparison. The
 * writes are emptied in a copy, so that the program itself needs no switch for it.
 */
import {
  appendFileSync,
  copyFileSync,
  cpSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, dirname, join } from 'node:path';

/** What `recorder-loop.ts` times: all that a decision about a known token writes. */
const writes = ['requestStarted', 'tokenSeen', 'decided', 'requestDone'];

/** The `main.js` of the copy, which is removed at the end of the process. `program`: the one to copy. */
export function withoutMetrics(program: string): string {
  const bundle = dirname(program);
  const root = dirname(dirname(bundle));
  const folder = mkdtempSync(join(tmpdir(), 'sallyport-bench-'));
  process.once('exit', () => rmSync(folder, { recursive: true }));
  const copy = join(folder, 'dist', basename(bundle));
  cpSync(bundle, copy, { recursive: true });
  // The simulator, which the program can run, stays where it is.
  for (const part of ['sim', 'gateway']) symlinkSync(join(root, 'dist', part), join(folder, 'dist', part));
  copyFileSync(join(root, 'package.json'), join(folder, 'package.json'));
  symlinkSync(join(root, 'node_modules'), join(folder, 'node_modules'));
  appendFileSync(
    recorderFile(copy),
    `\nfor (const name of ${JSON.stringify(writes)}) {
  if (typeof Recorder.prototype[name] !== 'function') throw new Error('the recorder has no ' + name);
  Recorder.prototype[name] = () => {};
}\n`,
  );
  return join(copy, basename(program));
}

/** The file of a bundle that defines the recorder. Errors: there is not exactly one. */
function recorderFile(bundle: string): string {
  const [file, ...others] = readdirSync(bundle)
    .filter((name) => name.endsWith('.js'))
    .map((name) => join(bundle, name))
    .filter((path) => /^var Recorder = class\b/m.test(readFileSync(path, 'utf8')));
  if (file === undefined || others.length > 0)
    throw new Error('the recorder is not to be found in the bundle');
  return file;
}
