/** A run as a table for people and as JSON for later. */
import Table from 'cli-table3';
import type { Machine } from './machine.ts';
import type { CaseResult, JudgedRatio, Skipped } from './run.ts';
import type { Summary } from './statistics.ts';

/** The file in `results/`. Raise `version` when a reader of old files would misread new ones. */
export interface Report {
  readonly version: 2;
  readonly taken: string;
  readonly seconds: number;
  readonly rounds: number;
  readonly machine: Machine;
  readonly cases: readonly CaseResult[];
}

export function tableOf({ name, question, units, contenders, ratios, skipped = [] }: CaseResult): string {
  const figures = Object.entries(units);
  const table = new Table({
    head: ['', ...figures.map(([figure, unit]) => `${figure} [${unit}]`)],
    style: { head: [], border: [] },
    colAligns: ['left', ...figures.map(() => 'right' as const)],
  });
  for (const contender of contenders) {
    table.push([contender.name, ...figures.map(([figure, unit]) => cell(contender.figures[figure], unit))]);
  }
  return `${name}: ${question}\n${table.toString()}\n${[...ratios.map(ratioLine), ...skipped.map(skippedLine)].join('\n')}\n`;
}

export function skippedLine({ name, packages }: Skipped): string {
  return `  SKIPPED  ${name}: apt-get install --no-install-recommends ${packages.join(' ')}`;
}

/** A figure and half of its range, in its unit. */
export function cell(summary: Summary | undefined, unit: string): string {
  if (summary === undefined) return '';
  return `${inUnit(summary.median, unit)} ±${(summary.spread * 100).toFixed(0)} %`;
}

function inUnit(value: number, unit: string): string {
  switch (unit) {
    case 'B':
      return `${(value / 1_048_576).toFixed(0)} Mi`;
    case '1/s':
    case 'us':
      return value.toFixed(0);
    default:
      return value.toPrecision(3);
  }
}

function ratioLine({ name, value, target, met }: JudgedRatio): string {
  const line = `  ${value.toFixed(2)}  ${name}`;
  if (target === null) return line;
  const bound = 'atLeast' in target ? `at least ${target.atLeast}` : `at most ${target.atMost}`;
  return `${line}  (${bound}: ${met === true ? 'met' : 'MISSED'})`;
}
