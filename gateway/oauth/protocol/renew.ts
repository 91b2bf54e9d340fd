/**
 * One refresh of one credential, by the leader of its flight. What is stored is read once the flight is won, so that no
 * refresh token is sent twice; what the provider grants is stored before the flight succeeds, so that nobody uses an access
 * token whose refresh token could still be lost.
 */
import { type Fence, refreshFence } from './fence.ts';
import { read, type ReadEffect, type VaultScript, write, type WriteEffect } from './vault.ts';

/** Answer to `refresh`. */
export type Refreshed<G, F> =
  | { readonly kind: 'granted'; readonly grant: G }
  /** The provider will not renew this grant again (RFC 6749 section 5.2: `invalid_grant`). */
  | { readonly kind: 'gone'; readonly fault: F }
  /** For another reason: the refresh token may be good still. */
  | { readonly kind: 'failed'; readonly fault: F };

export type RenewalEffect<G> =
  | ReadEffect
  | WriteEffect<G>
  /** Sends the refresh token of this grant, once. Answer: `Refreshed`. */
  | { readonly type: 'refresh'; readonly grant: G }
  /** Answer: what was kept in the place of what was written under this fence, or null. */
  | { readonly type: 'find'; readonly before: Fence }
  /** Keeps, for all threads, what the store did not take. */
  | { readonly type: 'keep'; readonly grant: G; readonly before: Fence };

/** What a grant is to its refresh. */
export interface RenewalTerms<G> {
  /** Is it to be renewed now? */
  isDue(grant: G): boolean;
  /** Is there a refresh token that was not refused yet? */
  isRenewable(grant: G): boolean;
  /** The same grant, marked as refused. */
  refused(grant: G): G;
}

export interface Renewed<G> {
  readonly grant: G;
  /** The fence of what it takes the place of. */
  readonly before: Fence;
}

export type Renewal<G, F> =
  /** To be stored (`storeRenewed`) before anybody uses it. */
  | { readonly kind: 'renewed'; readonly renewed: Renewed<G> }
  /** Somebody else was here before: there is nothing to do. */
  | { readonly kind: 'fresh' }
  | { readonly kind: 'absent' }
  /** Only a new login helps; `fault` where the provider said so just now. */
  | { readonly kind: 'refused'; readonly fault: F | null }
  | { readonly kind: 'store-failed' }
  | { readonly kind: 'failed'; readonly fault: F };

/** `flightFence` is that of the flight which the caller leads. */
export function* renew<G, F>(
  terms: RenewalTerms<G>,
  flightFence: bigint,
): VaultScript<RenewalEffect<G>, Renewal<G, F>> {
  const stored = yield* read<G>();
  if (stored === 'failed') return { kind: 'store-failed' };
  if (stored === null) return { kind: 'absent' };
  const { grant, fence: before } = stored;
  const kept = (yield { type: 'find', before }) as G | null;
  if (kept !== null) return { kind: 'renewed', renewed: { grant: kept, before } };
  if (!terms.isDue(grant)) return { kind: 'fresh' };
  if (!terms.isRenewable(grant)) return { kind: 'refused', fault: null };
  const answer = (yield { type: 'refresh', grant }) as Refreshed<G, F>;
  switch (answer.kind) {
    case 'granted':
      return { kind: 'renewed', renewed: { grant: answer.grant, before } };
    case 'failed':
      return { kind: 'failed', fault: answer.fault };
    case 'gone': {
      // What has changed meanwhile was not refused.
      const now = yield* read<G>();
      if (now === 'failed') return { kind: 'store-failed' };
      if (now?.fence === before) {
        const written = yield* write(terms.refused(grant), refreshFence(flightFence, before), 'update');
        if (written === 'failed') return { kind: 'store-failed' };
      }
      return { kind: 'refused', fault: answer.fault };
    }
  }
}

/**
 * Stores what was granted; where the store fails, all threads keep it, for it may be the only good one. Also for a leader
 * that has lost its lease meanwhile: whoever took over may have read the old refresh token, and if not even they have
 * written, this is all there is. The fence decides. Returns whether it is stored.
 */
export function* storeRenewed<G>(
  { grant, before }: Renewed<G>,
  flightFence: bigint,
): VaultScript<RenewalEffect<G>, boolean> {
  const isStored = (yield* write(grant, refreshFence(flightFence, before), 'update')) !== 'failed';
  if (!isStored) yield { type: 'keep', grant, before };
  return isStored;
}
