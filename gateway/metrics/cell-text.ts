/**
 * The shared cells as text: one line for each series, in the order of the catalogue.
 *
 * The names and labels of a series never change, so each is written once and kept; what a scrape pays for is a sum over
 * threads and one concatenation a line. prom-client builds and escapes the labels of every line at every scrape.
 *
 * Source: https://prometheus.io/docs/instrumenting/exposition_formats/ (text format 0.0.4), OpenMetrics 1.0 (exemplars).
 */
import { isOurs, refusalCodes, refusals } from '../core/errors.ts';
import { methods } from '../core/methods.ts';
import {
  cellFamilies,
  seriesFamilies,
  type CellFamilyName,
  type Family,
  type LabelValues,
  type SeriesFamilyName,
} from './catalogue.ts';
import type { CellStore } from './cells.ts';
import type { AfterBucket } from './exemplars.ts';
import { decodeKey, otherStatus } from './series.ts';

/** Lines that are written in one go: about a millisecond. */
const linesOfChunk = 2048;

type Labels = readonly (readonly [name: string, value: string])[];

const nothing: AfterBucket = () => '';

interface Series {
  readonly cell: number;
  /** Name and labels, and the space before the value. */
  readonly head: string;
}

export class CellText {
  readonly #store: CellStore;
  readonly #families: readonly ((afterBucket: AfterBucket) => Generator<string>)[];

  constructor(store: CellStore) {
    this.#store = store;
    this.#families = [
      ...(Object.keys(seriesFamilies) as SeriesFamilyName[]).map((name) => this.#seriesOf(name)),
      ...(Object.keys(cellFamilies) as CellFamilyName[]).map((name) => this.#cellsOf(name)),
    ];
  }

  /** Chunks of lines; whoever concatenates them may let others through in between. `exemplarOf` serves request durations. */
  *chunks(exemplarOf: AfterBucket = nothing): Generator<string> {
    for (const family of this.#families) yield* family(exemplarOf);
  }

  #seriesOf(name: SeriesFamilyName): () => Generator<string> {
    const store = this.#store;
    const kind = name === 'sallyport_http_requests_total' ? 'request' : 'decision';
    const heads = new Map<number, string>();
    let known: readonly Series[] = [];
    let size = -1;
    const renew = (): void => {
      size = store.series.size;
      known = store.series
        .entries()
        .filter(({ key }) => decodeKey(key).kind === kind)
        .map(({ slot, key }) => {
          const head = heads.get(key) ?? headOf(name, labelsOf(store, key));
          heads.set(key, head);
          return { cell: store.layout.seriesBase + slot, head };
        });
    };
    return function* text() {
      if (size !== store.series.size) renew();
      const sum = store.summing();
      yield preludeOf(name, seriesFamilies[name]);
      for (let from = 0; from < known.length; from += linesOfChunk) {
        let lines = '';
        for (const { cell, head } of known.slice(from, from + linesOfChunk))
          lines += `${head}${String(sum(cell))}\n`;
        yield lines;
      }
    };
  }

  #cellsOf(name: CellFamilyName): (exemplarOf: AfterBucket) => Generator<string> {
    const store = this.#store;
    const family: Family = cellFamilies[name];
    const { base, width } = store.layout.families[name];
    const perThread = 'thread' in family.labels;
    const blocks = this.#blocksOf(family);
    const kept = new Map<string, string[][]>();
    const headsOf = (thread: string): string[][] => {
      const heads = kept.get(thread) ?? [];
      kept.set(thread, heads);
      const all = blocks();
      const own: Labels = perThread ? [['thread', thread]] : [];
      for (let block = heads.length; block < all.length; block++)
        heads.push(linesOf(name, family, [...own, ...all[block]!]));
      return heads;
    };
    const write = family.type === 'histogram' ? writeHistogram : writePlain;
    const perChunk = Math.max(1, Math.floor(linesOfChunk / (width + 1)));
    const hasExemplars = name === 'sallyport_http_request_duration_seconds';
    return function* text(exemplarOf) {
      yield preludeOf(name, family);
      const after = hasExemplars ? exemplarOf : nothing;
      const sources = perThread
        ? store.regions.map(({ thread, cells }) => ({
            heads: headsOf(thread),
            sum: (cell: number) => cells[cell]!,
          }))
        : [{ heads: headsOf(''), sum: store.summing() }];
      for (const { heads, sum } of sources) {
        for (let from = 0; from < heads.length; from += perChunk) {
          let lines = '';
          for (let block = from; block < Math.min(heads.length, from + perChunk); block++)
            lines += write(heads[block]!, base + block * width, sum, (bucket) => after(block, bucket));
          yield lines;
        }
      }
    };
  }

