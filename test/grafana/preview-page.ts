/**
 * A dashboard as a page: what a panel asks, drawn by uPlot. It shows what panels look like where there is no Grafana; it is
 * none, and says so.
 */
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import type { DashboardJson, PanelJson } from './panels.ts';
import type { Line } from './prometheus.ts';

const textAt = (url: string): string => readFileSync(fileURLToPath(url), 'utf8');
const uplotScript = textAt(import.meta.resolve('uplot/dist/uPlot.iife.min.js'));
const uplotStyle = textAt(import.meta.resolve('uplot/dist/uPlot.min.css'));

const linesMax = 12;

interface Drawing {
  readonly labels: readonly string[];
  /** Seconds, then a list of values for each label. */
  readonly data: readonly (readonly (number | null)[])[];
  readonly unit: string;
  readonly stacked: boolean;
}

/** Asks `graph` for every query and returns the page, which draws itself. */
export async function pageOf(
  { title, panels }: DashboardJson,
  graph: (expr: string) => Promise<readonly Line[]>,
): Promise<string> {
  const parts = await Promise.all(
    panels.map(async (panel) => {
      if (panel.type === 'row') return `<h2 style="${placeOf(panel)}">${escaped(panel.title)}</h2>`;
      const drawing = await drawingOf(panel, graph);
      const tag = panel.type === 'stat' ? 'output' : 'figure';
      return `<section style="${placeOf(panel)}"><h3>${escaped(panel.title)}</h3>
<${tag} data-drawing="${escaped(JSON.stringify(drawing))}"></${tag}></section>`;
    }),
  );
  return `<!doctype html><meta charset="utf-8"><style>${uplotStyle}${style}</style>
<header>${escaped(title)} <small>preview: drawn with uPlot from answers of a real Prometheus, not by Grafana</small></header>
<main>${parts.join('\n')}</main>
<script>${uplotScript}</script><script type="module">${drawScript}</script>`;
}

async function drawingOf(
  panel: PanelJson,
  graph: (expr: string) => Promise<readonly Line[]>,
): Promise<Drawing> {
  const answers = await Promise.all(
    panel.targets!.map(async ({ expr, legendFormat }) =>
      (await graph(expr)).map((line) => ({ label: labelOf(legendFormat, line), values: line.values })),
    ),
  );
  // Where there are many, those that say something.
  const all = answers.flat();
  const moving = all.filter(({ values }) => values.some(([, value]) => Number(value) !== 0));
  const lines = (all.length > linesMax && moving.length > 0 ? moving : all).slice(0, linesMax);
  const times = [...new Set(lines.flatMap(({ values }) => values.map(([seconds]) => seconds)))].sort(
    (a, b) => a - b,
  );
  const rows = lines.map(({ values }) => {
    const at = new Map(values.map(([seconds, value]) => [seconds, Number(value)]));
    return times.map((seconds) => {
      const value = at.get(seconds);
      return value === undefined || !Number.isFinite(value) ? null : value;
    });
  });
  return {
    labels: lines.map(({ label }) => label),
    data: [times, ...rows],
    unit: panel.fieldConfig?.defaults.unit ?? '',
    stacked: panel.fieldConfig?.defaults.custom?.stacking?.mode === 'normal',
  };
}

/** Names of a machine's ports say nothing in a picture. */
function labelOf(format: string, { metric }: Line): string {
  return format.replaceAll(/\{\{(\w+)\}\}/g, (_, label: string) =>
    label === 'instance' ? 'gateway' : (metric[label] ?? ''),
  );
}

const placeOf = ({ gridPos: { x, y, w, h } }: PanelJson): string =>
  `grid-area: ${String(y + 1)} / ${String(x + 1)} / span ${String(h)} / span ${String(w)}`;

const escaped = (text: string): string =>
  text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('"', '&quot;');

const style = `
body { margin: 0; background: #f4f5f5; font: 12px system-ui, sans-serif; color: #24292e }
header { padding: 10px 12px; font-size: 16px; font-weight: 600 }
small { font-weight: 400; color: #6e7276; padding-left: 8px }
main { display: grid; grid-template-columns: repeat(24, 1fr); grid-auto-rows: 22px; gap: 4px; padding: 0 8px 8px }
h2 { margin: 0; font-size: 13px; align-self: center }
h3 { margin: 0; padding: 4px 8px; font-size: 12px; font-weight: 600 }
section { background: #fff; border: 1px solid #e4e5e6; overflow: hidden; min-width: 0 }
figure { margin: 0 } output { display: block; padding: 8px; font-size: 20px; text-align: center; color: #1a7f37 }
.legend { padding: 0 8px; height: 30px; overflow: hidden; font-size: 10px }
.legend i { display: inline-block; width: 10px; height: 3px; margin: 0 3px 2px 8px }
.u-axis { font-size: 10px }`;

/** Runs in the page: no part of it may come from outside. */
const drawScript = `
const colours = ['#3274d9', '#56a64b', '#e0b400', '#e02f44', '#8f3bb8', '#ff780a', '#37872d', '#1f60c4', '#c4162a', '#5794f2', '#b877d9', '#fade2a'];
const round = (number) => String(Number(number.toPrecision(3)));
function formatted(value, unit) {
  if (value === null || value === undefined) return '';
  if (unit === 'percentunit') return round(value * 100) + ' %';
  if (unit === 's') {
    if (value !== 0 && value < 1e-3) return round(value * 1e6) + ' µs';
    return value !== 0 && value < 1 ? round(value * 1e3) + ' ms' : round(value) + ' s';
  }
  if (unit === 'bytes') return value < 1048576 ? round(value / 1024) + ' KiB' : round(value / 1048576) + ' MiB';
  return round(value) + (unit === 'reqps' || unit === 'ops' ? ' /s' : '');
}
for (const place of document.querySelectorAll('[data-drawing]')) {
  const { labels, data, unit, stacked } = JSON.parse(place.dataset.drawing);
  if (place.tagName === 'OUTPUT') {
    const last = data[1]?.findLast((value) => value !== null);
    // What says nothing as a number is told by its labels: versions.
    place.textContent = labels[0]?.includes(',') ? labels[0] : formatted(last, unit);
    continue;
  }
  const rows = data.slice(1).map((row) => [...row]);
  if (stacked) for (let i = rows.length - 2; i >= 0; i--) rows[i] = rows[i].map((value, at) => (value ?? 0) + (rows[i + 1][at] ?? 0));
  const series = labels.map((label, i) => ({ label, stroke: colours[i % 12], width: 1, points: { show: false }, ...(stacked ? { fill: colours[i % 12] + '55' } : {}) }));
  const { width, height } = place.parentElement.getBoundingClientRect();
  const axis = { stroke: '#6e7276', font: '10px system-ui', grid: { stroke: '#eee', width: 1 }, ticks: { show: false } };
  new uPlot({
    width: width - 4, height: height - 58, legend: { show: false }, cursor: { show: false },
    scales: { y: { range: (_, min, max) => [0, max > 0 ? max * 1.1 : 1] } },
    axes: [{ ...axis, size: 24, space: 70, values: (_, ticks) => ticks.map((tick) => new Date(tick * 1000).toISOString().slice(11, 19)) }, { ...axis, size: 58, space: 24, values: (_, ticks) => ticks.map((tick) => formatted(tick, unit)) }],
    series: [{}, ...series],
  }, [data[0], ...rows], place);
  const legend = place.appendChild(document.createElement('div'));
  legend.className = 'legend';
  labels.forEach((label, i) => {
    legend.appendChild(document.createElement('i')).style.background = colours[i % 12];
    legend.append(label);
  });
}`;
