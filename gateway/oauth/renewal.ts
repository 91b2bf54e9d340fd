/**
 * One refresh of one credential as the flight table's work. The record is read again once the flight is won, so that no
 * refresh token is sent twice; what the provider grants is stored before the flight succeeds, so that nobody uses an
 * access token whose refresh token could still be lost.
 */
import type { Call, Creation, Work } from '../flight/work.ts';
import {
  type CredentialId,
  type CredentialStore,
  type GrantedTokens,
  type StoredCredential,
} from './credential.ts';
import { flightFailure, reasonOfFault } from './failure.ts';
import { refreshFence } from './fence.ts';
import type { BrokerObserver } from './observer.ts';
import type { Provider } from './provider.ts';
import { providerFault } from './provider-fault.ts';
import type { Unsaved, UnsavedTokens } from './unsaved.ts';

export interface RenewalParts {
  readonly provider: Provider;
  readonly id: CredentialId;
  readonly store: CredentialStore;
  readonly nowMs: () => number;
  readonly observer: BrokerObserver;
  /** Are these tokens to be renewed now? */
  readonly isDue: (tokens: GrantedTokens) => boolean;
  /** Pause after a refresh that failed for a passing reason. */
  readonly pauseMs: number;
  /** What earlier refreshes could not store. */
  readonly unsaved: Unsaved;
  /** Tells all threads of tokens that could not be stored. */
  readonly keep: (tokens: UnsavedTokens) => void;
  readonly changed: (id: CredentialId) => void;
  readonly failed: (what: string, provider: string, error: unknown) => void;
}

/** Longest life of the flight between the provider's answer and the store's: it waits for nobody. */
const publishedMs = 60_000;
/** Pause after an answer that nobody can use: it is not going to change soon. */
const invalidPauseMs = 30_000;

/** The error of a grant that is gone: revoked, expired, or its refresh token was used twice (RFC 6749 section 5.2). */
const grantGone = 'invalid_grant';

export class Renewal implements Work {
  readonly #parts: RenewalParts;
  #before: StoredCredential | null = null;
  #renewed: GrantedTokens | null = null;

  constructor(parts: RenewalParts) {
    this.#parts = parts;
  }

  /** The signal is not passed on: once a refresh token is out, its successor is worth more than the time. */
  async create(call: Call): Promise<Creation> {
    this.#renewed = null;
    const stored = await this.#read();
    if (stored === null) throw flightFailure('credential_absent', 0);
    const { grant } = stored.credential;
    this.#before = stored;
    const kept = this.#parts.unsaved.find(this.#parts.id, stored.fence);
    if (kept !== null) {
      this.#renewed = kept;
    } else if (grant.kind === 'tokens' && this.#parts.isDue(grant)) {
      if (grant.refusal !== null || grant.refreshToken === null) throw flightFailure('credential_refused', 0);
      this.#renewed = await this.#refresh(stored, grant, call.fence);
    }
    return { payload: null, flowMs: publishedMs, pollMs: 0 };
  }

  async persist(call: Call): Promise<void> {
    if (this.#renewed !== null) await this.#write(this.#renewed, call.fence);
  }

  /**
   * The lease was lost while the provider was at work. Whoever took over may have read the old refresh token; if not even
   * they have written, these tokens are the only good ones. The fence decides.
   */
  discard(call: Call): void {
    const renewed = this.#renewed;
    this.#renewed = null;
    // A refusal has been told by then.
    if (renewed !== null) this.#write(renewed, call.fence).catch(() => {});
  }

  async #refresh(stored: StoredCredential, grant: GrantedTokens, fence: bigint): Promise<GrantedTokens> {
    const { provider, pauseMs, nowMs, failed } = this.#parts;
    try {
      return await provider.refresh(grant);
    } catch (error) {
      const fault = providerFault(error);
      failed('refreshing a credential', provider.name, fault);
      if (fault.oauthCode === grantGone) {
        await this.#remember(stored, { ...grant, refusal: { code: grantGone, atMs: nowMs() } }, fence);
        throw flightFailure('credential_refused', 0, fault);
      }
      const waitMs = fault.kind === 'unreachable' ? Math.max(pauseMs, fault.retryAfterMs) : invalidPauseMs;
      throw flightFailure(reasonOfFault(fault), waitMs, fault);
    }
  }

  /** Keeps the refusal, unless the credential has changed meanwhile: then it was not refused. */
  async #remember(before: StoredCredential, refused: GrantedTokens, fence: bigint): Promise<void> {
    const now = await this.#read();
    if (now?.fence === before.fence) await this.#write(refused, fence);
  }

  async #read(): Promise<StoredCredential | null> {
    const { store, id, observer } = this.#parts;
    try {
      return await store.read(id);
    } catch (error) {
      observer.storeFailed('read');
      throw flightFailure('store_failed', undefined, error);
    }
  }

  async #write(grant: GrantedTokens, flightFence: bigint): Promise<void> {
    const { store, id, observer, keep, changed, failed } = this.#parts;
    const before = this.#before?.fence ?? 0n;
    try {
      await store.write({ id, grant }, refreshFence(flightFence, before), 'update');
    } catch (error) {
      if (grant.refusal === null) keep({ id, grant, before });
      observer.storeFailed('write');
      failed('storing a refreshed credential', id.provider, error);
      throw flightFailure('store_failed', undefined, error);
    } finally {
      changed(id);
    }
  }
}
