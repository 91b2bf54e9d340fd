// An execution as one HTML file that needs nothing else: a lane for each thread, a lane for each slot below, time from
// left to right. Dashed lines are waits, arrows are wakes, red lines are preemptions. The slider picks a step.

import type { Violation } from '../invariants/invariant.ts';
import { renderTrace, type Headline } from './terminal.ts';
import type { Trace, TraceStep } from './trace.ts';
import { pageScript, pageStyle } from './html-page.ts';

const GUTTER = 150;
const COLUMN_MIN = 36;
const COLUMN_MAX = 64;
const PAGE = 1_320;
const MARGIN = 110;
const LANE = 44;
const TOP = 34;

export function renderHtml(trace: Trace, violation: Violation | undefined, headline: Headline): string {
  const verdict = violation === undefined ? 'no violation' : `${violation.invariant} is broken`;
  const preemptions = `${trace.preemptions} ${trace.preemptions === 1 ? 'preemption' : 'preemptions'}`;
  const details = trace.steps.map((step) => ({
    who: step.thread < 0 ? 'clock' : (trace.threads[step.thread] ?? ''),
    text: [step.text, ...step.notes].join(' · '),
    slots: step.slots,
    waiting: step.waiting.map(([thread, word]) => `${trace.threads[thread] ?? ''} waits for ${word}`),
  }));
  // "<" is escaped so that no text of a step can end the script element.
  const data = JSON.stringify({ details, slots: trace.slots }).replaceAll('<', String.raw`\u003c`);
  return `<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>${escape(headline.scenario)}: ${escape(verdict)}</title>
<style>${pageStyle}</style>
<header>
  <h1>${escape(headline.scenario)} <span class="${violation === undefined ? 'good' : 'bad'}">${escape(verdict)}</span></h1>
  <p>${violation === undefined ? 'Every invariant held.' : `${escape(capital(violation.why))}.`}</p>
  <p class="facts">variant <b>${escape(headline.variant)}</b> · found by ${escape(headline.scheduler)}, execution ${headline.execution} · ${preemptions} · ${trace.steps.length} steps</p>
  <p><code>${escape(headline.replay)}</code></p>
</header>
<main>
  <div class="chart">${chart(trace, violation)}</div>
  <label class="slider">step <input id="step" type="range" min="1" max="${trace.steps.length}" value="${(violation?.step ?? trace.steps.length - 1) + 1}"> <output id="at"></output></label>
  <section id="detail" aria-live="polite"></section>
  <p class="legend"><i class="read"></i> reads <i class="write"></i> writes <i class="wait"></i> waits <i class="wake"></i> wakes <i class="preempt"></i> preemption <i class="broken"></i> the invariant breaks here</p>
  <details><summary>all steps as text</summary><pre>${escape(renderTrace(trace, violation?.step))}</pre></details>
</main>
<script type="application/json" id="data">${data}</script>
<script>${pageScript}</script>
</html>
`;
}

function chart(trace: Trace, violation: Violation | undefined): string {
  const lanes = trace.threads.map((_, t) => t).filter((t) => trace.steps.some((step) => step.thread === t));
  const laneY = new Map(lanes.map((thread, at) => [thread, TOP + at * LANE + LANE / 2]));
  const slotsTop = TOP + lanes.length * LANE + 18;
  const room = (PAGE - GUTTER - MARGIN) / Math.max(1, trace.steps.length);
  const column = Math.floor(Math.min(COLUMN_MAX, Math.max(COLUMN_MIN, room)));
  const width = GUTTER + trace.steps.length * column + MARGIN;
  const height = slotsTop + trace.slots.length * LANE + 10;
  const x = (at: number): number => GUTTER + at * column + column / 2;
  const parts: string[] = [];
  lanes.forEach((thread) => {
    const y = laneY.get(thread) ?? 0;
    parts.push(`<line class="lane" x1="${GUTTER}" x2="${width - MARGIN}" y1="${y}" y2="${y}"/>`);
    parts.push(`<text class="name" x="10" y="${y + 4}">${escape(trace.threads[thread] ?? '')}</text>`);
  });
  const broken = violation?.step ?? -1;
  trace.steps.forEach((step, at) => {
    parts.push(`<text class="number" x="${x(at)}" y="16">${step.number}</text>`);
    if (at === broken) {
      parts.push(
        `<rect class="broken" x="${x(at) - column / 2}" y="22" width="${column}" height="${height - 28}"/>`,
      );
    }
    if (step.preempts !== undefined) {
      const edge = x(at) - column / 2;
      parts.push(`<line class="preempt" x1="${edge}" x2="${edge}" y1="22" y2="${slotsTop - 12}"/>`);
    }
    if (step.thread < 0) {
      parts.push(
        `<line class="jump" x1="${x(at)}" x2="${x(at)}" y1="22" y2="${slotsTop - 12}"><title>${escape(step.text)}</title></line>`,
      );
    }
  });
  parts.push(...waits(trace, laneY, x), ...wakes(trace, laneY, x));
  trace.steps.forEach((step, at) => {
    const y = laneY.get(step.thread);
    if (y !== undefined) parts.push(mark(step, at, x(at), y));
  });
  trace.slots.forEach((_, slot) => parts.push(...slotLane(trace, slot, slotsTop + slot * LANE, column, x)));
  parts.push(`<line id="cursor" class="cursor" x1="0" x2="0" y1="20" y2="${height - 6}"/>`);
  return `<svg role="img" aria-label="timeline of ${trace.steps.length} steps" width="${width}" height="${height}" viewBox="0 0 ${width} ${height}" data-gutter="${GUTTER}" data-column="${column}">
<defs><marker id="arrow" viewBox="0 0 8 8" refX="7" refY="4" markerWidth="7" markerHeight="7" orient="auto"><path d="M0 0 8 4 0 8z" class="head"/></marker></defs>
${parts.join('\n')}
</svg>`;
}

