/**
 * Passive health of one URL: so many failures in a row take it out, and after a wait a single request tries it again.
 * Pure; time is an argument (monotonic milliseconds).
 */

export interface HealthLimits {
  readonly failures: number;
  readonly retryAfterMs: number;
}

/** The wait between trials doubles up to this. */
export const retryWaitMsMax = 60_000;

export class Health {
  readonly #limits: HealthLimits;
  #failures = 0;
  #waitMs = 0;
  #retryAtMs = 0;
  #onTrial = false;

  constructor(limits: HealthLimits) {
    this.#limits = limits;
  }

  get isOut(): boolean {
    return this.#failures >= this.#limits.failures;
  }

  /** When an URL that is out is tried again. The least bad of several is the one with the earliest. */
  get retryAtMs(): number {
    return this.#retryAtMs;
  }

  admits(nowMs: number): boolean {
    return !this.isOut || nowMs >= this.#retryAtMs;
  }

  /** A request is about to be sent. While the URL is out, the next trial is put off until this one is known. */
  tried(nowMs: number): void {
    if (!this.isOut || nowMs < this.#retryAtMs) return;
    this.#onTrial = true;
    this.#retryAtMs = nowMs + this.#waitMs;
  }

  succeeded(): void {
    this.#failures = 0;
    this.#onTrial = false;
  }

  /** Only a trial doubles the wait: requests that were under way when the URL went out all fail with it. */
  failed(nowMs: number): void {
    if (this.isOut) {
      if (!this.#onTrial) return;
      this.#onTrial = false;
      this.#waitMs = Math.min(this.#waitMs * 2, retryWaitMsMax);
      this.#retryAtMs = nowMs + this.#waitMs;
      return;
    }
    this.#failures += 1;
    if (!this.isOut) return;
    this.#waitMs = Math.min(this.#limits.retryAfterMs, retryWaitMsMax);
    this.#retryAtMs = nowMs + this.#waitMs;
  }
}
