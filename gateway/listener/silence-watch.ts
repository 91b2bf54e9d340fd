/**
 * Gives up on callers who fell silent: who stopped sending a body, or stopped taking an answer. Looks at all that are under
 * way, several times within the limit.
 */
import { BriefMap } from '../core/brief-map.ts';
import type { Clock } from '../core/clock.ts';

export interface Watched {
  /** When the caller last did something, monotonic milliseconds; Infinity while it is not the caller's turn. */
  readonly heardMs: number;
  /** Called once at most, and then no more. */
  giveUp(): void;
}

const looksPerLimit = 8;
const lookMsMin = 10;
const lookMsMax = 1000;

export class SilenceWatch {
  readonly clock: Clock;
  readonly #silenceMsMax: number;
  readonly #lookMs: number;
  readonly #watched = new BriefMap<Watched, Watched>();
  #timer: NodeJS.Timeout | null = null;
  #lookedMs = 0;

  /** `silenceMsMax` 0: no limit. */
  constructor(silenceMsMax: number, clock: Clock) {
    this.#silenceMsMax = silenceMsMax === 0 ? Number.POSITIVE_INFINITY : silenceMsMax;
    this.#lookMs = Math.min(Math.max(this.#silenceMsMax / looksPerLimit, lookMsMin), lookMsMax);
    this.clock = clock;
  }

  add(each: Watched): void {
    this.#watched.set(each, each);
    if (this.#timer !== null) return;
    this.#lookedMs = this.clock.monotonicMs();
    this.#timer = setInterval(() => this.look(), this.#lookMs).unref();
  }

  delete(each: Watched): void {
    this.#watched.delete(each);
  }

  /** Runs by itself; public so that a test can run it at a time of its own. */
  look(): void {
    const nowMs = this.clock.monotonicMs();
    // When this thread itself stood still, what callers sent meanwhile has not been read yet.
    const wasLate = nowMs - this.#lookedMs > 2 * this.#lookMs;
    this.#lookedMs = nowMs;
    if (wasLate) return;
    const oldestMs = nowMs - this.#silenceMsMax;
    for (const each of this.#watched.values()) {
      if (each.heardMs > oldestMs) continue;
      this.#watched.delete(each);
      each.giveUp();
    }
    if (this.#watched.size > 0 || this.#timer === null) return;
    clearInterval(this.#timer);
    this.#timer = null;
  }
}