  /** The label sets of a family's blocks. Dictionaries grow at the end of the *first* label, so blocks keep their place. */
  #blocksOf(family: Family): () => readonly Labels[] {
    const dimensions = Object.entries(family.labels).filter(([, values]) => values !== 'thread');
    const sets: Labels[] = [];
    return () => {
      const values = dimensions.map(([, values]) => this.#namesOf(values));
      const size = values.reduce((product, list) => product * list.length, 1);
      while (sets.length < size) {
        let rest = sets.length;
        const labels: [string, string][] = [];
        for (let i = dimensions.length - 1; i >= 0; i--) {
          const list = values[i]!;
          labels.unshift([dimensions[i]![0], list[rest % list.length]!]);
          rest = Math.floor(rest / list.length);
        }
        sets.push(labels);
      }
      return sets;
    };
  }

  /** Values of one label in the order of its ordinals, as far as they are in use. */
  #namesOf(values: LabelValues): readonly string[] {
    const { routes, upstreams, providers, layout } = this.#store;
    if (values === 'route') return names(routes, Math.min(routes.size, layout.durationRows));
    if (values === 'upstream') return names(upstreams, upstreams.size);
    if (values === 'provider') return names(providers, providers.size);
    return values as readonly string[];
  }
}

function names(dictionary: { at(ordinal: number): string }, size: number): string[] {
  return Array.from({ length: size }, (_, ordinal) => dictionary.at(ordinal));
}

function preludeOf(name: string, { help, type }: Family): string {
  return `# HELP ${name} ${help.replaceAll('\\', '\\\\').replaceAll('\n', '\\n')}\n# TYPE ${name} ${type}\n`;
}

function headOf(name: string, labels: Labels): string {
  if (labels.length === 0) return `${name} `;
  return `${name}{${labels.map(([label, value]) => `${label}="${escaped(value)}"`).join(',')}} `;
}

const escaped = (value: string): string =>
  value.replaceAll('\\', '\\\\').replaceAll('\n', '\\n').replaceAll('"', '\\"');

/** Heads of the lines of one block: a histogram has its buckets, then sum and count. */
function linesOf(name: string, family: Family, labels: Labels): string[] {
  if (family.type !== 'histogram') return [headOf(name, labels)];
  const buckets = [...family.buckets.map(String), '+Inf'];
  return [
    ...buckets.map((bound) => headOf(`${name}_bucket`, [...labels, ['le', bound]])),
    headOf(`${name}_sum`, labels),
    headOf(`${name}_count`, labels),
  ];
}

type Write = (
  heads: readonly string[],
  start: number,
  sum: (cell: number) => number,
  after: (bucket: number) => string,
) => string;

const writePlain: Write = (heads, start, sum) => `${heads[0]!}${String(sum(start))}\n`;

const writeHistogram: Write = (heads, start, sum, after) => {
  const buckets = heads.length - 2;
  let text = '';
  let count = 0;
  for (let bucket = 0; bucket < buckets; bucket++) {
    count += sum(start + bucket);
    text += `${heads[bucket]!}${String(count)}${after(bucket)}\n`;
  }
  return `${text}${heads[buckets]!}${String(sum(start + buckets))}\n${heads[buckets + 1]!}${String(count)}\n`;
};

function labelsOf(store: CellStore, packed: number): Labels {
  const key = decodeKey(packed);
  const route = store.routes.at(key.route);
  if (key.kind === 'request') {
    const code = key.status === otherStatus ? 'other' : String(key.status);
    return [
      ['route', route],
      ['method', methods[key.method] ?? '_OTHER'],
      ['code', code],
    ];
  }
  const reason = refusalCodes[key.refusal];
  const decision = reason === undefined ? 'allowed' : isOurs(refusals[reason]) ? 'failed' : 'denied';
  return [
    ['route', route],
    ['decision', decision],
    ['reason', reason ?? 'none'],
  ];
}
