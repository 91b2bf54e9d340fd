/**
 * The last quarter of an hour of the whole gateway, kept on the main thread: a ring of samples of the shared cells. The
 * listeners know nothing of it. A look at it takes one sample more, so that what has just happened is there.
 */
import type { Clock } from '../core/clock.ts';
import { type RefusalCode, refusals } from '../core/errors.ts';
import {
  type Distribution,
  type Figures,
  quantileOf,
  refusalOf,
  type SeriesCounts,
  since,
} from './figures.ts';
import { decodeKey, isDecision } from './series.ts';

const everyMs = 10_000;
/** A quarter of an hour, and the sample it begins with. */
const samplesMax = 91;
/** Refusals by route and code that one sample keeps apart; what is beyond is counted together. */
const refusalsOfSampleMax = 256;

/** How requests ended, as the overview counts them. */
export const endings = ['2xx', '3xx', '4xx', '5xx', 'left'] as const;
export type Ending = (typeof endings)[number];

export type EndingCounts = Readonly<Record<Ending, number>>;

/** Requests of a span of time. */
export interface Span {
  readonly seconds: number;
  readonly requests: number;
  readonly endings: EndingCounts;
  /** Seconds; null without requests. */
  readonly p50: number | null;
  readonly p99: number | null;
}

/** Refusals of one route for one reason in the time that is kept. */
export interface RecentRefusal {
  readonly route: string;
  readonly code: RefusalCode;
  readonly status: number;
  readonly count: number;
  /** Not longer ago than this. */
  readonly lastSecondsAgo: number;
}

export interface Recent {
  /** The last minute, and all that is kept: less of both while the process is young. */
  readonly minute: Span;
  readonly whole: Span;
  /** Interval by interval, oldest first. */
  readonly intervals: readonly Span[];
  /** Most frequent first. */
  readonly refusals: readonly RecentRefusal[];
  /** Refusals that were too diverse to be kept apart. */
  readonly furtherRefusals: number;
}

interface Sample {
  readonly atMs: number;
  readonly endings: EndingCounts;
  readonly durations: Distribution;
  /** Since the sample before, by packed series key. */
  readonly refusals: ReadonlyMap<number, number>;
  readonly furtherRefusals: number;
}

export class RecentFigures {
  readonly #figures: Figures;
  readonly #clock: Clock;
  readonly #samples: Sample[] = [];
  /** All series at the last sample: 12 bytes each. */
  #last: SeriesCounts = { keys: new Int32Array(0), counts: new Float64Array(0) };
  readonly #timer: NodeJS.Timeout;

  constructor(figures: Figures, clock: Clock) {
    this.#figures = figures;
    this.#clock = clock;
    this.sample();
    this.#timer = setInterval(() => this.sample(), everyMs).unref();
  }

  /** Keeps how things are. Runs by itself; public so that a test can run it at a time of its own. */
  sample(): void {
    const { sample, series } = this.#take();
    this.#last = series;
    this.#samples.push(sample);
    if (this.#samples.length > samplesMax) this.#samples.shift();
  }

  /** Up to now. */
  recent(): Recent {
    const samples = [...this.#samples, this.#take().sample];
    const now = samples.at(-1)!;
    const minuteAgo = samples.findLast(({ atMs }) => now.atMs - atMs >= 60_000) ?? samples[0]!;
    return {
      minute: spanOf(minuteAgo, now),
      whole: spanOf(samples[0]!, now),
      intervals: samples.slice(1).map((sample, index) => spanOf(samples[index]!, sample)),
      refusals: this.#refusalsOf(samples),
      furtherRefusals: samples.slice(1).reduce((sum, { furtherRefusals }) => sum + furtherRefusals, 0),
    };
  }

  close(): void {
    clearInterval(this.#timer);
  }

  /** Cost: a read of each series on each thread; memory only for what was refused since the last sample. */
  #take(): { readonly sample: Sample; readonly series: SeriesCounts } {
    const figures = this.#figures;
    const series = figures.series();
    const ended: Record<Ending, number> = { '2xx': 0, '3xx': 0, '4xx': 0, '5xx': 0, left: 0 };
    const news = new Map<number, number>();
    let furtherRefusals = 0;
    let former = 0;
    for (let index = 0; index < series.keys.length; index++) {
      const packed = series.keys[index]!;
      const count = series.counts[index]!;
      // Keys are ascending and never leave, so the former ones come in the same order.
      const before = this.#last.keys[former] === packed ? this.#last.counts[former++]! : 0;
      if (count === (isDecision(packed) ? before : 0)) continue;
      const key = decodeKey(packed);
      if (key.kind === 'request') ended[endingOf(key.status)] += count;
      else if (refusalOf(key) === null) continue;
      else if (news.size < refusalsOfSampleMax) news.set(packed, count - before);
      else furtherRefusals += count - before;
    }
    const sample = {
      atMs: this.#clock.monotonicMs(),
      endings: ended,
      durations: figures.requestDurations(),
      refusals: news,
      furtherRefusals,
    };
    return { sample, series };
  }

  #refusalsOf(samples: readonly Sample[]): readonly RecentRefusal[] {
    const now = samples.at(-1)!.atMs;
    const totals = new Map<number, { count: number; sinceMs: number }>();
    for (const [index, { refusals: news }] of samples.entries()) {
      const before = samples[index - 1];
      if (before === undefined) continue;
      // It happened after the sample before.
      for (const [packed, more] of news)
        totals.set(packed, { count: (totals.get(packed)?.count ?? 0) + more, sinceMs: before.atMs });
    }
    const rows = [...totals].flatMap(([packed, { count, sinceMs }]): RecentRefusal[] => {
      const key = decodeKey(packed);
      const code = key.kind === 'decision' ? refusalOf(key) : null;
      if (code === null) return [];
      const route = this.#figures.routeName(key.route);
      const lastSecondsAgo = Math.ceil((now - sinceMs) / 1000);
      return [{ route, code, status: refusals[code].status, count, lastSecondsAgo }];
    });
    return rows.toSorted((a, b) => b.count - a.count);
  }
}

function endingOf(status: number): Ending {
  if (status === 499) return 'left';
  if (status >= 500) return '5xx';
  if (status >= 400) return '4xx';
  return status >= 300 ? '3xx' : '2xx';
}

function spanOf(from: Sample, to: Sample): Span {
  const counts = Object.fromEntries(
    endings.map((ending) => [ending, to.endings[ending] - from.endings[ending]]),
  ) as Record<Ending, number>;
  const durations = since(from.durations, to.durations);
  return {
    seconds: Math.max(0.001, (to.atMs - from.atMs) / 1000),
    requests: endings.reduce((sum, ending) => sum + counts[ending], 0),
    endings: counts,
    p50: quantileOf(durations, 0.5),
    p99: quantileOf(durations, 0.99),
  };
}
