/** Paths of the built program, from wherever a test runs: its source under vitest, or `dist/` in a process of its own. */
import { existsSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

/** The folder with package.json. */
export const root = findRoot(dirname(fileURLToPath(import.meta.url)));

/** The program that the package ships. */
export const sallyport = built('sallyport/main.js');

/** The absolute path of a file below `dist/`. */
export function built(path: string): string {
  return join(root, 'dist', path);
}

function findRoot(folder: string): string {
  return existsSync(join(folder, 'package.json')) ? folder : findRoot(dirname(folder));
}