function mark(step: TraceStep, at: number, x: number, y: number): string {
  const kind = step.changed
    ? 'write'
    : step.text.includes('sleeps')
      ? 'sleep'
      : step.text === 'dies'
        ? 'death'
        : 'read';
  const title = `<title>${escape([`${step.number}. ${step.text}`, ...step.notes].join('\n'))}</title>`;
  const note =
    step.notes.length === 0
      ? ''
      : `<text class="note" x="${x}" y="${y - 15}">${escape(short(step.notes[0] ?? ''))}</text>`;
  const shape =
    kind === 'write'
      ? `<rect x="${x - 8}" y="${y - 8}" width="16" height="16" rx="3"/>`
      : kind === 'death'
        ? `<path d="M${x - 7} ${y - 7}l14 14m0-14l-14 14"/>`
        : `<circle cx="${x}" cy="${y}" r="7"/>`;
  return `<g class="mark ${kind}" data-step="${at + 1}">${title}${shape}${note}</g>`;
}

const short = (note: string): string => (note.length > 12 ? `${note.slice(0, 11)}…` : note);

function waits(trace: Trace, laneY: ReadonlyMap<number, number>, x: (at: number) => number): string[] {
  const lines: string[] = [];
  for (const [thread, y] of laneY) {
    let from = -1;
    trace.steps.forEach((step, at) => {
      const waiting = step.waiting.find(([one]) => one === thread);
      if (waiting !== undefined && from < 0) from = at;
      const over = from >= 0 && (waiting === undefined || at === trace.steps.length - 1);
      if (!over) return;
      const word = trace.steps[from]?.waiting.find(([one]) => one === thread)?.[1] ?? '';
      lines.push(
        `<line class="wait" x1="${x(from)}" x2="${x(at)}" y1="${y}" y2="${y}"><title>waits for ${escape(word)}</title></line>`,
      );
      lines.push(`<text class="waits" x="${x(from) + 12}" y="${y + 18}">waits for ${escape(word)}</text>`);
      from = -1;
    });
  }
  return lines;
}

function wakes(trace: Trace, laneY: ReadonlyMap<number, number>, x: (at: number) => number): string[] {
  return trace.steps.flatMap((step, at) => {
    const from = laneY.get(step.thread);
    return step.wakes.flatMap((woken) => {
      const to = laneY.get(woken);
      if (from === undefined || to === undefined) return [];
      const end = to + (from < to ? -10 : 10);
      return [
        `<path class="wake" d="M${x(at)} ${from} C${x(at) + 22} ${from} ${x(at) + 14} ${to} ${x(at) + 14} ${end}" marker-end="url(#arrow)"/>`,
      ];
    });
  });
}

function slotLane(
  trace: Trace,
  slot: number,
  top: number,
  column: number,
  x: (at: number) => number,
): string[] {
  const parts = [`<text class="name" x="10" y="${top + 19}">${escape(trace.slots[slot] ?? '')}</text>`];
  let from = 0;
  const { steps } = trace;
  steps.forEach((step, at) => {
    const word = step.slots[slot] ?? '';
    if (at + 1 < steps.length && steps[at + 1]?.slots[slot] === word) return;
    const left = x(from) - column / 2 + 1;
    const width = x(at) + column / 2 - left - 1;
    const state = word.split(' ')[0]?.toLowerCase() ?? 'idle';
    parts.push(
      `<g class="word ${state}"><rect x="${left}" y="${top}" width="${width}" height="28" rx="4"/><title>${escape(word)}</title>`,
    );
    parts.push(`<text x="${left + 6}" y="${top + 18}">${escape(clip(word, width))}</text></g>`);
    from = at + 1;
  });
  return parts;
}

function clip(text: string, width: number): string {
  const room = Math.floor((width - 8) / 6.6);
  return text.length <= room ? text : room < 2 ? '' : `${text.slice(0, room - 1)}…`;
}

const capital = (text: string): string => text.charAt(0).toUpperCase() + text.slice(1);

function escape(text: string): string {
  return text
    .replaceAll('&', '&amp;')
    .replaceAll('<', '&lt;')
    .replaceAll('>', '&gt;')
    .replaceAll('"', '&quot;');
}
