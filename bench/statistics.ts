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
