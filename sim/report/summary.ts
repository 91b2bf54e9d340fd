// The tables at the end of a run: what was explored and how far, which mutants died of what, which traces still hold.

import type { Campaign } from '../campaign.ts';
import type { TaskResult } from '../suite.ts';
import { unseen } from '../suite.ts';
import { sights } from '../sightings.ts';

export function renderSummary(results: readonly TaskResult[], everything: boolean): string {
  const sections = [scenarioTable(results), mutantTable(results), traceTable(results), wrong(results)];
  if (everything) sections.push(`${checkLine(results)}\n${sightTable(results)}`);
  return sections.filter((section) => section !== '').join('\n\n');
}

function scenarioTable(results: readonly TaskResult[]): string {
  const campaigns = results.flatMap((result) => (result.kind === 'scenario' ? [result.campaign] : []));
  if (campaigns.length === 0) return '';
  const rows = campaigns.map((one) => [
    one.scenario,
    one.failure === undefined ? coverage(one) : `VIOLATION ${one.failure.violation.invariant}`,
    number(one.executions),
    number(one.blocked),
    number(one.steps),
    String(one.stepsMost),
    seconds(one.ms),
  ]);
  const sum = (pick: (one: Campaign) => number): number =>
    campaigns.reduce((total, one) => total + pick(one), 0);
  rows.push([
    `${campaigns.length} scenarios`,
    `${campaigns.filter((one) => one.complete).length} complete`,
    number(sum((one) => one.executions)),
    number(sum((one) => one.blocked)),
    number(sum((one) => one.steps)),
    String(Math.max(...campaigns.map((one) => one.stepsMost))),
    seconds(sum((one) => one.ms)),
  ]);
  return table(
    ['scenario', 'coverage', 'executions', 'blocked', 'steps', 'longest', 'time'],
    rows,
    [2, 3, 4, 5, 6],
  );
}

function coverage(one: Campaign): string {
  if (one.complete) return 'complete';
  return one.scheduler === 'exhaustive' || one.scheduler === 'naive'
    ? 'CUT SHORT'
    : `sampled (${one.scheduler})`;
}

function mutantTable(results: readonly TaskResult[]): string {
  const tried = results.flatMap((result) => (result.kind === 'mutant' ? [result] : []));
  if (tried.length === 0) return '';
  const rows = tried.map(({ result, scenario, kills }) => {
    const { failure } = result.campaign;
    const by = failure?.violation.invariant ?? 'nothing';
    const fate =
      result.fate === 'killed' ? `killed by ${by}` : `${result.fate.toUpperCase()} (${by}, not ${kills})`;
    return [result.mutant, scenario, fate, String(failure?.execution ?? result.campaign.executions)];
  });
  const killed = tried.filter(({ result }) => result.fate === 'killed').length;
  rows.push([`${tried.length} mutants`, '', `${killed} killed`, '']);
  return table(['mutant', 'scenario', 'fate', 'execution'], rows, [3]);
}

function traceTable(results: readonly TaskResult[]): string {
  const files = results.flatMap((result) => (result.kind === 'trace' ? [result] : []));
  if (files.length === 0) return '';
  const rows = files.map(({ name, checks }) => {
    const bad = checks.find((one) => !one.ok);
    return [name, bad === undefined ? 'holds' : `${bad.name}: ${bad.detail}`];
  });
  const holding = files.filter(({ checks }) => checks.every((one) => one.ok)).length;
  rows.push([`${files.length} traces`, `${holding} hold`]);
  return table(['trace', 'replayed'], rows, []);
}

function wrong(results: readonly TaskResult[]): string {
  return results
    .flatMap((result) =>
      result.kind === 'nondeterminism' ? [`NONDETERMINISM in ${result.name}: ${result.why}`] : [],
    )
    .join('\n');
}

function sightTable(results: readonly TaskResult[]): string {
  const missing = unseen(results);
  if (missing.length === 0) return `sometimes: all ${sights.length} situations that must occur were seen`;
  return ['sometimes: NEVER SEEN', ...missing.map((sight) => `  ${sight}`)].join('\n');
}

function checkLine(results: readonly TaskResult[]): string {
  const counts = new Map<string, number>();
  for (const result of results) {
    if (result.kind !== 'scenario') continue;
    for (const [id, count] of result.campaign.checks) counts.set(id, (counts.get(id) ?? 0) + count);
  }
  return `always: ${counts.size} invariants, each checked on ${number(Math.min(...counts.values()))} executions or more`;
}

function table(
  head: readonly string[],
  rows: readonly (readonly string[])[],
  right: readonly number[],
): string {
  const widths = head.map((title, column) =>
    Math.max(title.length, ...rows.map((row) => row[column]?.length ?? 0)),
  );
  const line = (cells: readonly string[]): string =>
    cells
      .map((cell, column) => {
        const width = widths[column] ?? 0;
        return right.includes(column) ? cell.padStart(width) : cell.padEnd(width);
      })
      .join('  ')
      .trimEnd();
  const rule = widths.map((width) => '─'.repeat(width)).join('  ');
  const body = rows.map(line);
  return [line(head), rule, ...body.slice(0, -1), rule, body.at(-1) ?? ''].join('\n');
}

const number = (value: number): string => value.toLocaleString('en');
const seconds = (ms: number): string => `${(ms / 1000).toFixed(ms < 9_950 ? 2 : 1)} s`;
