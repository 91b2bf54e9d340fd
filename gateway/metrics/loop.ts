/** Watches the event loop of the thread it is started on, and the pool that the thread owns. */
import { monitorEventLoopDelay, performance } from 'node:perf_hooks';
import type { Recorder } from './recorder.ts';

const resolutionMs = 10;
const intervalMs = 5000;

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
    onSample();
  };

  const timer = setInterval(sample, intervalMs);
  timer.unref();
  return {
    stop() {
      clearInterval(timer);
      delay.disable();
    },
  };
}
