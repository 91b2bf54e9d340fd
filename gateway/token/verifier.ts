/**
 * Verification as a listener sees it: ask the caches (`lookup`), else have the token verified (`verify`).
 *
 * One for each listener thread. Of the tokens that arrive in one turn of the event loop a few are judged here and the others
 * go to a worker together (`dispatch.ts`); a token that is already on its way is joined. The answer is facts or a rejection,
 * and both are kept: facts until their key leaves its set or the vocabulary changes, rejections for one version of the profile.
 *
 * Not here: time, routes and scopes (`route/decide.ts`), fetching of keys (`keys/`).
 */
import { BriefMap } from '../core/brief-map.ts';
import type { Clock } from '../core/clock.ts';
import { refusals } from '../core/errors.ts';
import type { Refusal } from '../core/errors.ts';
import type { Facts } from '../core/facts.ts';
import type { Timers } from '../core/timers.ts';
import type { Outcome, VerifierProfile } from '../../workers/messages.ts';
import { compiledOf } from './compiled.ts';
import { Dispatch } from './dispatch.ts';
import { inspect, isRejection, judge, judgeSafely } from './judge.ts';
import { Memory } from './memory.ts';
import { OpaqueTokens } from './opaque.ts';
import { Parking } from './parking.ts';
import { lineageText } from './lineage.ts';
import type { Lineage } from './lineage.ts';
import type { Pending, Waiter } from './pending.ts';
import { WorkerPool } from './pool.ts';
import { Suspects } from './suspects.ts';
import type { VerifierObserver, VerifierOptions, VerifierParts, VerifyResult } from './verifier-parts.ts';

const resultOf = (outcome: Facts | Refusal): VerifyResult => {
  if (!('code' in outcome)) return 'accepted';
  return outcome.source === 'gateway' ? 'failed' : 'refused';
};

/** 72 bits of the signature. To hash a whole token costs a microsecond. */
const tailOf = (token: string): string => token.slice(-12);

export class Verifier {
  readonly #options: VerifierOptions;
  readonly #clock: Clock;
  readonly #timers: Timers;
  readonly #observer: VerifierObserver;
  readonly #memory: Memory;
  readonly #dispatch: Dispatch;
  readonly #parking: Parking;
  readonly #opaque: OpaqueTokens;
  readonly #suspects: Suspects;
  readonly #pool: WorkerPool;
  /** By the end of the token (`tailOf`). Of two with one tail, the later one can be joined. */
  readonly #inFlight = new BriefMap<string, Pending>();
  readonly #byWaiter = new BriefMap<Waiter, Pending>();
  /** Refused before they got a place; told at the end of the turn. */
  readonly #turnedAway: Waiter[] = [];
  #lineage: Lineage;
  #lineageText: string;
  #acceptsHmac: boolean;
  #stopTicking: (() => void) | null = null;
  #closed = false;

