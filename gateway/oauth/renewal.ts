/** One refresh of one credential as the flight table's work: the protocol is `protocol/renew.ts`. */
import { assert } from '../core/assert.ts';
import type { Call, Creation, Work } from '../flight/work.ts';
import {
  type Credential,
  type CredentialId,
  type CredentialStore,
  type GrantedTokens,
  storedGrant,
} from './credential.ts';
import { flightFailure, reasonOfFault } from './failure.ts';
import type { BrokerObserver } from './observer.ts';
import type { Provider } from './provider.ts';
import { type ProviderFault, providerFault } from './provider-fault.ts';
import {
  type Refreshed,
  type RenewalEffect,
  type RenewalTerms,
  renew,
  type Renewed,
  storeRenewed,
} from './protocol/renew.ts';
import { runVault, type Stored, type WriteEffect } from './protocol/vault.ts';
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

type Grant = Credential['grant'];

export class Renewal implements Work {
  readonly #parts: RenewalParts;
  #renewed: Renewed<Grant> | null = null;

  constructor(parts: RenewalParts) {
    this.#parts = parts;
  }

  /** The signal is not passed on: once a refresh token is out, its successor is worth more than the time. */
  async create(call: Call): Promise<Creation> {
    this.#renewed = null;
    const renewal = await runVault(renew<Grant, ProviderFault>(this.#terms, call.fence), (effect) =>
      this.#perform(effect),
    );
    switch (renewal.kind) {
      case 'renewed':
        this.#renewed = renewal.renewed;
        break;
      case 'fresh':
        break;
      case 'absent':
        throw flightFailure('credential_absent', 0);
      case 'refused':
        throw flightFailure('credential_refused', 0, renewal.fault ?? undefined);
      case 'store-failed':
        throw flightFailure('store_failed');
      case 'failed': {
        const { fault } = renewal;
        const pauseMs =
          fault.kind === 'unreachable' ? Math.max(this.#parts.pauseMs, fault.retryAfterMs) : invalidPauseMs;
        throw flightFailure(reasonOfFault(fault), pauseMs, fault);
      }
    }
    return { payload: null, flowMs: publishedMs, pollMs: 0 };
  }

  async persist(call: Call): Promise<void> {
    if (this.#renewed !== null && !(await this.#store(this.#renewed, call)))
      throw flightFailure('store_failed');
  }

  /** The lease was lost while the provider was at work. */
  discard(call: Call): void {
    const renewed = this.#renewed;
    this.#renewed = null;
    // A refusal has been told by then.
    if (renewed !== null) void this.#store(renewed, call);
  }

  readonly #terms: RenewalTerms<Grant> = {
    isDue: (grant) => grant.kind === 'tokens' && this.#parts.isDue(grant),
    isRenewable: (grant) => grant.kind === 'tokens' && grant.refusal === null && grant.refreshToken !== null,
    refused: (grant) =>
      grant.kind === 'tokens' ? { ...grant, refusal: { code: grantGone, atMs: this.#parts.nowMs() } } : grant,
  };

  #store(renewed: Renewed<Grant>, call: Call): Promise<boolean> {
    return runVault(storeRenewed(renewed, call.fence), (effect) => this.#perform(effect));
  }

  async #perform(effect: RenewalEffect<Grant>): Promise<unknown> {
    const { id, unsaved, keep } = this.#parts;
    switch (effect.type) {
      case 'read':
        return this.#read();
      case 'write':
        return this.#write(effect);
      case 'refresh':
        return this.#refresh(effect.grant);
      case 'find':
        return unsaved.find(id, effect.before);
      case 'keep':
        if (effect.grant.kind === 'tokens') keep({ id, grant: effect.grant, before: effect.before });
        return undefined;
    }
  }

  async #refresh(grant: Grant): Promise<Refreshed<Grant, ProviderFault>> {
    const { provider, failed } = this.#parts;
    assert(grant.kind === 'tokens', 'only tokens are renewed');
    try {
      return { kind: 'granted', grant: await provider.refresh(grant) };
    } catch (error) {
      const fault = providerFault(error);
      failed('refreshing a credential', provider.name, fault);
      return { kind: fault.oauthCode === grantGone ? 'gone' : 'failed', fault };
    }
  }

  async #read(): Promise<Stored<Grant> | null | 'failed'> {
    const { store, id, observer } = this.#parts;
    try {
      const stored = await store.read(id);
      return stored === null ? null : storedGrant(stored);
    } catch {
      observer.storeFailed('read');
      return 'failed';
    }
  }

  async #write({ grant, fence, mode }: WriteEffect<Grant>): Promise<Stored<Grant> | null | 'failed'> {
    const { store, id, observer, changed, failed } = this.#parts;
    try {
      const replaced = await store.write({ id, grant }, fence, mode);
      return replaced === null ? null : storedGrant(replaced);
    } catch (error) {
      observer.storeFailed('write');
      failed('storing a refreshed credential', id.provider, error);
      return 'failed';
    } finally {
      changed(id);
    }
  }
}
