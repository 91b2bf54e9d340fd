/** Work that is done a slice at a time, so that it never holds an event loop for long. */
import { setImmediate } from 'node:timers/promises';

/** Runs it to its end; whatever else is due is let through between two slices. */
export async function inSlices<T>(work: Generator<void, T>): Promise<T> {
  for (;;) {
    const step = work.next();
    if (step.done === true) return step.value;
    await setImmediate();
  }
}

/** Runs it to its end without a pause. */
export function atOnce<T>(work: Generator<void, T>): T {
  for (;;) {
    const step = work.next();
    if (step.done === true) return step.value;
  }
}
