/**
 * Verification as a listener sees it: ask the caches (`lookup`), else have the token verified (`verify`).
 *
 * One for each listener thread. Tokens that arrive in one turn of the event loop go to a worker together; a token that is
 * already on its way is joined. A worker's answer is facts or a rejection, and both are kept: facts until their key leaves
 * its set or the vocabulary changes, rejections for one version of the profile.
 *
 * Not here: time, routes and scopes (`route/decide.ts`), fetching of keys (`keys/`).
 */
import type { Clock } from '../core/clock.ts';
import { refusals } from '../core/errors.ts';
import type { Refusal } from '../core/errors.ts';
import type { Facts } from '../core/facts.ts';
import type { Timers } from '../core/timers.ts';
import type { Outcome, VerifierProfile } from '../../workers/messages.ts';
import { compiledOf } from './compiled.ts';
import { inspect, isRejection, judge } from './judge.ts';
import { Lanes } from './lanes.ts';
import { Memory } from './memory.ts';
import { Parking } from './parking.ts';
import { lineageText } from './lineage.ts';
import type { Lineage } from './lineage.ts';
import type { Pending, Waiter } from './pending.ts';
import { WorkerPool } from './pool.ts';
import { Suspects } from './suspects.ts';
import type { VerifierObserver, VerifierOptions, VerifierParts, VerifyResult } from './verifier-parts.ts';

/**
 * Tokens of suspects are gathered for so long before they are sent: a flood comes one to three a turn, and a task of its own
 * for each costs the listener more than the verification costs the worker.
 */
const suspectGatherMs = 5;

const resultOf = (outcome: Facts | Refusal): VerifyResult => {
  if (!('code' in outcome)) return 'accepted';
  return outcome.source === 'gateway' ? 'failed' : 'refused';
};

export class Verifier {
  readonly #options: VerifierOptions;
  readonly #clock: Clock;
  readonly #timers: Timers;
  readonly #observer: VerifierObserver;
  readonly #memory: Memory;
  readonly #lanes: Lanes;
  readonly #parking: Parking;
  readonly #suspects: Suspects;
  readonly #pool: WorkerPool;
  readonly #inFlight = new Map<string, Pending>();
  readonly #byWaiter = new Map<Waiter, Pending>();
  /** Refused before they got a place; told at the end of the turn. */
  #turnedAway: Waiter[] = [];
  #lineage: Lineage;
  #lineageText: string;
  #acceptsHmac: boolean;
  #flushing = false;
  #stopTicking: (() => void) | null = null;
  #stopGathering: (() => void) | null = null;
  #closed = false;
  /** Moving average of what a token costs a worker; keeps a batch of dear signatures well inside of the deadline. */
  #tokenNanoseconds = 50_000;