  constructor(profile: VerifierProfile, options: VerifierOptions, parts: VerifierParts) {
    this.#options = options;
    this.#clock = parts.clock;
    this.#timers = parts.timers;
    this.#observer = parts.observer;
    this.#memory = new Memory(profile, options, parts.observer);
    this.#suspects = new Suspects(parts.clock);
    this.#lineage = { profile };
    this.#lineageText = lineageText(profile);
    this.#acceptsHmac = compiledOf(profile).acceptsHmac;
    this.#opaque = new OpaqueTokens({
      entriesMax: options.cacheEntries,
      introspect: parts.introspect,
      nowMs: parts.clock.nowMs,
      observer: parts.observer,
    });
    this.#parking = new Parking(parts.requestKeys, {
      again: (pending) => this.#again(pending),
      giveUp: (pending, refusal) => this.#tell(pending, refusal),
    });
    this.#pool = new WorkerPool(options.workers, parts.open, profile, options.deadlineMs, parts.clock, {
      judged: (batch, outcomes, nanoseconds, version) => {
        this.#observer.workerBusy(nanoseconds);
        this.#judged(batch, outcomes, nanoseconds, version);
      },
      failed: (batch) => this.#failed(batch),
      restarted: () => {
        this.#observer.workerRestarted();
        this.#keepTicking();
      },
      free: () => this.#dispatch.flush(),
    });
    this.#dispatch = new Dispatch(options, parts, this.#pool, (batch) => this.#judgeHere(batch));
  }

  /** By key id: 1 while the key is in its set; ids beyond the end are withdrawn. */
  get liveKeys(): ArrayLike<number> {
    return this.#memory.liveKeys;
  }

  /** Starts the workers; resolves when all have. Until then only this thread judges. */
  openWorkers(): Promise<void> {
    this.#keepTicking();
    return this.#pool.open();
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
      if (this.#isOpaque(header)) return this.#opaque.find(token);
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
    const joined = this.#inFlight.get(tailOf(token));
    if (joined?.token === token) {
      joined.waiters.add(waiter);
      this.#byWaiter.set(waiter, joined);
      return;
    }
    const header = inspect(this.#lineage.profile, token);
    if (this.#isOpaque(header)) return this.#opaque.verify(token, this.#lineage, waiter);
    const pending: Pending = {
      token,
      lineage: this.#lineage,
      peerAddress,
      lane: this.#suspects.isSuspect(peerAddress) ? 'suspect' : 'fresh',
      algorithm: typeof header === 'string' ? 'other' : header.algorithm.name,
      sinceMs: this.#clock.monotonicMs(),
      sentMs: 0,
      batchTokens: 0,
      waiters: new Set([waiter]),
      state: 'queued',
      rejudged: false,
    };
    this.#byWaiter.set(waiter, pending);
    if (this.#closed || !this.#dispatch.push(pending)) {
      pending.state = 'settled';
      this.#turnAway(waiter);
    } else this.#inFlight.set(tailOf(token), pending);
    this.#keepTicking();
  }

  /** The request has gone: its waiter will not be called. A token nobody waits for any more is not sent. */
  withdraw(waiter: Waiter): void {
    const pending = this.#byWaiter.get(waiter);
    if (pending === undefined) return this.#opaque.withdraw(waiter);
    this.#byWaiter.delete(waiter);
    pending.waiters.delete(waiter);
    if (pending.waiters.size > 0 || pending.state !== 'queued') return;
    this.#dispatch.forget(pending);
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
      this.#opaque.clear();
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
    this.#dispatch.close();
    this.#opaque.close();
    const closing = this.#pool.close();
    for (const pending of new Set(this.#byWaiter.values())) {
      this.#settle(pending, refusals.gateway_draining);
    }
    await closing;
  }

  /** A token that is no JWT is one that its issuer is asked about, where there is such an issuer. */
  #isOpaque(header: ReturnType<typeof inspect>): boolean {
    return header === 'token_malformed' && compiledOf(this.#lineage.profile).acceptsOpaque;
  }

  /** `verify` settles nothing within itself, so the answer comes at the end of the turn. */
  #turnAway(waiter: Waiter): void {
    this.#turnedAway.push(waiter);
    if (this.#turnedAway.length > 1) return;
    this.#timers.soon(() => {
      for (const each of this.#turnedAway.splice(0)) {
        if (!this.#byWaiter.delete(each)) continue;
        this.#observer.tokenSeen(null, 'failed', 'miss');
        each.settle(refusals.verifier_full);
      }
    });
  }

  /** Judges a batch on this thread. */
  #judgeHere(batch: readonly Pending[]): void {
    const { profile } = batch[0]!.lineage;
    const startMs = this.#clock.monotonicMs();
    const outcomes = batch.map(({ token }) => judgeSafely(profile, token));
    const nanoseconds = (this.#clock.monotonicMs() - startMs) * 1e6;
    this.#judged(batch, outcomes, nanoseconds, profile.version);
  }

  #judged(
    batch: readonly Pending[],
    outcomes: readonly Outcome[],
    nanoseconds: number,
    version: number,
  ): void {
    this.#dispatch.judged(batch.length, nanoseconds);
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
    this.#dispatch.pushAgain(pending);
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
      waiter.settle(outcome, pending);
    }
    pending.waiters.clear();
  }

  #finish(pending: Pending): void {
    pending.state = 'settled';
    const tail = tailOf(pending.token);
    if (this.#inFlight.get(tail) === pending) this.#inFlight.delete(tail);
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
      const pending = this.#dispatch.expired(sinceMs);
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
