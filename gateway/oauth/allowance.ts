/**
 * How many logins a caller or an account may start: so many in a row, and so many a minute, counted in memory that all threads
 * of the process share (`limits/rate-cells.ts`).
 */
import type { OauthConfig } from '../config/schema.ts';
import type { Clock } from '../core/clock.ts';
import { type Pace, paceOf } from '../limits/gcra.ts';
import { createRateWords, RateCells } from '../limits/rate-cells.ts';

/** Sixteen thousand keys in all. */
const sets = 4096;

export const createAllowanceMemory = (): SharedArrayBuffer => createRateWords(sets);

export interface AllowanceSettings {
  readonly memory: SharedArrayBuffer;
  /** Known to all threads of the process, and to nobody else: nobody can choose keys that share a word. */
  readonly secret: Uint8Array;
  readonly burst: number;
  readonly perMinute: number;
  /** Monotonic, one clock for all threads. */
  readonly nowMs: () => number;
}

export class Allowance {
  readonly #cells: RateCells;
  readonly #pace: Pace;

  constructor({ memory, secret, burst, perMinute, nowMs }: AllowanceSettings) {
    this.#cells = new RateCells({ words: memory, secret }, nowMs);
    this.#pace = paceOf(perMinute, 60, burst);
  }

  /** Would `take` be granted? */
  has(key: string): boolean {
    return this.#cells.has(key, this.#pace);
  }

  /** Takes one, if there is one. */
  take(key: string): boolean {
    return this.#cells.take(key, this.#pace).conforms;
  }
}

export function allowanceOf(
  { limits }: OauthConfig,
  clock: Clock,
  memory: SharedArrayBuffer,
  secret: Uint8Array,
): Allowance {
  return new Allowance({
    memory,
    secret,
    burst: limits.starts,
    perMinute: limits.startsPerMinute,
    nowMs: () => clock.monotonicMs(),
  });
}
