/**
 * The access tokens that requests need, as one thread remembers them: read from the store, renewed before they expire, by
 * one flight for all threads. What is remembered is read again after a while, and at once when somebody has written.
 */
import type { OauthConfig } from '../config/schema.ts';
import type { Clock } from '../core/clock.ts';
import { type Refusal, refusals } from '../core/errors.ts';
import type { FlightKey } from '../flight/digest.ts';
import type { FlightTable } from '../flight/table.ts';
import type { Work } from '../flight/work.ts';
import type { Credential, CredentialId, CredentialStore, GrantedTokens } from './credential.ts';
import { type FlightReason, reasonOf } from './failure.ts';
import type { BrokerObserver } from './observer.ts';
import type { Provider } from './provider.ts';
import { Renewal } from './renewal.ts';
import { Unsaved, type UnsavedTokens } from './unsaved.ts';

export interface AccessToken {
  readonly value: string;
  /** Milliseconds since the epoch; null when the provider did not say. */
  readonly expiresAtMs: number | null;
}

export interface RefreshSettings {
  /** Tokens are renewed this long before they expire. */
  readonly aheadMs: number;
  /** And up to this much sooner, at random, so that threads and processes do not come at once. */
  readonly jitterMs: number;
  /** Longest wait of a request. */
  readonly waitMs: number;
  readonly pauseMs: number;
}

export function refreshSettingsOf({ refresh }: OauthConfig): RefreshSettings {
  return {
    aheadMs: refresh.aheadSeconds * 1000,
    jitterMs: refresh.jitterSeconds * 1000,
    waitMs: refresh.timeoutMs,
    pauseMs: refresh.retryAfterMs,
  };
}

export interface CredentialsParts {
  readonly table: Pick<FlightTable, 'start'>;
  readonly store: CredentialStore;
  readonly clock: Clock;
  readonly random: () => number;
  readonly observer: BrokerObserver;
  readonly settings: () => RefreshSettings;
  readonly keep: (tokens: UnsavedTokens) => void;
  readonly changed: (id: CredentialId) => void;
  /** Makes the work that of all processes. */
  readonly share: (key: FlightKey, id: CredentialId, work: Work) => Work;
  readonly failed: (what: string, provider: string, error: unknown) => void;
}

interface Remembered {
  readonly grant: Credential['grant'] | null;
  readonly readMs: number;
  /** Sooner than others by this part of the jitter. */
  readonly early: number;
}

/** How long what was read is believed. Other processes and programs may write, too. */
const rememberedMs = 30_000;
/** The same of a credential that another program keeps, and of one that is not there. */
const briefMs = 2000;
const entriesMax = 16_384;
/** With less time left than this a request waits for the refresh instead of using the old token. */
const usableMs = 10_000;
/** Leases that a refresh may take. */
const leases = 6;

export class Credentials {
  readonly #parts: CredentialsParts;
  readonly #remembered = new Map<string, Remembered>();
  readonly #reading = new Map<string, Promise<Remembered>>();
  readonly #unsaved = new Unsaved();
  /** Refreshes that this thread waits for, and may lead. */
  readonly #renewing = new Set<Promise<unknown>>();

  constructor(parts: CredentialsParts) {
    this.#parts = parts;
  }

