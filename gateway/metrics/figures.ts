/**
 * Figures for people, read where the listeners write them: single cells, distributions, and the series of a route. Runs on
 * the main thread and costs the listeners nothing.
 */
import { type RefusalCode, refusalCodes } from '../core/errors.ts';
import { cellFamilies, type CellFamilyName, type Family } from './catalogue.ts';
import { sums, type CellStore } from './cells.ts';
import { decodeKey, type SeriesKey } from './series.ts';

/** Observations by bucket, that of +Inf last; bounds ascending, in the unit of the metric's name. */
export interface Distribution {
  readonly bounds: readonly number[];
  readonly counts: readonly number[];
}

export interface ThreadFigures {
  readonly thread: string;
  readonly utilization: number;
  readonly lagP99Seconds: number;
  readonly heapUsedBytes: number;
  readonly heapLimitBytes: number;
}

/** What became of the requests of one route since the start of the process. */
export interface RouteFigures {
  requests: number;
  /** Answered with 5xx. */
  errors: number;
  denied: number;
}

/** What every series with a route label has counted so far: packed keys, ascending, and counts in their order. */
export interface SeriesCounts {
  readonly keys: Int32Array;
  readonly counts: Float64Array;
}

export class Figures {
  readonly #store: CellStore;
  #keys: Int32Array = new Int32Array(0);
  #cells: Int32Array = new Int32Array(0);
  #seriesSize = 0;

  constructor(store: CellStore) {
    this.#store = store;
  }

  /** One block of a counter or gauge, summed over threads. `ordinals`: of its labels, in the order of the catalogue. */
  value(name: CellFamilyName, ...ordinals: readonly number[]): number {
    return this.#store.sum(this.#start(name, ordinals));
  }

  /** One block of a histogram; of request durations those of all routes. */
  distribution(name: CellFamilyName, ...ordinals: readonly number[]): Distribution {
    return this.#distributionAt(name, [this.#start(name, ordinals)]);
  }

  requestDurations(): Distribution {
    const { base, width } = this.#store.layout.families.sallyport_http_request_duration_seconds;
    const rows = Math.min(this.#store.routes.size, this.#store.layout.durationRows);
    const starts = Array.from({ length: rows }, (_, row) => base + row * width);
    return this.#distributionAt('sallyport_http_request_duration_seconds', starts);
  }

  threads(): readonly ThreadFigures[] {
    const { families } = this.#store.layout;
    return this.#store.regions.map(({ thread, cells }) => ({
      thread,
      utilization: cells[families.sallyport_event_loop_utilization_ratio.base]!,
      lagP99Seconds: cells[families.sallyport_event_loop_lag_p99_seconds.base]!,
      heapUsedBytes: cells[families.sallyport_heap_used_bytes.base]!,
      heapLimitBytes: cells[families.sallyport_heap_limit_bytes.base]!,
    }));
  }

  /** Cost: 8 bytes a series, sorted anew only when there are more than before. */
  series(): SeriesCounts {
    const { series, layout, regions } = this.#store;
    const { size } = series;
    if (this.#seriesSize !== size) {
      this.#seriesSize = size;
      this.#keys = series.keys();
      this.#cells = this.#keys.map((key) => layout.seriesBase + series.find(key));
    }
    return { keys: this.#keys, counts: sums(regions, this.#cells) };
  }

  routeName(ordinal: number): string {
    return this.#store.routes.at(ordinal);
  }

  /** By the name of the route, as metrics have it: what has no series of its own is in `other`. */
  routes(): ReadonlyMap<string, RouteFigures> {
    const figures = new Map<string, RouteFigures>();
    const { keys, counts } = this.series();
    for (const [index, packed] of keys.entries()) {
      const key = decodeKey(packed);
      const name = this.routeName(key.route);
      const route = figures.get(name) ?? { requests: 0, errors: 0, denied: 0 };
      figures.set(name, route);
      const count = counts[index]!;
      if (key.kind === 'decision') route.denied += refusalOf(key) === null ? 0 : count;
      else {
        route.requests += count;
        route.errors += key.status >= 500 ? count : 0;
      }
    }
    return figures;
  }

  #start(name: CellFamilyName, ordinals: readonly number[]): number {
    const { base, width } = this.#store.layout.families[name];
    const family: Family = cellFamilies[name];
    const sizes = Object.values(family.labels).map((values) =>
      typeof values === 'string' ? Number.POSITIVE_INFINITY : values.length,
    );
    // Only the first label of a family is a name of the configuration, so that its size is never asked for.
    const block = ordinals.reduce(
      (index, ordinal, at) => (at === 0 ? ordinal : index * sizes[at]! + ordinal),
      0,
    );
    return base + block * width;
  }

  #distributionAt(name: CellFamilyName, starts: readonly number[]): Distribution {
    const bounds: readonly number[] = cellFamilies[name].buckets;
    const sum = this.#store.summing();
    const counts = Array.from({ length: bounds.length + 1 }, (_, bucket) =>
      starts.reduce((total, start) => total + sum(start + bucket), 0),
    );
    return { bounds, counts };
  }
}

/** Why a decision was no; null for a yes. */
export function refusalOf(key: Extract<SeriesKey, { kind: 'decision' }>): RefusalCode | null {
  return refusalCodes[key.refusal] ?? null;
}

/** What `after` has more than `before`. */
export function since(before: Distribution, after: Distribution): Distribution {
  return { ...after, counts: after.counts.map((count, bucket) => count - before.counts[bucket]!) };
}

/**
 * The value below which a share of the observations lies, by linear interpolation within its bucket; null without any.
 * Source: Prometheus, `histogram_quantile`.
 */
export function quantileOf({ bounds, counts }: Distribution, share: number): number | null {
  const total = counts.reduce((sum, count) => sum + count, 0);
  if (total === 0) return null;
  const rank = share * total;
  let below = 0;
  for (const [bucket, count] of counts.entries()) {
    if (below + count < rank || count === 0) {
      below += count;
      continue;
    }
    const upper = bounds[bucket];
    if (upper === undefined) return bounds.at(-1)!;
    const lower = bounds[bucket - 1] ?? 0;
    return lower + (upper - lower) * ((rank - below) / count);
  }
  return bounds.at(-1)!;
}
