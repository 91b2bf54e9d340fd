/**
 * What is before the values of the exposition: comments of families, names and labels of lines.
 *
 * Source: https://prometheus.io/docs/instrumenting/exposition_formats/ (text format 0.0.4).
 */
import { isOurs, refusalCodes, refusals } from '../core/errors.ts';
import { methods } from '../core/methods.ts';
import type { Family } from './catalogue.ts';
import { decodeKey, otherStatus } from './series.ts';

export type Labels = readonly (readonly [name: string, value: string])[];

export function preludeOf(name: string, { help, type }: Family): string {
  return `# HELP ${name} ${help.replaceAll('\\', '\\\\').replaceAll('\n', '\\n')}\n# TYPE ${name} ${type}\n`;
}

/** Heads of the lines of one block: a histogram has its buckets, then sum and count. */
export function headsOfBlock(name: string, family: Family, labels: Labels): string[] {
  if (family.type !== 'histogram') return [headOf(name, labels)];
  const buckets = [...family.buckets.map(String), '+Inf'];
  return [
    ...buckets.map((bound) => headOf(`${name}_bucket`, [...labels, ['le', bound]])),
    headOf(`${name}_sum`, labels),
    headOf(`${name}_count`, labels),
  ];
}

/** Head of the line of a series of the table, by its packed key. */
export function headOfSeries(name: string, packed: number, route: string): string {
  const key = decodeKey(packed);
  if (key.kind === 'request') {
    const code = key.status === otherStatus ? 'other' : String(key.status);
    return headOf(name, [
      ['route', route],
      ['method', methods[key.method] ?? '_OTHER'],
      ['code', code],
    ]);
  }
  const reason = refusalCodes[key.refusal];
  const decision = reason === undefined ? 'allowed' : isOurs(refusals[reason]) ? 'failed' : 'denied';
  return headOf(name, [
    ['route', route],
    ['decision', decision],
    ['reason', reason ?? 'none'],
  ]);
}

function headOf(name: string, labels: Labels): string {
  if (labels.length === 0) return `${name} `;
  return `${name}{${labels.map(([label, value]) => `${label}="${escaped(value)}"`).join(',')}} `;
}

const escaped = (value: string): string =>
  value.replaceAll('\\', '\\\\').replaceAll('\n', '\\n').replaceAll('"', '\\"');
