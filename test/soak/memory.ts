/** Whether the memory of a process is flat over time. */
export interface MemoryTrend {
  readonly earlyBytes: number;
  readonly lateBytes: number;
  readonly maxBytes: number;
}

/** Medians of the second and of the last quarter; the first is warm-up. */
export function trendOf(samples: readonly number[]): MemoryTrend {
  const quarter = Math.floor(samples.length / 4);
  return {
    earlyBytes: median(samples.slice(quarter, 2 * quarter)),
    lateBytes: median(samples.slice(3 * quarter)),
    maxBytes: Math.max(...samples),
  };
}

/** Threads come and go during the soak, which leaves the allocator a little less tidy: a tenth and 16 MiB are granted. */
export function isFlat({ earlyBytes, lateBytes }: MemoryTrend): boolean {
  return lateBytes <= earlyBytes * 1.1 + 16 * 1_048_576;
}

function median(values: readonly number[]): number {
  return values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)] ?? 0;
}
