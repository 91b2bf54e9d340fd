/**
 * Figures for people, read where the listeners write them: single cells, distributions, and the series of a route. Runs on
 * the main thread and costs the listeners nothing.
 */
import { type RefusalCode, refusalCodes } from '../core/errors.ts';
import { cellFamilies, type CellFamilyName, type Family } from './catalogue.ts';
import type { CellStore } from './cells.ts';
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

/** A series with a route label and the cell it lies in. */
export interface SeriesCell {
  readonly cell: number;
  /** As it is packed. */
  readonly packed: number;
  readonly key: SeriesKey;
}

export class Figures {
  readonly #store: CellStore;
  #series: readonly SeriesCell[] = [];
  #seriesSize = -1;

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

  /** Every series with a route label. Cost: sorted anew only when there are more than before. */
  series(): readonly SeriesCell[] {
    const { series, layout } = this.#store;
    if (this.#seriesSize !== series.size) {
      this.#seriesSize = series.size;
      this.#series = Array.from(series.keys(), (packed) => ({
        cell: layout.seriesBase + series.find(packed),
        packed,
        key: decodeKey(packed),
      }));
    }
    return this.#series;
  }

  summing(): (cell: number) => number {
    return this.#store.summing();
  }

  routeName(ordinal: number): string {
    return this.#store.routes.at(ordinal);
  }

  /** By the name of the route, as metrics have it: what has no series of its own is in `other`. */
  routes(): ReadonlyMap<string, RouteFigures> {
    const sum = this.summing();
    const figures = new Map<string, RouteFigures>();
    for (const { cell, key } of this.series()) {
      const name = this.routeName(key.route);
      const route = figures.get(name) ?? { requests: 0, errors: 0, denied: 0 };
      figures.set(name, route);
      const count = sum(cell);
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
    const sum = this.summing();
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
