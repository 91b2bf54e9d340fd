/**
 * Keeps a fault that happens with every request from filling the log: one line an interval, with the count of the others.
 * Whatever a caller, an upstream or a provider can bring about again and again is logged through this.
 */
import type { Clock } from '../core/clock.ts';
import type { Logger } from './logger.ts';

const intervalMs = 10_000;
/** Kinds of repeats that are told apart. Further ones wait until the oldest may be said again. */
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

  /** Warns, unless `key` did within the interval: a closed set, as a rule, such as an upstream and an error kind. */
  warn(key: string, fields: Record<string, unknown>, message: string): void {
    this.#say('warn', key, fields, message);
  }

  /** The same for what is ours to mend. */
  error(key: string, fields: Record<string, unknown>, message: string): void {
    this.#say('error', key, fields, message);
  }

  #say(level: 'warn' | 'error', key: string, fields: Record<string, unknown>, message: string): void {
    const nowMs = this.#clock.monotonicMs();
    const last = this.#seen.get(key);
    if (last !== undefined && nowMs - last.atMs < intervalMs) {
      last.suppressed += 1;
      return;
    }
    this.#seen.delete(key);
    const oldest = this.#seen.size < keysMax ? undefined : this.#seen.entries().next().value;
    if (oldest !== undefined) {
      if (nowMs - oldest[1].atMs < intervalMs) return;
      this.#seen.delete(oldest[0]);
    }
    this.#seen.set(key, { atMs: nowMs, suppressed: 0 });
    this.#logger[level](last?.suppressed ? { ...fields, repeated: last.suppressed } : fields, message);
  }
}
