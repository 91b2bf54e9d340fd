/**
 * A token on its way through the verifier, with everybody who waits for it.
 *
 *   queued ──▶ sent ──▶ settled       (sent: to a worker, or judged here)
 *                 └──▶ parked (unknown key: the issuer's set is being fetched) ──▶ queued, once
 *
 * Whoever has no waiters left and is not yet sent is skipped; what was sent is judged to the end and kept by the cache.
 */
import type { Refusal } from '../core/errors.ts';
import type { Facts } from '../core/facts.ts';
import type { Lineage } from './lineage.ts';

/** Who waits for a token. `settle` is called exactly once unless the waiter is withdrawn, and never from within `verify`. */
export interface Waiter {
  settle(outcome: Facts | Refusal, work?: VerifierWork): void;
}

/** What it took to verify a token. Monotonic, milliseconds. */
export interface VerifierWork {
  /** The first who waits for it came. */
  readonly sinceMs: number;
  /** It went to a worker, or was judged here, the last time; 0 while it waits. */
  readonly sentMs: number;
  /** How many went together. */
  readonly batchTokens: number;
}

export type LaneName = 'fresh' | 'suspect';

export interface Pending extends VerifierWork {
  readonly token: string;
  readonly lineage: Lineage;
  readonly peerAddress: string | null;
  readonly lane: LaneName;
  readonly algorithm: string;
  sentMs: number;
  batchTokens: number;
  readonly waiters: Set<Waiter>;
  state: 'queued' | 'sent' | 'parked' | 'settled';
  /** It was judged again after its issuer's keys were fetched; that happens once. */
  rejudged: boolean;
}
