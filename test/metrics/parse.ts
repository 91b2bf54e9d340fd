/** A small parser of the text exposition format 0.0.4, independent of prom-client: it throws where a line is not in the format. */

import type { Format } from '../../gateway/metrics/negotiation.ts';

export interface ParsedSample {
  readonly name: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly value: number;
}

export interface ParsedFamily {
  readonly type: string;
  readonly help: string;
  readonly samples: ParsedSample[];
}

/** All of a scrape as one text. */
export async function textOf(
  exposition: { scrape(format: Format): Promise<readonly Buffer[]> },
  format: Format,
): Promise<string> {
  return Buffer.concat(await exposition.scrape(format)).toString();
}

const namePattern = /^[a-zA-Z_:][a-zA-Z0-9_:]*$/;

export function parseExposition(text: string): Map<string, ParsedFamily> {
  const families = new Map<string, ParsedFamily>();
  const helps = new Map<string, string>();
  const seen = new Set<string>();
  for (const line of text.split('\n')) {
    if (line === '') continue;
    const comment = /^# (HELP|TYPE) (\S+) (.*)$/.exec(line);
    if (comment !== null) {
      const [, kind, name, rest] = comment as unknown as [string, string, string, string];
      if (kind === 'HELP') helps.set(name, rest);
      else if (families.has(name)) throw new Error(`a second TYPE for ${name}`);
      else families.set(name, { type: rest, help: helps.get(name) ?? '', samples: [] });
      continue;
    }
    const sample = parseSample(line);
    const key = `${sample.name} ${Object.entries(sample.labels)
      .map(([label, value]) => JSON.stringify([label, value]))
      .toSorted()
      .join()}`;
    if (seen.has(key)) throw new Error(`a second sample of ${key}`);
    seen.add(key);
    const family =
      families.get(sample.name) ?? families.get(sample.name.replace(/_(?:bucket|sum|count)$/, ''));
    if (family === undefined) throw new Error(`a sample without TYPE: ${line}`);
    family.samples.push(sample);
  }
  return families;
}

function parseSample(line: string): ParsedSample {
  const match = /^([^{\s]+)(?:\{(.*)\})? (\S+)$/.exec(line);
  if (match === null) throw new Error(`not a sample: ${line}`);
  const [, name = '', labelText = '', valueText = ''] = match;
  if (!namePattern.test(name)) throw new Error(`not a metric name: ${name}`);
  const value = valueText === '+Inf' ? Infinity : valueText === 'Nan' ? Number.NaN : Number(valueText);
  if (Number.isNaN(value) && !/^nan$/i.test(valueText)) throw new Error(`not a value: ${line}`);
  return { name, labels: parseLabels(labelText), value };
}

function parseLabels(text: string): Record<string, string> {
  const labels: Record<string, string> = {};
  let rest = text;
  while (rest !== '') {
    const match = /^([a-zA-Z_][a-zA-Z0-9_]*)="((?:[^"\\]|\\[\\n"])*)"(?:,|$)/.exec(rest);
    if (match === null) throw new Error(`not labels: ${rest}`);
    labels[match[1]!] = match[2]!.replaceAll(/\\(.)/g, (_, char: string) => (char === 'n' ? '\n' : char));
    rest = rest.slice(match[0].length);
  }
  return labels;
}