  constructor(profile: VerifierProfile, options: VerifierOptions, parts: VerifierParts) {
    this.#options = options;
    this.#clock = parts.clock;
    this.#timers = parts.timers;
    this.#observer = parts.observer;
    this.#memory = new Memory(profile, options, parts.observer);
    this.#lanes = new Lanes(options.queueMax, options.suspectQueueMax);
    this.#suspects = new Suspects(parts.clock);
    this.#lineage = { profile };
    this.#lineageText = lineageText(profile);
    this.#acceptsHmac = compiledOf(profile).acceptsHmac;
    this.#parking = new Parking(parts.requestKeys, {
      again: (pending) => this.#again(pending),
      giveUp: (pending, refusal) => this.#tell(pending, refusal),
    });
    this.#pool = new WorkerPool(options.workers, parts.open, profile, options.deadlineMs, parts.clock, {
      judged: (batch, outcomes, nanoseconds, version) => this.#judged(batch, outcomes, nanoseconds, version),
      failed: (batch) => this.#failed(batch),
      restarted: () => {
        this.#observer.workerRestarted();
        this.#keepTicking();
      },
      free: () => this.#flush(),
    });
    this.#keepTicking();
  }

  /** By key id: 1 while the key is in its set; ids beyond the end are withdrawn. */
  get liveKeys(): ArrayLike<number> {
    return this.#memory.liveKeys;
  }

  /** Resolves when every worker has started. */
  ready(): Promise<void> {
    return this.#pool.ready();
  }

  /**
   * What is known of a token right now: facts, a refusal, or undefined when it must be verified.
   *
   * Tokens that no issuer would take by size, form or header are refused here, and HMAC is judged here: both cost less than
   * the way to a worker. Cost of a hit: one look-up of the whole token.
   */
  lookup(token: string): Facts | Refusal | undefined {
    const known = this.#memory.find(token);
    if (known !== undefined) return known;
    const { profile } = this.#lineage;
    const header = inspect(profile, token);
    if (typeof header === 'string') {
      this.#observer.tokenSeen(null, 'refused', 'miss');
      return refusals[header];
    }
    if (!this.#acceptsHmac || header.algorithm.kind !== 'hmac') return undefined;
    const outcome = this.#keep(token, header.algorithm.name, judge(profile, token), profile.version);
    this.#observer.tokenSeen(header.algorithm.name, resultOf(outcome), 'miss');
    return outcome;
  }

  /** Has a token verified that `lookup` did not know. `peerAddress` null: nobody to suspect. */
  verify(token: string, peerAddress: string | null, waiter: Waiter): void {
    const joined = this.#inFlight.get(token);
    if (joined !== undefined) {
      joined.waiters.add(waiter);
      this.#byWaiter.set(waiter, joined);
      return;
    }
    const header = inspect(this.#lineage.profile, token);
    const pending: Pending = {
      token,
      lineage: this.#lineage,
      peerAddress,
      lane: this.#suspects.isSuspect(peerAddress) ? 'suspect' : 'fresh',
      algorithm: typeof header === 'string' ? 'other' : header.algorithm.name,
      sinceMs: this.#clock.monotonicMs(),
      waiters: new Set([waiter]),
      state: 'queued',
      rejudged: false,
    };
    this.#byWaiter.set(waiter, pending);
    if (this.#closed || !this.#lanes.push(pending)) {
      pending.state = 'settled';
      this.#turnedAway.push(waiter);
    } else {
      this.#inFlight.set(token, pending);
      this.#observer.queueHolds(pending.lane, this.#lanes.lengthOf(pending.lane));
    }
    if (pending.lane === 'fresh' || pending.state === 'settled') this.#flushSoon();
    else this.#gather();
    this.#keepTicking();
  }

  /** The request has gone: its waiter will not be called. A token nobody waits for any more is not sent. */
  withdraw(waiter: Waiter): void {
    const pending = this.#byWaiter.get(waiter);
    if (pending === undefined) return;
    this.#byWaiter.delete(waiter);
    pending.waiters.delete(waiter);
    if (pending.waiters.size > 0 || pending.state !== 'queued') return;
    this.#lanes.forget(pending);
    this.#finish(pending);
  }

  /**
   * From now on this profile holds. Requests that wait were matched under the one before: they are still answered in its
   * terms, unless only keys have changed.
   */
  setProfile(profile: VerifierProfile): void {
    const text = lineageText(profile);
    const isAlike = text === this.#lineageText;
    if (isAlike) this.#lineage.profile = profile;
    else {
      this.#lineage = { profile };
      this.#lineageText = text;
      this.#inFlight.clear();
    }
    this.#memory.renew(profile, isAlike);
    this.#pool.profile = profile;
    this.#acceptsHmac = compiledOf(profile).acceptsHmac;
  }

  /** Ends the workers. Whoever still waits is answered 503. */
  async close(): Promise<void> {
    this.#closed = true;
    this.#stopTicking?.();
    this.#stopTicking = null;
    this.#stopGathering?.();
    const closing = this.#pool.close();
    for (const pending of new Set(this.#byWaiter.values())) {
      this.#settle(pending, refusals.gateway_draining);
    }
    await closing;
  }

  #flushSoon(): void {
    if (this.#flushing) return;
    this.#flushing = true;
    this.#timers.soon(() => {
      this.#flushing = false;
      const turnedAway = this.#turnedAway;
      this.#turnedAway = [];
      for (const waiter of turnedAway) {
        if (this.#byWaiter.delete(waiter)) {
          this.#observer.tokenSeen(null, 'failed', 'miss');
          waiter.settle(refusals.verifier_full);
        }
      }
      this.#flush();
    });
  }

  #gather(): void {
    if (this.#lanes.lengthOf('suspect') >= this.#options.batchMax) {
      this.#flushSoon();
      return;
    }
    this.#stopGathering ??= this.#timers.after(suspectGatherMs, () => {
      this.#stopGathering = null;
      this.#flush(true);
    });
  }

  /** Sends what waits, spread over the room that there is. `gathered`: suspects need not be more than they are. */
  #flush(gathered = false): void {
    if (this.#lanes.length === 0) return;
    const { batchMax, deadlineMs } = this.#options;
    const few = this.#lanes.lengthOf('fresh') === 0 && this.#lanes.lengthOf('suspect') < batchMax;
    if (few && !gathered) {
      this.#gather();
      return;
    }
    const affordable = Math.max(1, Math.floor((deadlineMs * 1e6) / 4 / this.#tokenNanoseconds));
    const nowMs = this.#clock.monotonicMs();
    let room = this.#pool.room;
    while (room > 0 && this.#lanes.length > 0) {
      const count = Math.min(batchMax, affordable, Math.ceil(this.#lanes.length / room));
      const batch = this.#lanes.take(count);
      room -= 1;
      for (const pending of batch) {
        pending.state = 'sent';
        this.#observer.queueWaited(pending.lane, nowMs - pending.sinceMs);
      }
      this.#observer.batchSent(batch.length);
      if (batch.length > 0) this.#pool.send(batch, batch[0]!.lineage.profile);
    }
    this.#observer.queueHolds('fresh', this.#lanes.lengthOf('fresh'));
    this.#observer.queueHolds('suspect', this.#lanes.lengthOf('suspect'));
  }

  #judged(
    batch: readonly Pending[],
    outcomes: readonly Outcome[],
    nanoseconds: number,
    version: number,
  ): void {
    this.#observer.workerBusy(nanoseconds);
    if (batch.length > 0) this.#tokenNanoseconds += (nanoseconds / batch.length - this.#tokenNanoseconds) / 8;
    for (const [i, pending] of batch.entries()) {
      const outcome = outcomes[i]!;
      if (
        isRejection(outcome) &&
        outcome.code === 'token_key_unknown' &&
        this.#park(pending, outcome.issuer, version)
      ) {
        continue;
      }
      const known =
        pending.lineage === this.#lineage
          ? this.#keep(pending.token, pending.algorithm, outcome, version)
          : this.#told(outcome);
      this.#tell(pending, known);
    }
    this.#memory.report();
  }

  /** An unknown key may be a new one: its issuer's set is fetched, and the token is judged once more. */
  #park(pending: Pending, issuer: number, version: number): boolean {
    if (pending.rejudged || pending.state !== 'sent' || issuer < 0 || pending.waiters.size === 0)
      return false;
    if (pending.lineage.profile.version > version) {
      // The keys changed while the worker was at it. Versions only grow, so this ends.
      this.#again(pending);
      return true;
    }
    pending.rejudged = true;
    return this.#parking.park(pending, issuer);
  }

  #again(pending: Pending): void {
    this.#lanes.pushAgain(pending);
    this.#flushSoon();
  }

  #failed(batch: readonly Pending[]): void {
    for (const pending of batch) this.#settle(pending, refusals.verifier_failed);
  }

  #told(outcome: Outcome): Facts | Refusal {
    return isRejection(outcome) ? refusals[outcome.code] : outcome;
  }

  /** Remembers an outcome of the present lineage. */
  #keep(token: string, algorithm: string, outcome: Outcome, version: number): Facts | Refusal {
    return this.#memory.keep(token, algorithm, outcome, version, this.#clock.nowMs() / 1000);
  }

  /** A judgement. Whoever brought a bad token is suspected for it, also when the judgement came too late for the answer. */
  #tell(pending: Pending, outcome: Facts | Refusal): void {
    if (resultOf(outcome) === 'refused') this.#suspects.refused(pending.peerAddress);
    this.#settle(pending, outcome);
  }

  /** Answers everybody who waits. */
  #settle(pending: Pending, outcome: Facts | Refusal): void {
    if (pending.state === 'settled') return;
    this.#finish(pending);
    const result = resultOf(outcome);
    this.#observer.tokenVerified(result, this.#clock.monotonicMs() - pending.sinceMs);
    let cache: 'miss' | 'joined' = 'miss';
    for (const waiter of pending.waiters) {
      this.#byWaiter.delete(waiter);
      this.#observer.tokenSeen(pending.algorithm, result, cache);
      cache = 'joined';
      waiter.settle(outcome);
    }
    pending.waiters.clear();
  }

  #finish(pending: Pending): void {
    pending.state = 'settled';
    if (this.#inFlight.get(pending.token) === pending) this.#inFlight.delete(pending.token);
  }

  /** Ticks while anybody waits, several times within the deadline. */
  #keepTicking(): void {
    if (this.#stopTicking !== null || this.#closed) return;
    this.#stopTicking = this.#timers.after(Math.max(5, this.#options.deadlineMs / 8), () => {
      this.#stopTicking = null;
      this.#tick();
      if (this.#byWaiter.size > 0 || this.#pool.needsTick) this.#keepTicking();
    });
  }

  #tick(): void {
    const sinceMs = this.#clock.monotonicMs() - this.#options.deadlineMs;
    for (;;) {
      const pending = this.#lanes.expired(sinceMs);
      if (pending === undefined) break;
      this.#settle(pending, refusals.verifier_timeout);
    }
    // What is left of the late ones was sent or parked. Waiters stand in order of arrival, joiners aside.
    for (const pending of this.#byWaiter.values()) {
      if (pending.sinceMs > sinceMs) break;
      if (pending.state !== 'queued') this.#settle(pending, refusals.verifier_timeout);
    }
    this.#pool.tick();
  }
}
