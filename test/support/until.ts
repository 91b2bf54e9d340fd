/** Waiting for a condition without guessing how long it takes. */
import { setTimeout as delay } from 'node:timers/promises';

const pollMs = 10;

/**
 * Resolves with the first result of `probe` that is neither undefined, null nor false. A probe that throws is tried again.
 *
 * Errors: after the deadline, what was waited for, and the last error of the probe as its cause.
 */
export async function until<T>(
  what: string,
  probe: () => T | Promise<T>,
  deadlineMs = 15_000,
): Promise<NonNullable<Exclude<T, false>>> {
  const endMs = performance.now() + deadlineMs;
  let cause: unknown;
  do {
    try {
      const result = await probe();
      if (result !== undefined && result !== null && result !== false)
        return result as NonNullable<Exclude<T, false>>;
    } catch (error) {
      cause = error;
    }
    await delay(pollMs);
  } while (performance.now() < endMs);
  throw new Error(`not within ${deadlineMs} ms: ${what}`, { cause });
}
