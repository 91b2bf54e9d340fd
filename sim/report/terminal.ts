// An execution as a table: a column for each thread, a row for each step, a line where a thread was preempted.

import type { Violation } from '../invariants/invariant.ts';
import type { Trace, TraceStep } from './trace.ts';

export interface Headline {
  readonly scenario: string;
  readonly variant: string;
  readonly scheduler: string;
  readonly execution: number;
  readonly replay: string;
}

const COLUMN_MAX = 46;

export function renderFailure(trace: Trace, violation: Violation, headline: Headline): string {
  const preemptions = `${trace.preemptions} ${trace.preemptions === 1 ? 'preemption' : 'preemptions'}`;
  return [
    `${headline.scenario}  variant ${headline.variant}  VIOLATION ${violation.invariant}`,
    `found by ${headline.scheduler}, execution ${headline.execution} · ${preemptions}, ${trace.steps.length} steps`,
    '',
    renderTrace(trace, violation.step),
    '',
    `why: ${violation.why}.`,
    `replay: ${headline.replay}`,
  ].join('\n');
}

export function renderTrace(trace: Trace, marked = -1): string {
  const used = trace.threads.map((_, t) => t).filter((t) => trace.steps.some((step) => step.thread === t));
  const cells = trace.steps.map((step) => [
    ...used.map((t) => (step.thread === t ? cellOf(step) : '·')),
    slotsOf(step),
  ]);
  const headers = [...used.map((t) => trace.threads[t] ?? ''), trace.slots.join(' | ')];
  const widths = headers.map((header, column) =>
    Math.min(COLUMN_MAX, Math.max(header.length, ...cells.map((row) => row[column]?.length ?? 0))),
  );
  const numberWidth = String(trace.steps.length).length;
  const lines = [line(''.padStart(numberWidth), headers, widths)];
  trace.steps.forEach((step, at) => {
    if (step.preempts !== undefined) {
      lines.push(`${''.padStart(numberWidth)}  ── ${trace.threads[step.preempts]} is preempted ──`);
    }
    if (step.thread < 0) lines.push(`${String(step.number).padStart(numberWidth)}  ── ${step.text} ──`);
    else
      lines.push(
        line(String(step.number).padStart(numberWidth), cells[at] ?? [], widths) +
          (at === marked ? '  ✗' : ''),
      );
  });
  return lines.join('\n');
}

function cellOf(step: TraceStep): string {
  return [step.text, ...step.notes.map((note) => `« ${note} »`)].join(' ');
}

function slotsOf(step: TraceStep): string {
  return step.changed ? step.slots.join(' | ') : '';
}

function line(number: string, cells: readonly string[], widths: readonly number[]): string {
  const padded = cells.map((cell, column) => fit(cell, widths[column] ?? 0));
  return `${number}  ${padded.join('  ')}`.trimEnd();
}

function fit(text: string, width: number): string {
  return text.length > width ? `${text.slice(0, width - 1)}…` : text.padEnd(width);
}
