/**
 * How each URL of each upstream does, in the region of a thread: for the console, and on no scrape, where every URL would be
 * a further series. Written by the listener every few seconds, read by main.
 */
import type { UrlStats } from '../upstream/observer.ts';
import type { CellStore, RegionHandle } from './cells.ts';
import { layoutFor, type Layout, upstreamNamesMax, urlCellsOf, urlsToldMax } from './layout.ts';

/** Summed over the threads. */
export interface UrlFigures {
  readonly busy: number;
  readonly idle: number;
  /** Threads that do not use it for now. */
  readonly threadsOut: number;
}

export class UrlCells {
  readonly #cells: Float64Array;
  readonly #layout: Layout;
  /** Upstreams that were told last. */
  #held: readonly number[] = [];

  constructor(handle: RegionHandle) {
    this.#layout = layoutFor(handle.seriesMax);
    this.#cells = new Float64Array(handle.region);
    // What the thread's predecessor held died with it.
    this.#clear(0, upstreamNamesMax);
  }

  /** The URLs of the configuration in force, by the ordinal of their upstream; what was there before is gone. */
  hold(upstreams: readonly (readonly [upstream: number, urls: readonly UrlStats[]])[]): void {
    for (const upstream of this.#held) this.#clear(upstream, upstream + 1);
    this.#held = upstreams.map(([upstream]) => upstream);
    for (const [upstream, urls] of upstreams) {
      for (const [index, { busy, idle, isOut }] of urls.slice(0, urlsToldMax).entries()) {
        const start = startOf(this.#layout, upstream, index);
        this.#cells[start]! += busy;
        this.#cells[start + 1]! += idle;
        this.#cells[start + 2]! += isOut ? 1 : 0;
      }
    }
  }

  #clear(from: number, to: number): void {
    this.#cells.fill(0, startOf(this.#layout, from, 0), startOf(this.#layout, to, 0));
  }
}

/** Of the first `count` URLs of an upstream, as far as they are told. */
export function urlFigures(store: CellStore, upstream: number, count: number): readonly UrlFigures[] {
  const sum = store.summing();
  return Array.from({ length: Math.min(count, urlsToldMax) }, (_, url) => {
    const start = startOf(store.layout, upstream, url);
    return { busy: sum(start), idle: sum(start + 1), threadsOut: sum(start + 2) };
  });
}

const startOf = ({ urlBase }: Layout, upstream: number, url: number): number =>
  urlBase + (upstream * urlsToldMax + url) * urlCellsOf;
