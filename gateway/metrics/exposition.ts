/**
 * `/metrics`: the shared cells and the control plane's own metrics, rendered by prom-client on the main thread.
 *
 * Cells enter the registry as objects of the shape that a registry reads (`get`). Label sets are built once for each series
 * and kept, because rendering them is most of what a scrape costs.
 */
import { setImmediate } from 'node:timers/promises';
import { collectDefaultMetrics, Registry } from 'prom-client';
import { refusalCodes, refusals } from '../core/errors.ts';
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
import { registerLive } from './live-metric.ts';
import { decodeKey, otherStatus } from './series.ts';

type LabelSet = Readonly<Record<string, string>>;

/** One line. `sharedLabels` are rendered once for each object; prom-client remembers them by identity. */
interface Sample {
  readonly value: number;
  readonly labels: LabelSet;
  readonly sharedLabels: LabelSet;
  readonly metricName?: string;
}

const noLabels: LabelSet = Object.freeze({});

/** Gauges that prom-client names like counters, which `promtool check metrics` rejects; each has a labelled twin. */
const misnamed = [
  'nodejs_active_handles_total',
  'nodejs_active_requests_total',
  'nodejs_active_resources_total',
];

export class Exposition {
  readonly registry = new Registry();
  readonly contentType = Registry.PROMETHEUS_CONTENT_TYPE;
  readonly #store: CellStore;
  #scrape: Promise<string> | null = null;

  constructor(store: CellStore) {
    this.#store = store;
    for (const name of Object.keys(seriesFamilies) as SeriesFamilyName[]) {
      registerLive(this.registry, name, seriesFamilies[name], this.#seriesOf(name));
    }
    for (const name of Object.keys(cellFamilies) as CellFamilyName[]) {
      registerLive(this.registry, name, cellFamilies[name], this.#cellsOf(name));
    }
    collectDefaultMetrics({ register: this.registry });
    for (const name of misnamed) this.registry.removeSingleMetric(name);
  }

  /** The text of a scrape; scrapes at the same time share one. */
  text(): Promise<string> {
    this.#scrape ??= this.#render().finally(() => {
      this.#scrape = null;
    });
    return this.#scrape;
  }

  /** Family by family, with the event loop let through between them: a scrape never holds the control plane for long. */
  async #render(): Promise<string> {
    const parts: string[] = [];
    for (const { name } of this.registry.getMetricsAsArray()) {
      parts.push(await this.registry.getSingleMetricAsString(name));
      await setImmediate();
    }
    return `${parts.join('\n\n')}\n`;
  }

  #seriesOf(name: SeriesFamilyName): () => Sample[] {
    const store = this.#store;
    const kind = name === 'sallyport_http_requests_total' ? 'request' : 'decision';
    let known: { readonly cell: number; readonly labels: LabelSet }[] = [];
    let size = -1;
    return () => {
      if (size !== store.series.size) {
        size = store.series.size;
        known = store.series
          .entries()
          .filter(({ key }) => decodeKey(key).kind === kind)
          .map(({ slot, key }) => ({ cell: store.layout.seriesBase + slot, labels: labelsOf(store, key) }));
      }
      return known.map(({ cell, labels }) => ({
        value: store.sum(cell),
        labels: noLabels,
        sharedLabels: labels,
      }));
    };
  }

  #cellsOf(name: CellFamilyName): () => Sample[] {
    const store = this.#store;
    const family: Family = cellFamilies[name];
    const { base, width } = store.layout.families[name];
    const line = family.type === 'histogram' ? histogramLines(name, family) : plainLine;
    const dimensions = Object.entries(family.labels).filter(([, values]) => values !== 'thread');
    const labels = labelSets(dimensions, (values) => this.#namesOf(values));
    if ('thread' in family.labels) {
      return () =>
        store.regions.flatMap(({ thread, cells }) =>
          labels().flatMap((set, block) =>
            line((offset) => cells[base + block * width + offset]!, { thread, ...set }),
          ),
        );
    }
    return () =>
      labels().flatMap((set, block) => line((offset) => store.sum(base + block * width + offset), set));
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

/** The label sets of a family's blocks. Dictionaries grow at the end of the *first* label, so blocks keep their place. */
function labelSets(
  dimensions: readonly (readonly [string, LabelValues])[],
  namesOf: (values: LabelValues) => readonly string[],
): () => readonly LabelSet[] {
  const sets: LabelSet[] = [];
  return () => {
    const values = dimensions.map(([, values]) => namesOf(values));
    const size = values.reduce((product, list) => product * list.length, 1);
    while (sets.length < size) {
      let rest = sets.length;
      const entries: [string, string][] = [];
      for (let i = dimensions.length - 1; i >= 0; i--) {
        const list = values[i]!;
        entries.unshift([dimensions[i]![0], list[rest % list.length]!]);
        rest = Math.floor(rest / list.length);
      }
      sets.push(Object.fromEntries(entries));
    }
    return sets;
  };
}

type Lines = (cell: (offset: number) => number, labels: LabelSet) => Sample[];

const plainLine: Lines = (cell, sharedLabels) => [{ value: cell(0), labels: noLabels, sharedLabels }];

function histogramLines(name: string, family: Family): Lines {
  const bounds: LabelSet[] = [...family.buckets, '+Inf'].map((bound) => ({ le: String(bound) }));
  return (cell, sharedLabels) => {
    let count = 0;
    const samples = bounds.map((labels, bucket): Sample => {
      count += cell(bucket);
      return { value: count, labels, sharedLabels, metricName: `${name}_bucket` };
    });
    samples.push({ value: cell(bounds.length), labels: noLabels, sharedLabels, metricName: `${name}_sum` });
    samples.push({ value: count, labels: noLabels, sharedLabels, metricName: `${name}_count` });
    return samples;
  };
}

function labelsOf(store: CellStore, packed: number): LabelSet {
  const key = decodeKey(packed);
  const route = store.routes.at(key.route);
  if (key.kind === 'request') {
    const code = key.status === otherStatus ? 'other' : String(key.status);
    return { route, method: methods[key.method] ?? '_OTHER', code };
  }
  const code = refusalCodes[key.refusal];
  if (code === undefined) return { route, decision: 'allowed', reason: 'none' };
  const { source } = refusals[code];
  return {
    route,
    decision: source === 'gateway' || source === 'upstream' ? 'failed' : 'denied',
    reason: code,
  };
}
