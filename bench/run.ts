/** Runs a case: all contenders once per round, forwards in even rounds and backwards in odd ones, so that drift hits all. */
import type { Bench, BenchCase, Measured, Ratio, Sample, Trace } from './case.ts';
import { missingOf } from './peers/debian.ts';
import { summarise, type Summary } from './statistics.ts';

export interface ContenderResult {
  readonly name: string;
  readonly rounds: readonly Sample[];
  readonly figures: Readonly<Record<string, Summary>>;
  /** Of the round whose first figure is nearest to the median. */
  readonly trace: Trace | null;
}

export interface CaseResult {
  readonly name: string;
  readonly question: string;
  readonly units: Readonly<Record<string, string>>;
  /** As in `BenchCase`. */
  readonly sizes: readonly number[] | null;
  readonly contenders: readonly ContenderResult[];
  readonly ratios: readonly JudgedRatio[];
  /** Those that were left out, each with what would have to be installed. Absent in old results. */
  readonly skipped?: readonly Skipped[];
}

export interface Skipped {
  readonly name: string;
  readonly packages: readonly string[];
}

export interface JudgedRatio extends Ratio {
  /** Null without a target. */
  readonly met: boolean | null;
}

export type Progress = (done: number, all: number, contender: string) => void;

export async function runCase(
  benchCase: BenchCase,
  bench: Bench,
  rounds: number,
  progress: Progress,
): Promise<CaseResult> {
  const all = (await benchCase.contenders(bench)).map((contender) => ({
    contender,
    missing: missingOf(contender.needs ?? []),
  }));
  const contenders = all.filter(({ missing }) => missing.length === 0).map(({ contender }) => contender);
  const samples = new Map<string, Measured[]>(contenders.map(({ name }) => [name, []]));
  let done = 0;
  for (let round = 0; round < rounds; round += 1) {
    for (const { name, measure } of round % 2 === 0 ? contenders : contenders.toReversed()) {
      progress(done, rounds * contenders.length, name);
      samples.get(name)!.push(await measure());
      done += 1;
    }
  }
  const results = contenders.map(({ name }) => summariseContender(name, samples.get(name)!));
  const median = (contender: string, figure: string): number =>
    results.find(({ name }) => name === contender)?.figures[figure]?.median ?? NaN;
  return {
    name: benchCase.name,
    question: benchCase.question,
    units: benchCase.figures,
    sizes: benchCase.sizes ?? null,
    contenders: results,
    ratios: benchCase
      .ratios({ median })
      .filter(({ value }) => !Number.isNaN(value))
      .map(judge),
    skipped: all
      .filter(({ missing }) => missing.length > 0)
      .map(({ contender, missing }) => ({ name: contender.name, packages: missing.map(({ name }) => name) })),
  };
}

function summariseContender(name: string, measured: readonly Measured[]): ContenderResult {
  const rounds = measured.map(({ figures }) => figures);
  const names = Object.keys(rounds[0]!);
  const summaries = names.map(
    (figure) => [figure, summarise(rounds.map((round) => round[figure]!))] as const,
  );
  const [first, { median }] = summaries[0]!;
  const distance = ({ figures }: Measured): number => Math.abs(figures[first]! - median);
  const middle = measured.reduce((best, each) => (distance(each) < distance(best) ? each : best));
  return { name, rounds, figures: Object.fromEntries(summaries), trace: middle.trace };
}

function judge({ name, value, target }: Ratio): JudgedRatio {
  if (target === null) return { name, value, target, met: null };
  return { name, value, target, met: 'atLeast' in target ? value >= target.atLeast : value <= target.atMost };
}
