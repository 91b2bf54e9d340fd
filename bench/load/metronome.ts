/**
 * Entry of a thread that ticks at equal distances, to tens of microseconds: timers of an event loop keep whole milliseconds
 * only, and a loop that spins takes a core from what is measured.
 */
import { parentPort, workerData } from 'node:worker_threads';

export interface MetronomeData {
  readonly ticksPerSecond: number;
  readonly ticks: number;
  /** In milliseconds of `performance.timeOrigin + performance.now()`, which all threads share. */
  readonly startMs: number;
}

const { ticksPerSecond, ticks, startMs } = workerData as MetronomeData;
const bed = new Int32Array(new SharedArrayBuffer(4));

for (let tick = 0; tick < ticks; tick += 1) {
  const waitMs = startMs + (tick * 1000) / ticksPerSecond - (performance.timeOrigin + performance.now());
  if (waitMs > 0) Atomics.wait(bed, 0, 0, waitMs);
  parentPort!.postMessage(tick);
}
