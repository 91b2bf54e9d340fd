/**
 * The shared memory of metrics. Main makes it, hands each thread a region, and sums the regions at the scrape.
 *
 * Only the thread that owns a region writes to it, with plain adds on a Float64Array; main only reads. An aligned 64-bit
 * store does not tear on the machines Node runs on, and a scrape may be one event behind. A region belongs to a *name*
 * (`listener-0`): the successor of a dead thread goes on where it ended, so no counter ever falls.
 */
import type { Policy } from '../route/policy.ts';
import { cellFamilies } from './catalogue.ts';
import { exemplarBytes, Exemplars } from './exemplars.ts';
import { layoutFor, providerNamesMax, upstreamNamesMax, type Layout } from './layout.ts';
import { Names } from './names.ts';
import { otherRoute, reservedRouteNames } from './ordinals.ts';
import { directoryBytes, routeOrdinalMax, SeriesTable } from './series.ts';
import { claimZeros } from './zeros.ts';

/** Raise with every change of layout or keys. */
export const cellsVersion = 6;

/** What a thread needs to write metrics; sent once, when it starts. */
export interface RegionHandle {
  readonly version: number;
  readonly seriesMax: number;
  readonly directory: SharedArrayBuffer;
  readonly region: SharedArrayBuffer;
  /** Null where exemplars are off. */
  readonly exemplars: SharedArrayBuffer | null;
}

/** What a thread needs to label metrics; sent with every configuration, and used for its requests to their end. */
export interface LabelIndex {
  /** By `Route.index`: the ordinal that the recorder wants. */
  readonly routes: readonly number[];
  readonly upstreams: ReadonlyMap<string, number>;
  readonly providers: ReadonlyMap<string, number>;
}

export interface Region {
  readonly thread: string;
  readonly cells: Float64Array;
  readonly exemplars: Exemplars | null;
}

/** Buckets of the request durations, that of +Inf among them: each can have an exemplar. */
export const durationBuckets = cellFamilies.sallyport_http_request_duration_seconds.buckets.length + 1;

export class CellStore {
  readonly layout: Layout;
  readonly series: SeriesTable;
  readonly routes = new Names(reservedRouteNames, otherRoute, routeOrdinalMax);
  readonly upstreams = new Names(['other'], 0, upstreamNamesMax);
  readonly providers = new Names(['other'], 0, providerNamesMax);
  readonly #seriesMax: number;
  readonly #withExemplars: boolean;
  readonly #directory: SharedArrayBuffer;
  readonly #regions = new Map<string, Region & { readonly handle: RegionHandle }>();

  /** Both hold for the life of the process: a reload cannot change them. */
  constructor(seriesMax: number, withExemplars = false) {
    this.layout = layoutFor(seriesMax);
    this.#seriesMax = seriesMax;
    this.#withExemplars = withExemplars;
    this.#directory = new SharedArrayBuffer(directoryBytes(this.layout.slots));
    this.series = new SeriesTable(this.#directory, this.layout.slots, this.layout.seriesBudget);
  }

  /** The region of a thread name; the same one when a successor asks again. */
  region(thread: string): RegionHandle {
    const known = this.#regions.get(thread);
    if (known !== undefined) return known.handle;
    const region = new SharedArrayBuffer(this.layout.cells * Float64Array.BYTES_PER_ELEMENT);
    const exemplars = this.#withExemplars
      ? new SharedArrayBuffer(exemplarBytes(this.layout.durationRows, durationBuckets))
      : null;
    const handle = {
      version: cellsVersion,
      seriesMax: this.#seriesMax,
      directory: this.#directory,
      region,
      exemplars,
    };
    this.#regions.set(thread, {
      thread,
      cells: new Float64Array(region),
      exemplars: exemplars === null ? null : new Exemplars(exemplars, durationBuckets),
      handle,
    });
    return handle;
  }

  get regions(): readonly Region[] {
    return [...this.#regions.values()];
  }

  /** Names what a configuration has and writes its known series at 0, as far as the budget goes. */
  label(
    policy: Pick<Policy, 'routes'>,
    upstreams: Iterable<string>,
    providers: Iterable<string> = [],
  ): LabelIndex {
    const routes = policy.routes.map((route) => this.routes.ordinal(route.id));
    claimZeros(this.series, policy.routes, routes);
    return {
      routes,
      upstreams: new Map(Array.from(upstreams, (name) => [name, this.upstreams.ordinal(name)])),
      providers: new Map(Array.from(providers, (name) => [name, this.providers.ordinal(name)])),
    };
  }

  /** Sum of one cell over all threads. */
  sum(index: number): number {
    return this.summing()(index);
  }

  /** The same for many cells: the threads are looked up once. */
  summing(): (index: number) => number {
    const regions = this.regions.map(({ cells }) => cells);
    return (index) => {
      let sum = 0;
      for (const cells of regions) sum += cells[index]!;
      return sum;
    };
  }
}

/** Sums of many cells over these threads, in the order of the cells. Thread by thread, for the sake of the processor's caches. */
export function sums(regions: readonly Region[], cells: Int32Array): Float64Array {
  const values = new Float64Array(cells.length);
  for (const { cells: own } of regions)
    for (let at = 0; at < cells.length; at++) values[at]! += own[cells[at]!]!;
  return values;
}
