/**
 * When tokens that wait are sent to a worker, and how many together: those of one turn of the event loop as one task, split
 * over the room that the workers have, and never more than a worker judges well within the deadline.
 */
import type { Clock } from '../core/clock.ts';
import type { Timers } from '../core/timers.ts';
import { Lanes } from './lanes.ts';
import type { Pending } from './pending.ts';
import type { WorkerPool } from './pool.ts';
import type { VerifierObserver, VerifierOptions } from './verifier-parts.ts';

/**
 * Tokens of suspects are gathered for so long before they are sent: a flood comes one to three a turn, and a task of its own
 * for each costs the listener more than the verification costs the worker.
 */
const suspectGatherMs = 5;

export class Dispatch {
  readonly #options: VerifierOptions;
  readonly #clock: Clock;
  readonly #timers: Timers;
  readonly #observer: VerifierObserver;
  readonly #lanes: Lanes;
  readonly #pool: WorkerPool;
  #isDue = false;
  #stopGathering: (() => void) | null = null;
  /** Moving average of what a token costs a worker; keeps a batch of dear signatures well inside of the deadline. */
  #tokenNanoseconds = 50_000;

  constructor(
    options: VerifierOptions,
    parts: { readonly clock: Clock; readonly timers: Timers; readonly observer: VerifierObserver },
    pool: WorkerPool,
  ) {
    this.#options = options;
    this.#clock = parts.clock;
    this.#timers = parts.timers;
    this.#observer = parts.observer;
    this.#lanes = new Lanes(options.queueMax, options.suspectQueueMax);
    this.#pool = pool;
  }

  /** Queues a token that came. False when its lane is full. */
  push(pending: Pending): boolean {
    if (!this.#lanes.push(pending)) return false;
    this.#observer.queueHolds(pending.lane, this.#lanes.lengthOf(pending.lane));
    if (pending.lane === 'fresh') this.#soon();
    else this.#gather();
    return true;
  }

  /** Queues a token that was judged before, in front. */
  pushAgain(pending: Pending): void {
    this.#lanes.pushAgain(pending);
    this.#soon();
  }

  /** Takes a queued token out; its state must be set to something else right after. */
  forget(pending: Pending): void {
    this.#lanes.forget(pending);
  }

  /** Takes a token that has waited since `sinceMs` or longer. */
  expired(sinceMs: number): Pending | undefined {
    return this.#lanes.expired(sinceMs);
  }

  /** A worker has judged a batch of so many tokens in so long. */
  judged(tokens: number, nanoseconds: number): void {
    this.#observer.workerBusy(nanoseconds);
    if (tokens > 0) this.#tokenNanoseconds += (nanoseconds / tokens - this.#tokenNanoseconds) / 8;
  }

  /** Sends what waits. Few tokens of suspects alone wait for more, unless they are `gathered`. */
  flush(gathered = false): void {
    if (this.#lanes.length === 0) return;
    const { batchMax, deadlineMs } = this.#options;
    const few = this.#lanes.lengthOf('fresh') === 0 && this.#lanes.lengthOf('suspect') < batchMax;
    if (few && !gathered) {
      this.#gather();
      return;
    }
    const affordable = Math.max(1, Math.floor((deadlineMs * 1e6) / 4 / this.#tokenNanoseconds));
    const nowMs = this.#clock.monotonicMs();
    let { room } = this.#pool;
    while (room > 0 && this.#lanes.length > 0) {
      const count = Math.min(batchMax, affordable, Math.ceil(this.#lanes.length / room));
      const batch = this.#lanes.take(count);
      room -= 1;
      for (const pending of batch) {
        pending.state = 'sent';
        pending.sentMs = nowMs;
        pending.batchTokens = batch.length;
        this.#observer.queueWaited(pending.lane, nowMs - pending.sinceMs);
      }
      this.#observer.batchSent(batch.length);
      if (batch.length > 0) this.#pool.send(batch, batch[0]!.lineage.profile);
    }
    this.#observer.queueHolds('fresh', this.#lanes.lengthOf('fresh'));
    this.#observer.queueHolds('suspect', this.#lanes.lengthOf('suspect'));
  }

  close(): void {
    this.#stopGathering?.();
  }

  #soon(): void {
    if (this.#isDue) return;
    this.#isDue = true;
    this.#timers.soon(() => {
      this.#isDue = false;
      this.flush();
    });
  }

  #gather(): void {
    if (this.#lanes.lengthOf('suspect') >= this.#options.batchMax) {
      this.#soon();
      return;
    }
    this.#stopGathering ??= this.#timers.after(suspectGatherMs, () => {
      this.#stopGathering = null;
      this.flush(true);
    });
  }
}
