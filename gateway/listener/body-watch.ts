/** Gives up on request bodies whose callers fell silent: looks at all that are under way, several times within the limit. */
import type { Clock } from '../core/clock.ts';

export interface WatchedBody {
  /** When the caller was heard last, monotonic milliseconds; Infinity while it is the gateway that holds the body back. */
  readonly heardMs: number;
  /** Called once at most, and then no more. */
  giveUp(): void;
}

const looksPerLimit = 8;
const lookMsMin = 10;
const lookMsMax = 1000;

export class BodyWatch {
  readonly clock: Clock;
  readonly #silenceMsMax: number;
  readonly #bodies = new Set<WatchedBody>();
  #timer: NodeJS.Timeout | null = null;

  /** `silenceMsMax` 0: no limit. */
  constructor(silenceMsMax: number, clock: Clock) {
    this.#silenceMsMax = silenceMsMax === 0 ? Number.POSITIVE_INFINITY : silenceMsMax;
    this.clock = clock;
  }

  add(body: WatchedBody): void {
    this.#bodies.add(body);
    const everyMs = Math.min(Math.max(this.#silenceMsMax / looksPerLimit, lookMsMin), lookMsMax);
    this.#timer ??= setInterval(() => this.look(), everyMs).unref();
  }

  delete(body: WatchedBody): void {
    this.#bodies.delete(body);
  }

  /** Runs by itself; public so that a test can run it at a time of its own. */
  look(): void {
    const oldestMs = this.clock.monotonicMs() - this.#silenceMsMax;
    for (const body of this.#bodies) {
      if (body.heardMs > oldestMs) continue;
      this.#bodies.delete(body);
      body.giveUp();
    }
    if (this.#bodies.size > 0 || this.#timer === null) return;
    clearInterval(this.#timer);
    this.#timer = null;
  }
}
