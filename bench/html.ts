/**
 * A run as one page that works offline: tables, curves of latency by percentile, throughput over time, and growth. Given two
 * runs, the curves of the second lie over those of the first.
 */
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { cell, type Report, skippedLine } from './report.ts';
import type { CaseResult, ContenderResult } from './run.ts';

const require = createRequire(import.meta.url);
const asset = (name: string): string => readFileSync(require.resolve(`uplot/dist/${name}`), 'utf8');

const escape = (text: string): string =>
  text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;').replaceAll('"', '&quot;');

/** Data for the page's script; `<` must not end the element that it stands in. */
const embed = (value: unknown): string => JSON.stringify(value).replaceAll('<', '\\u003c');

/** What grows, where the question is how. */
const costs = [
  { figure: 'cpuSecondsPer1000', title: 'CPU seconds for 1,000 requests', unit: 1 },
  { figure: 'residentBytes', title: 'Resident memory [MiB]', unit: 1_048_576 },
] as const;

interface Curve {
  readonly label: string;
  readonly latencyUs: readonly (readonly [number, number])[];
  readonly answered: readonly number[];
}

export function pageOf(report: Report, over: Report | null = null): string {
  const second = (name: string): CaseResult | undefined => over?.cases.find((each) => each.name === name);
  const curves = report.cases.map((each) => [
    ...curvesOf(each, over === null ? '' : ' (1)'),
    ...curvesOf(second(each.name), ' (2)'),
  ]);
  const growth = report.cases.map((each) => growthOf(each, second(each.name)));
  return `<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>Sallyport bench, ${escape(report.taken)}</title>
<style>
${asset('uPlot.min.css')}
body { font: 15px/1.5 system-ui, sans-serif; margin: 2rem auto; max-width: 62rem; padding: 0 1rem; color: #222; background: #fff; }
table { border-collapse: collapse; margin: 1rem 0; } th, td { padding: .2rem .7rem; text-align: right; border-bottom: 1px solid #ddd; }
td { white-space: nowrap; } th:first-child, td:first-child { text-align: left; } .missed { color: #b00; } .met { color: #070; } .charts { display: flex; flex-wrap: wrap; gap: 1rem; }
</style>
<h1>Sallyport bench</h1>
<p>${escape(describe(report))}${over === null ? '' : `<br>(2) ${escape(describe(over))}`}</p>
${report.cases.map((each, index) => section(each, index)).join('\n')}
<script>${asset('uPlot.iife.min.js')}</script>
<script>
const cases = ${embed(curves)};
const growth = ${embed(growth)};
const colours = ['#1f77b4', '#d62728', '#2ca02c', '#9467bd', '#ff7f0e', '#8c564b', '#17becf', '#7f7f7f', '#bcbd22', '#e377c2'];
const series = (curves) => [{}, ...curves.map(({ label }, i) => ({ label, stroke: colours[i % colours.length], width: 1.5, points: { show: false } }))];
// Percentiles by the number of nines, as tails are read: 90 is 1, 99 is 2, 99.9 is 3.
const nines = (percent) => -Math.log10(1 - Math.min(percent, 99.999) / 100);
cases.forEach((curves, index) => {
  const tails = curves.filter(({ latencyUs }) => latencyUs.length > 0);
  if (tails.length > 0) {
    const xs = tails[0].latencyUs.map(([percent]) => nines(percent));
    new uPlot({
      title: 'Latency by percentile [µs]', width: 480, height: 300, series: series(tails),
      scales: { x: { time: false }, y: { distr: 3 } },
      axes: [{ values: (_, ticks) => ticks.map((n) => (n % 1 === 0 ? (100 - 10 ** (2 - n)).toFixed(Math.max(0, n - 2)) : '')) }, { size: 70 }],
    }, [xs, ...tails.map(({ latencyUs }) => latencyUs.map(([, us]) => us))], document.getElementById('latency-' + index));
  }
  const flows = curves.filter(({ answered }) => answered.length > 0);
  if (flows.length > 0) {
    const length = Math.max(...flows.map(({ answered }) => answered.length));
    new uPlot({
      title: 'Answers in each tenth of a second', width: 480, height: 300, series: series(flows), scales: { x: { time: false } },
      axes: [{ values: (_, ticks) => ticks.map((s) => s + ' s') }, { size: 70 }],
    }, [Array.from({ length }, (_, i) => i / 10), ...flows.map(({ answered }) => Array.from({ length }, (_, i) => answered[i] ?? null))], document.getElementById('rate-' + index));
  }
});
growth.forEach((charts, index) => charts.forEach(({ title, sizes, lines }) => {
  new uPlot({
    title, width: 480, height: 300,
    series: [{}, ...lines.map(({ label }, i) => ({ label, stroke: colours[i], width: 1.5 }))],
    scales: { x: { time: false, distr: 3 }, y: { range: (_, __, max) => [0, max * 1.2] } }, axes: [{}, { size: 70 }],
  }, [sizes, ...lines.map(({ values }) => values)], document.getElementById('growth-' + index));
}));
</script>
</html>
`;
}

