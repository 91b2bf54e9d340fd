/** Medians and their spread over the rounds of a run. */

export interface Summary {
  readonly median: number;
  readonly min: number;
  readonly max: number;
  /** Half of the range, as a share of the median: the noise that a difference must exceed to mean something. */
  readonly spread: number;
}

export function summarise(values: readonly number[]): Summary {
  const sorted = values.toSorted((a, b) => a - b);
  const middle = sorted.length / 2;
  const median = (sorted[Math.ceil(middle) - 1]! + sorted[Math.floor(middle)]!) / 2;
  const [min, max] = [sorted[0]!, sorted.at(-1)!];
  return { median, min, max, spread: median === 0 ? 0 : (max - min) / 2 / median };
}

export interface Interval {
  readonly low: number;
  readonly high: number;
}

const resamples = 10_000;

/**
 * A 95 % interval of the median, by resampling (Efron, 1979, percentile method). `random` gives numbers in [0, 1); the
 * same ones give the same interval.
 */
export function bootstrapMedian(values: readonly number[], random: () => number): Interval {
  const medians = Array.from({ length: resamples }, () => {
    const sample = values.map(() => values[Math.floor(random() * values.length)]!);
    return summarise(sample).median;
  }).toSorted((a, b) => a - b);
  return { low: medians[Math.floor(resamples * 0.025)]!, high: medians[Math.ceil(resamples * 0.975) - 1]! };
}

/** Numbers in [0, 1) that follow from a seed: mulberry32 (T. Ettinger, 2017). */
export function seededRandom(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296;
  };
}
