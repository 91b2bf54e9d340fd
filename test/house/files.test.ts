/** Rules about single files: the tree keeps them, and each of them finds a violation planted for it. */
import { execFileSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { findings, rules } from './rules.ts';

/** Rule → files that break it, as path and text. */
const planted: Readonly<Record<string, readonly (readonly [path: string, text: string])[]>> = {
  'a file is named after a noun of its own': [
    ['gateway/token/utils.ts', ''],
    ['gateway/helpers/time.ts', ''],
    ['test/common.ts', ''],
    ['gateway/route/index.ts', ''],
  ],
  'paths are kebab-case': [
    ['gateway/token/factsCache.ts', ''],
    ['gateway/token/facts_cache.ts', ''],
  ],
  'a file has at most 350 lines': [['gateway/token/long.ts', 'line\n'.repeat(351)]],
  'no file only passes on what others export': [
    ['gateway/token/all.ts', "/** All. */\nexport { a } from './a.ts';\nexport type { B } from './b.ts';\n"],
    ['gateway/token/some.ts', "export const a = 1;\nexport * from './b.ts';\n"],
  ],
  'nothing is exported as default': [
    ['gateway/token/one.ts', 'export default 1;\n'],
    ['gateway/token/two.ts', 'const a = 1;\nexport { a as default };\n'],
  ],
  'what is to be done is done, or is an issue': [
    ['README.md', 'TODO: write'],
    ['.ci/run', '# FIXME'],
  ],
  'no path of one machine': [
    ['README.md', 'cd /work/main'],
    ['gateway/native/copy.ts', "const folder = '/tmp/lab/x';"],
    ['package.json', '"x": "/home/jane/src"'],
  ],
  'only cells touch Atomics': [
    ['gateway/listener/thread.ts', 'Atomics.add(cells, 0, 1);'],
    ['gateway/flight/slot.ts', 'Atomics.load(cells, 0);'],
  ],
  'no lint rule or type error is silenced for a whole file': [
    ['gateway/token/quiet.ts', '// @ts-nocheck'],
    ['gateway/token/calm.ts', '/* oxlint-disable no-console */'],
  ],
  'tests do not sleep': [
    ['test/token/slow.test.ts', 'await new Promise((resolve) => setTimeout(resolve, 50));'],
  ],
};

/** Files of the repository as git sees them, new ones included; pictures, and what is deleted but not committed, are left out. */
const tracked = execFileSync(
  'git',
  ['-c', 'safe.directory=*', 'ls-files', '-z', '--cached', '--others', '--exclude-standard'],
  { encoding: 'utf8' },
)
  .split('\0')
  .filter((path) => path !== '' && !path.endsWith('.png') && existsSync(path));
const texts = new Map(tracked.map((path) => [path, readFileSync(path, 'utf8')]));

describe.each(rules)('$name', (rule) => {
  it('finds all that is planted', () => {
    const examples = planted[rule.name] ?? [];
    expect(examples).not.toEqual([]);
    expect(examples.filter(([path, text]) => findings(rule, path, text).length === 0)).toEqual([]);
  });

  it('holds', () => {
    expect([...texts].flatMap(([path, text]) => findings(rule, path, text))).toEqual([]);
  });
});
