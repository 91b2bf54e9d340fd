/** Keeps a fault that happens with every request from filling the log: one line an interval, with the count of the others. */
import type { Clock } from '../core/clock.ts';
import type { Logger } from './logger.ts';

const intervalMs = 10_000;
/** Kinds of repeats that are told apart; past it the oldest is forgotten, and so may be said again. */
const keysMax = 256;

interface Repeat {
  atMs: number;
  suppressed: number;
}

export class RepeatedWarnings {
  readonly #logger: Logger;
  readonly #clock: Clock;
  readonly #seen = new Map<string, Repeat>();

  constructor(logger: Logger, clock: Clock) {
    this.#logger = logger;
    this.#clock = clock;
  }

  /** Warns, unless `key` did within the interval. `key` must come from a closed set, such as an upstream and an error kind. */
  warn(key: string, fields: Record<string, unknown>, message: string): void {
    const nowMs = this.#clock.monotonicMs();
    const last = this.#seen.get(key);
    if (last !== undefined && nowMs - last.atMs < intervalMs) {
      last.suppressed += 1;
      return;
    }
    this.#seen.delete(key);
    if (this.#seen.size >= keysMax) this.#seen.delete(this.#seen.keys().next().value!);
    this.#seen.set(key, { atMs: nowMs, suppressed: 0 });
    this.#logger.warn(last?.suppressed ? { ...fields, repeated: last.suppressed } : fields, message);
  }
}
