/**
 * Where tokens that wait are judged, and how many together. The first of a turn of the event loop are judged by the listener
 * itself, as many as it may spend a little time on: the way to a worker and back costs as much. The others are sent as one
 * task, split over the room that the workers have, and never more than a worker judges well within the deadline. Tokens of
 * suspects are left to workers, as long as there is one.
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

/** However cheap tokens were lately: the next ones may be dear. */
const ownTokensMax = 8;

export class Dispatch {
  readonly #options: VerifierOptions;
  readonly #clock: Clock;
  readonly #timers: Timers;
  readonly #observer: VerifierObserver;
  readonly #lanes: Lanes;
  readonly #pool: WorkerPool;
  readonly #judgeHere: (batch: readonly Pending[]) => void;
  #isDue = false;
  #stopGathering: (() => void) | null = null;
  /** Moving average of what a token costs; keeps a batch of dear signatures well inside of the deadline. */
  #tokenNanoseconds = 50_000;

  constructor(
    options: VerifierOptions,
    parts: { readonly clock: Clock; readonly timers: Timers; readonly observer: VerifierObserver },
    pool: WorkerPool,
    judgeHere: (batch: readonly Pending[]) => void,
  ) {
    this.#options = options;
    this.#clock = parts.clock;
    this.#timers = parts.timers;
    this.#observer = parts.observer;
    this.#lanes = new Lanes(options.queueMax, options.suspectQueueMax);
    this.#pool = pool;
    this.#judgeHere = judgeHere;
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

  /** A batch of so many tokens was judged in so long. */
  judged(tokens: number, nanoseconds: number): void {
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
      this.#leave(batch, nowMs);
      this.#observer.batchSent(batch.length);
      if (batch.length > 0) this.#pool.send(batch, batch[0]!.lineage.profile);
    }
    this.#tellLengths();
  }

  close(): void {
    this.#stopGathering?.();
  }

  #soon(): void {
    if (this.#isDue) return;
    this.#isDue = true;
    this.#timers.soon(() => {
      this.#isDue = false;
      const own = this.#takeOwn();
      // Others first, so that workers are at it meanwhile.
      this.flush();
      if (own.length === 0) return;
      this.#judgeHere(own);
      if (this.#lanes.lengthOf('fresh') > 0 || this.#isAlone) this.#soon();
    });
  }

  /** Nobody but this thread can judge what waits. */
  get #isAlone(): boolean {
    return this.#lanes.length > 0 && !this.#pool.isUp;
  }

  /** Those that wait longest, as many as this thread may judge in this turn. */
  #takeOwn(): Pending[] {
    const affordable = Math.floor(this.#options.ownNanosecondsPerTurn / this.#tokenNanoseconds);
    const count = Math.min(ownTokensMax, affordable);
    const own = this.#isAlone ? this.#lanes.take(count) : this.#lanes.takeFresh(count);
    this.#leave(own, this.#clock.monotonicMs());
    if (own.length > 0) this.#tellLengths();
    return own;
  }

  /** These wait no longer. */
  #leave(batch: readonly Pending[], nowMs: number): void {
    for (const pending of batch) {
      pending.state = 'sent';
      pending.sentMs = nowMs;
      pending.batchTokens = batch.length;
      this.#observer.queueWaited(pending.lane, nowMs - pending.sinceMs);
    }
  }

  #tellLengths(): void {
    this.#observer.queueHolds('fresh', this.#lanes.lengthOf('fresh'));
    this.#observer.queueHolds('suspect', this.#lanes.lengthOf('suspect'));
  }

  #gather(): void {
    if (this.#lanes.lengthOf('suspect') >= this.#options.batchMax) {
      this.#soon();
      return;
    }
    this.#stopGathering ??= this.#timers.after(suspectGatherMs, () => {
      this.#stopGathering = null;
      if (this.#isAlone) this.#soon();
      else this.flush(true);
    });
  }
}
