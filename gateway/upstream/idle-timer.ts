/**
 * A deadline for something that is idle now and then, thousands of times a second. The timer runs on while it is in use, and is
 * looked at when it strikes: at most one timer in the time of keeping, not one for each use.
 */
export class IdleTimer {
  readonly #expired: () => void;
  readonly #onStrike = (): void => this.#strike();
  #timer: NodeJS.Timeout | null = null;
  /** When the timer strikes, and when the idleness that began last is over; Infinity while in use. Monotonic milliseconds. */
  #strikesMs = 0;
  #overMs = Number.POSITIVE_INFINITY;

  constructor(expired: () => void) {
    this.#expired = expired;
  }

  /** It is idle from now on, for so long at most. */
  start(idleMs: number): void {
    const nowMs = performance.now();
    this.#overMs = nowMs + idleMs;
    if (this.#timer !== null && this.#strikesMs <= this.#overMs) return;
    if (this.#timer !== null) clearTimeout(this.#timer);
    this.#arm(nowMs);
  }

  /** It is in use. */
  suspend(): void {
    this.#overMs = Number.POSITIVE_INFINITY;
  }

  stop(): void {
    this.suspend();
    if (this.#timer !== null) clearTimeout(this.#timer);
    this.#timer = null;
  }

  #arm(nowMs: number): void {
    this.#strikesMs = this.#overMs;
    this.#timer = setTimeout(this.#onStrike, Math.max(this.#overMs - nowMs, 1)).unref();
  }

  #strike(): void {
    this.#timer = null;
    const nowMs = performance.now();
    if (this.#overMs === Number.POSITIVE_INFINITY) return;
    // Timers may strike a fraction of a millisecond early.
    if (this.#overMs - nowMs < 1) this.#expired();
    else this.#arm(nowMs);
  }
}
