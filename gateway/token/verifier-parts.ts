/** What a verifier is made of and told, and what it tells. */
import type { Clock } from '../core/clock.ts';
import type { Timers } from '../core/timers.ts';
import type { LaneName } from './pending.ts';
import type { OpenWorker } from './worker.ts';

export interface VerifierOptions {
  readonly workers: number;
  readonly batchMax: number;
  /** What a listener spends on verifying tokens itself, in one turn of the event loop. */
  readonly ownNanosecondsPerTurn: number;
  readonly queueMax: number;
  readonly suspectQueueMax: number;
  readonly deadlineMs: number;
  readonly cacheEntries: number;
  readonly cacheBytes: number;
  readonly negativeEntries: number;
}

export type VerifyResult = 'accepted' | 'refused' | 'failed';

/** What is told of the work; `metrics/recorder.ts` fits. */
export interface VerifierObserver {
  /** One token that a request brought. `algorithm` is null when its header could not be read. */
  tokenSeen(
    algorithm: string | null,
    result: VerifyResult,
    cache: 'hit' | 'negative' | 'joined' | 'miss',
  ): void;
  /** One token that no cache knew, from its request to its facts. */
  tokenVerified(result: VerifyResult, durationMs: number): void;
  cacheHolds(entries: number, bytes: number): void;
  cacheEvicted(entries: number): void;
  batchSent(tokens: number): void;
  queueHolds(lane: LaneName, tokens: number): void;
  queueWaited(lane: LaneName, waitMs: number): void;
  workerBusy(nanoseconds: number): void;
  workerRestarted(): void;
}

/** What an issuer says of a token. Wall clock, milliseconds: until when that may be believed. */
export type Introspected =
  | { readonly kind: 'active'; readonly claims: object; readonly untilMs: number }
  | { readonly kind: 'inactive'; readonly untilMs: number }
  /** There was no answer. */
  | { readonly kind: 'failed' };

export interface VerifierParts {
  readonly open: OpenWorker;
  readonly clock: Clock;
  readonly timers: Timers;
  readonly observer: VerifierObserver;
  /**
   * Asks for an issuer's keys to be fetched. Resolves when that is over, whatever came of it; if the keys have changed,
   * `setProfile` has been called before.
   */
  readonly requestKeys: (issuer: number) => Promise<void>;
  /** Asks the issuer of an opaque token about it. Never rejects. */
  readonly introspect: (token: string) => Promise<Introspected>;
}
