/**
 * How many logins a caller or an account may start: so many in a row, and so many a minute. Counted by each listener
 * thread for itself. One number for each key: when all that was taken will have come back (GCRA).
 */

import type { OauthConfig } from '../config/schema.ts';
import type { Clock } from '../core/clock.ts';

export interface AllowanceSettings {
  readonly burst: number;
  readonly perMinute: number;
  /** Monotonic. */
  readonly nowMs: () => number;
}

/** Keys that are remembered; of the rest the longest unused is forgotten first. */
const keysMax = 16_384;

export class Allowance {
  readonly #spacingMs: number;
  readonly #burstMs: number;
  readonly #nowMs: () => number;
  /** Key → when its whole allowance will be back, the longest unused first. */
  readonly #backMs = new Map<string, number>();

  constructor({ burst, perMinute, nowMs }: AllowanceSettings) {
    this.#spacingMs = 60_000 / perMinute;
    this.#burstMs = this.#spacingMs * burst;
    this.#nowMs = nowMs;
  }

  /** Would `take` be granted? */
  has(key: string): boolean {
    const nowMs = this.#nowMs();
    return (this.#backMs.get(key) ?? nowMs) + this.#spacingMs <= nowMs + this.#burstMs;
  }

  /** Takes one, if there is one. */
  take(key: string): boolean {
    if (!this.has(key)) return false;
    const nowMs = this.#nowMs();
    const backMs = Math.max(nowMs, this.#backMs.get(key) ?? nowMs) + this.#spacingMs;
    this.#backMs.delete(key);
    this.#backMs.set(key, backMs);
    if (this.#backMs.size > keysMax) {
      const [oldest] = this.#backMs.keys();
      if (oldest !== undefined) this.#backMs.delete(oldest);
    }
    return true;
  }
}

export function allowanceOf({ limits }: OauthConfig, clock: Clock): Allowance {
  return new Allowance({
    burst: limits.starts,
    perMinute: limits.startsPerMinute,
    nowMs: () => clock.monotonicMs(),
  });
}