function describe({ taken, machine, rounds, seconds }: Report): string {
  const { commit, cpu, cores, versions } = machine;
  return `${taken}, commit ${commit ?? 'unknown'}, ${cpu}, ${cores} cores, Node ${versions['node']}, medians of ${rounds} rounds of ${seconds} s`;
}

function curvesOf(result: CaseResult | undefined, mark: string): Curve[] {
  return (result?.contenders ?? []).flatMap(({ name, trace }) =>
    trace === null ? [] : [{ label: `${name}${mark}`, ...trace }],
  );
}

interface GrowthChart {
  readonly title: string;
  readonly sizes: readonly number[];
  readonly lines: readonly { readonly label: string; readonly values: readonly (number | null)[] }[];
}

/** One chart for each cost; the second run is drawn where it has the same sizes. */
function growthOf(result: CaseResult, over: CaseResult | undefined): GrowthChart[] {
  const { sizes } = result;
  if (sizes === null) return [];
  const isSame = over !== undefined && JSON.stringify(over.sizes) === JSON.stringify(sizes);
  const runs = isSame ? [result, over] : [result];
  return costs.map(({ figure, title, unit }) => ({
    title,
    sizes,
    lines: runs.map(({ contenders }, run) => ({
      label: isSame ? `(${run + 1})` : title,
      values: contenders.map(({ figures }) => {
        const median = figures[figure]?.median;
        return median === undefined ? null : median / unit;
      }),
    })),
  }));
}

function section(
  { name, question, units, contenders, ratios, skipped = [] }: CaseResult,
  index: number,
): string {
  const figures = Object.entries(units);
  const head = figures.map(([figure, unit]) => `<th>${escape(figure)} [${escape(unit)}]</th>`).join('');
  const judged = ratios.map(({ name: ratio, value, target, met }) => {
    const bound =
      target === null ? '' : 'atLeast' in target ? `at least ${target.atLeast}` : `at most ${target.atMost}`;
    const verdict =
      met === null
        ? ''
        : `<span class="${met ? 'met' : 'missed'}">${bound}: ${met ? 'met' : 'missed'}</span>`;
    return `<li>${value.toFixed(2)} ${escape(ratio)} ${verdict}</li>`;
  });
  return `<section><h2>${escape(name)}</h2><p>${escape(question)}</p>
<table><thead><tr><th></th>${head}</tr></thead><tbody>
${contenders.map((contender) => row(contender, figures)).join('\n')}
</tbody></table>
<ul>${judged.join('')}${skipped.map((each) => `<li>${escape(skippedLine(each))}</li>`).join('')}</ul>
<div class="charts"><div id="latency-${index}"></div><div id="rate-${index}"></div><div id="growth-${index}"></div></div></section>`;
}

function row(
  { name, figures: summaries }: ContenderResult,
  figures: readonly (readonly [string, string])[],
): string {
  const cells = figures.map(([figure, unit]) => `<td>${escape(cell(summaries[figure], unit))}</td>`);
  return `<tr><td>${escape(name)}</td>${cells.join('')}</tr>`;
}
