/**
 * `npm run bench:compare -- BASE [case…] [--pairs 6] [--seconds 4] [--max-regression 10] [--out FILE]`
 *
 * Measures the gateway of this checkout beside that of another commit: A B B A, so that drift of the machine hits both. What
 * counts is the ratio within each pair; its median stands with a bootstrap interval. Exit codes: 0, 1 a case is slower by
 * more than `--max-regression` per cent for certain (the whole interval), 2 the command line cannot be used.
 */
import { execFileSync } from 'node:child_process';
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { openBench, say, sayForNow } from './bench.ts';
import type { BenchCase } from './case.ts';
import { casesNamed } from './cases.ts';
import { readCommandLine } from './command-line.ts';
import { describeMachine } from './machine.ts';
import { missingOf } from './peers/debian.ts';
import { ownProgram, programOf } from './servers/gateway.ts';
import { bootstrapMedian, type Interval, seededRandom, summarise } from './statistics.ts';

/** The contender that is the gateway, in the cases that have one. */
const subject = 'sallyport';

export interface Comparison {
  readonly name: string;
  readonly figure: string;
  /** This checkout, of the base, pair by pair. */
  readonly ratios: readonly number[];
  readonly median: number;
  readonly interval: Interval;
}

const { values, names, first } = readCommandLine(
  'bench:compare BASE [case…] [--pairs N] [--seconds N] [--max-regression PERCENT] [--out FILE.json]',
  { pairs: 6, seconds: 4, 'max-regression': 10 },
  true,
);
const base = buildOf(first);
try {
  const comparisons: Comparison[] = [];
  for (const benchCase of casesNamed(names)) comparisons.push(...(await compare(benchCase, base.program)));
  const least = 1 - values['max-regression'] / 100;
  const slower = comparisons.filter(({ figure, interval }) =>
    figure === 'perSecond' ? interval.high < least : interval.low > 1 / least,
  );
  if (values.out !== null) {
    mkdirSync(dirname(values.out), { recursive: true });
    const { pairs, seconds } = values;
    const report = {
      version: 1,
      taken: new Date().toISOString(),
      base: base.commit,
      pairs,
      seconds,
      machine: describeMachine(),
      comparisons,
    };
    writeFileSync(values.out, `${JSON.stringify(report, null, 1)}\n`);
  }
  for (const { name, figure } of slower) say(`slower: ${name}, ${figure}`);
  process.exitCode = slower.length === 0 ? 0 : 1;
} finally {
  base.remove();
}

async function compare(benchCase: BenchCase, baseProgram: string): Promise<Comparison[]> {
  const contenders = {
    a: await subjectOf(benchCase, baseProgram),
    b: await subjectOf(benchCase, ownProgram),
  };
  if (contenders.a === undefined || contenders.b === undefined) return [];
  const { a, b } = { a: contenders.a, b: contenders.b };
  const ratios = { perSecond: [] as number[], cpuSecondsPer1000: [] as number[] };
  for (let pair = 0; pair < values.pairs; pair += 1) {
    sayForNow(`${benchCase.name}: pair ${pair + 1} of ${values.pairs}`);
    const order = pair % 2 === 0 ? [a, b] : [b, a];
    const measured = [await order[0]!.measure(), await order[1]!.measure()];
    const [before, after] = pair % 2 === 0 ? measured : measured.toReversed();
    for (const figure of ['perSecond', 'cpuSecondsPer1000'] as const) {
      const [was, is] = [before!.figures[figure], after!.figures[figure]];
      if (was !== undefined && is !== undefined) ratios[figure].push(is / was);
    }
  }
  sayForNow('');
  return Object.entries(ratios).flatMap(([figure, found]): Comparison[] => {
    if (found.length === 0) return [];
    const interval = bootstrapMedian(found, seededRandom(1));
    const { median } = summarise(found);
    console.log(
      `${benchCase.name.padEnd(20)} ${figure.padEnd(18)} ${median.toFixed(3)}  [${interval.low.toFixed(3)}, ${interval.high.toFixed(3)}]`,
    );
    return [{ name: benchCase.name, figure, ratios: found, median, interval }];
  });
}

async function subjectOf(benchCase: BenchCase, program: string) {
  const contenders = await benchCase.contenders(openBench(values.seconds, program));
  return contenders.find(({ name, needs = [] }) => name === subject && missingOf(needs).length === 0);
}

/** Builds a commit in a folder of its own. */
function buildOf(revision: string): { program: string; commit: string; remove: () => void } {
  const git = (...args: string[]): string => execFileSync('git', args, { encoding: 'utf8' }).trim();
  const commit = git('rev-parse', '--verify', `${revision}^{commit}`);
  const folder = mkdtempSync(join(tmpdir(), 'sallyport-base-'));
  const remove = (): void => {
    git('worktree', 'remove', '--force', folder);
    rmSync(folder, { recursive: true, force: true });
  };
  git('worktree', 'add', '--detach', '--force', folder, commit);
  try {
    const lock = 'package-lock.json';
    say(`building ${commit.slice(0, 12)}`);
    if (existsSync(lock) && readFileSync(lock, 'utf8') === readFileSync(join(folder, lock), 'utf8')) {
      symlinkSync(resolve('node_modules'), join(folder, 'node_modules'));
      execFileSync('npm', ['run', '--silent', 'build'], { cwd: folder, stdio: 'inherit' });
    } else
      execFileSync('npm', ['ci', '--silent', '--no-audit', '--no-fund'], { cwd: folder, stdio: 'inherit' });
  } catch (error) {
    remove();
    throw error;
  }
  return { program: programOf(folder), commit, remove };
}
