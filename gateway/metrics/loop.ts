/** Watches the thread it is started on: its event loop, its heap, its pauses for garbage, and the pool that it owns. */
import {
  constants,
  monitorEventLoopDelay,
  performance,
  type PerformanceEntry,
  PerformanceObserver,
} from 'node:perf_hooks';
import { getHeapStatistics } from 'node:v8';
import { gcKinds } from './catalogue.ts';
import type { Recorder } from './recorder.ts';

const resolutionMs = 10;
const intervalMs = 5000;

/** What Node calls the kinds of a garbage collection → the index in `gcKinds`. */
const gcKindIndex: ReadonlyMap<unknown, number> = new Map([
  [constants.NODE_PERFORMANCE_GC_MINOR, gcKinds.indexOf('minor')],
  [constants.NODE_PERFORMANCE_GC_MAJOR, gcKinds.indexOf('major')],
  [constants.NODE_PERFORMANCE_GC_INCREMENTAL, gcKinds.indexOf('incremental')],
  [constants.NODE_PERFORMANCE_GC_WEAKCB, gcKinds.indexOf('weak_callbacks')],
]);

/** Node's types leave out the detail. */
type GcPause = PerformanceEntry & { readonly detail?: { readonly kind?: number } };

export interface LoopWatch {
  stop(): void;
}

/**
 * Samples every five seconds until stopped; never keeps the thread alive. `workers`: how many the thread's pool has.
 * `onSample` is the moment to write other gauges that are read and not counted.
 */
export function watchLoop(
  recorder: Recorder,
  workers: () => number = () => 0,
  onSample: () => void = () => {},
): LoopWatch {
  const delay = monitorEventLoopDelay({ resolution: resolutionMs });
  delay.enable();
  const garbage = new PerformanceObserver((list) => {
    for (const pause of list.getEntries() as GcPause[]) {
      const kind = gcKindIndex.get(pause.detail?.kind);
      if (kind !== undefined) recorder.gcPaused(kind, pause.duration);
    }
  });
  garbage.observe({ entryTypes: ['gc'] });
  let utilization = performance.eventLoopUtilization();
  let busySeconds = recorder.busySeconds;
  let sampledMs = performance.now();

  const sample = (): void => {
    const now = performance.eventLoopUtilization();
    // The monitor measures from timer to timer; what a timer is late by is the lag.
    const lag = (nanoseconds: number): number => Math.max(0, nanoseconds / 1e9 - resolutionMs / 1000);
    const quiet = delay.count === 0;
    recorder.eventLoop(
      quiet ? 0 : lag(delay.percentile(99)),
      quiet ? 0 : lag(delay.max),
      performance.eventLoopUtilization(now, utilization).utilization,
    );
    utilization = now;
    delay.reset();

    const elapsedSeconds = (performance.now() - sampledMs) / 1000;
    const capacity = workers() * elapsedSeconds;
    if (capacity > 0) recorder.poolUtilization(Math.min(1, (recorder.busySeconds - busySeconds) / capacity));
    busySeconds = recorder.busySeconds;
    sampledMs = performance.now();
    sampleHeap();
    onSample();
  };
  const sampleHeap = (): void => {
    const { used_heap_size, heap_size_limit, external_memory } = getHeapStatistics();
    recorder.heapHolds(used_heap_size, heap_size_limit, external_memory);
  };
  sampleHeap();

  const timer = setInterval(sample, intervalMs);
  timer.unref();
  return {
    stop() {
      clearInterval(timer);
      delay.disable();
      garbage.disconnect();
    },
  };
}
