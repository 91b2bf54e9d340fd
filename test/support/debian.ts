/** Suites that need a program of Debian, such as promtool or nginx. */
import { accessSync, constants, statSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import { describe, it } from 'vitest';

/** Finds a program on the path. */
export function findProgram(
  name: string,
  path: string = `${process.env['PATH'] ?? ''}${delimiter}/usr/sbin`,
): string | undefined {
  return path
    .split(delimiter)
    .map((folder) => join(folder, name))
    .find(isProgram);
}

/**
 * Declares a suite that runs where a program is installed. Elsewhere it is skipped with a warning, but under CI it
 * fails: a suite that nobody ran has shown nothing.
 */
export function describeWith(program: string, title: string, suite: () => void): void {
  switch (fateOf(findProgram(program) !== undefined, process.env)) {
    case 'run':
      describe(title, suite);
      break;
    case 'fail':
      describe(title, () => {
        it(`needs ${program}`, () => {
          throw new Error(`${program} is not installed, and CI skips nothing: add its package to .ci/run`);
        });
      });
      break;
    case 'skip':
      console.warn(`SKIPPED, for ${program} is not installed: ${title}`);
      describe.skip(title, suite);
      break;
  }
}

/** What becomes of a suite. */
export function fateOf(installed: boolean, env: NodeJS.ProcessEnv): 'run' | 'skip' | 'fail' {
  if (installed) return 'run';
  return env['CI'] === 'true' ? 'fail' : 'skip';
}

function isProgram(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return statSync(path).isFile();
  } catch {
    return false;
  }
}