  /** The access token to use now. Never throws. */
  async token(provider: Provider, account: string): Promise<AccessToken | Refusal> {
    const id = { provider: provider.name, account };
    const known = await this.#known(id);
    if (known === null) return refusals.oauth_store_unavailable;
    const { grant } = known;
    if (grant === null) return refusals.credential_absent;
    if (grant.kind === 'linked') return this.#linked(provider);
    const leftMs = this.#leftMs(grant);
    if (leftMs > this.#aheadMs(grant, known.early)) return tokenOf(grant);
    if (grant.refreshToken === null || grant.refusal !== null)
      return leftMs > 0 ? tokenOf(grant) : refusals.credential_refused;
    const renewing = this.#renew(provider, id);
    // The old token is still good for a while: nobody has to wait.
    if (leftMs > usableMs) return tokenOf(grant);
    const refusal = await renewing;
    if (refusal !== null && this.#leftMs(grant) > 0) return tokenOf(grant);
    if (refusal !== null) return refusal;
    const renewed = await this.#known(id);
    if (renewed === null) return refusals.oauth_store_unavailable;
    if (renewed.grant?.kind !== 'tokens') return refusals.credential_absent;
    return this.#leftMs(renewed.grant) > 0 ? tokenOf(renewed.grant) : refusals.credential_unavailable;
  }

  /** Remembers tokens that could not be stored. */
  keep(tokens: UnsavedTokens): void {
    this.#unsaved.keep(tokens);
  }

  /** Resolves when no refresh is under way that this thread may lead: to end it sooner could lose a grant. */
  async quiet(): Promise<void> {
    await Promise.all(this.#renewing);
  }

  /** What is remembered of this credential is old. */
  forget({ provider, account }: CredentialId): void {
    const key = keyOf(provider, account);
    this.#remembered.delete(key);
    this.#reading.delete(key);
  }

  /** Null: the store failed. */
  async #known(id: CredentialId): Promise<Remembered | null> {
    const key = keyOf(id.provider, id.account);
    const known = this.#remembered.get(key);
    if (known !== undefined && this.#parts.clock.monotonicMs() - known.readMs < lifeOf(known)) return known;
    let reading = this.#reading.get(key);
    if (reading === undefined) this.#reading.set(key, (reading = this.#read(id)));
    try {
      const read = await reading;
      // Unless it was forgotten while it was being read.
      if (this.#reading.get(key) === reading) this.#remember(key, read);
      return read;
    } catch (error) {
      this.#parts.failed('reading a credential', id.provider, error);
      return null;
    } finally {
      if (this.#reading.get(key) === reading) this.#reading.delete(key);
    }
  }

  async #read(id: CredentialId): Promise<Remembered> {
    const { store, clock, random, observer } = this.#parts;
    const readMs = clock.monotonicMs();
    try {
      const stored = await store.read(id);
      return { grant: stored?.credential.grant ?? null, readMs, early: random() };
    } catch (error) {
      observer.storeFailed('read');
      throw error;
    }
  }

  #remember(key: string, read: Remembered): void {
    this.#remembered.delete(key);
    this.#remembered.set(key, read);
    if (this.#remembered.size <= entriesMax) return;
    const [oldest] = this.#remembered.keys();
    if (oldest !== undefined) this.#remembered.delete(oldest);
  }

  /** Null when the credential is fresh now, by whoever's work. */
  async #renew(provider: Provider, id: CredentialId): Promise<Refusal | null> {
    const { table, store, clock, observer, settings, keep, changed, share, failed } = this.#parts;
    const { waitMs, pauseMs } = settings();
    const work = new Renewal({
      provider,
      id,
      store,
      nowMs: () => clock.nowMs(),
      observer,
      // As late as any thread would have it, so that what one has renewed is fresh to all.
      isDue: (tokens) => this.#leftMs(tokens) <= this.#aheadMs(tokens, 1),
      pauseMs,
      unsaved: this.#unsaved,
      keep,
      changed,
      failed,
    });
    const key = { provider: `refresh ${provider.name}`, account: id.account };
    const options = { until: 'settled', payload: false, waitMs, leases } as const;
    observer.waiting(1);
    const starting = table.start(key, share(key, id, work), options);
    this.#renewing.add(starting);
    const answer = await starting;
    this.#renewing.delete(starting);
    observer.waiting(-1);
    const ok = answer.kind === 'flow' && answer.state === 'success';
    const led = answer.kind === 'flow' ? answer.led : answer.kind === 'failed' && !answer.shared;
    observer.refreshed(provider.name, led ? 'led' : 'joined', ok);
    this.forget(id);
    if (ok) return null;
    return answer.kind === 'failed' ? refusalFor(reasonOf(answer.code)) : refusals.credential_unavailable;
  }

  async #linked(provider: Provider): Promise<AccessToken | Refusal> {
    const tokens = (await provider.linked?.tokens()) ?? null;
    if (tokens === null) return refusals.credential_absent;
    return this.#leftMs(tokens) > 0 ? tokenOf(tokens) : refusals.credential_refused;
  }

  #leftMs({ expiresAtMs }: GrantedTokens): number {
    return expiresAtMs === null ? Infinity : expiresAtMs - this.#parts.clock.nowMs();
  }

  /** A token that lives shorter than the usual margin is not renewed with every request. */
  #aheadMs({ expiresAtMs, obtainedAtMs }: GrantedTokens, early: number): number {
    if (expiresAtMs === null) return 0;
    const { aheadMs, jitterMs } = this.#parts.settings();
    return Math.min(aheadMs + jitterMs * early, Math.max(0, expiresAtMs - obtainedAtMs) / 4);
  }
}

const keyOf = (provider: string, account: string): string => `${provider.length} ${provider}${account}`;

const tokenOf = ({ accessToken, expiresAtMs }: GrantedTokens): AccessToken => ({
  value: accessToken,
  expiresAtMs,
});

const lifeOf = ({ grant }: Remembered): number => (grant?.kind === 'tokens' ? rememberedMs : briefMs);

/** A request needs to know only whether its user has to log in again, or our side has to recover. */
function refusalFor(reason: FlightReason): Refusal {
  if (reason === 'credential_absent') return refusals.credential_absent;
  return reason === 'credential_refused' ? refusals.credential_refused : refusals.credential_unavailable;
}
