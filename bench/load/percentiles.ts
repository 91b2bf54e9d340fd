/** Latencies in an HDR histogram with microsecond resolution, and the percentiles that are kept of it. */
import { createHistogram, type RecordableHistogram } from 'node:perf_hooks';

const kept = [1, 10, 25, 50, 75, 90, 95, 99, 99.5, 99.9, 99.95, 99.99, 100] as const;

export class Latencies {
  readonly #histogram: RecordableHistogram = createHistogram({ figures: 3 });

  add(ms: number): void {
    this.#histogram.record(Math.max(1, Math.round(ms * 1000)));
  }

  /** Microseconds. */
  at(percent: number): number {
    return percent === 100 ? this.#histogram.max : this.#histogram.percentile(percent);
  }

  /** Pairs of percentile and microseconds. */
  curve(): [number, number][] {
    return kept.map((percent) => [percent, this.at(percent)]);
  }
}
