/** What became of the last reload, and since when the configuration in force is. */
import type { Clock } from '../core/clock.ts';
import type { Check } from './health.ts';

export interface ReloadResult {
  readonly outcome: 'applied' | 'unchanged' | 'rejected';
  /** Each as `file:line:col: path: message`; empty unless rejected. */
  readonly errors: readonly string[];
}

export interface ReloadState {
  /** Of the last reload; `started` before the first one. */
  readonly outcome: 'started' | ReloadResult['outcome'];
  /** Milliseconds since the epoch. */
  readonly atMs: number;
  /** Each as `file:line:col: path: message`; empty unless rejected. */
  readonly errors: readonly string[];
  readonly inForceSinceMs: number;
}

export class ReloadRecord {
  readonly #clock: Clock;
  #state: ReloadState;

  constructor(clock: Clock) {
    this.#clock = clock;
    const atMs = clock.nowMs();
    this.#state = { outcome: 'started', atMs, errors: [], inForceSinceMs: atMs };
  }

  get state(): ReloadState {
    return this.#state;
  }

  /** Returns the result. */
  keep(result: ReloadResult): ReloadResult {
    const atMs = this.#clock.nowMs();
    const inForceSinceMs = result.outcome === 'applied' ? atMs : this.#state.inForceSinceMs;
    this.#state = { ...result, atMs, inForceSinceMs };
    return result;
  }

  /** A rejected reload does not make the gateway unready: what is in force stays good. */
  check(): Check {
    const isRejected = this.#state.outcome === 'rejected';
    const detail = isRejected ? 'in force; the last reload was rejected' : 'in force';
    return { name: 'config', ok: true, detail };
  }
}
