/**
 * One login as the flight table's work: begun once, polled by one thread, stored once. Only the leader's is ever used; it
 * holds the secrets of the login until that has ended.
 */
import type { Clock } from '../core/clock.ts';
import { TICK_MS } from '../flight/cells.ts';
import type { Completion } from '../flight/completion.ts';
import type { Polled } from '../flight/effects.ts';
import type { Call, Creation, Work } from '../flight/work.ts';
import { type CredentialId, type CredentialStore, StoreFault, storedGrant } from './credential.ts';
import { encodeDetails } from './details.ts';
import { codeOf, type FlightReason, flightFailure, reasonOfFault } from './failure.ts';
import type { FlowState } from './flow.ts';
import type { BrokerObserver } from './observer.ts';
import type { Attempt, Grant, Provider } from './provider.ts';
import { type ProviderFault, providerFault } from './provider-fault.ts';
import { type LoginEffect, storeLogin } from './protocol/store-login.ts';
import { runVault, type Stored } from './protocol/vault.ts';

/** Who leads a login, as it can be spoken to. */
export interface Led {
  /** What a browser brought back. */
  answer(parameters: URLSearchParams): void;
  /** Stops what is under way, and takes back what is being stored. */
  cancel(): void;
}

export interface LoginParts {
  readonly provider: Provider;
  readonly id: CredentialId;
  readonly store: CredentialStore;
  readonly clock: Clock;
  readonly observer: BrokerObserver;
  /** Takes from the allowances of the caller and the account; false when there is nothing left. */
  readonly admit: () => boolean;
  /** The logins that this thread leads, by the table's id. */
  readonly led: Map<string, Led>;
  /** Whether another process has cancelled it, asked when the credential is stored. */
  readonly isCancelledElsewhere: () => Promise<boolean>;
  /** The credential was written: what others remember of it is old. */
  readonly changed: (id: CredentialId) => void;
  /** For operators: `what` failed. The error tells no secret. */
  readonly failed: (what: string, provider: string, error: unknown) => void;
}

/** Calls in a row that may fail for a passing reason; the next one ends the login. */
const passingFaultsMax = 6;
/** RFC 8628 section 3.5. */
const slowDownMs = 5000;
/** The longest pause after calls that failed. */
const backOffMsMax = 60_000;

export class Login implements Work, Led {
  readonly #parts: LoginParts;
  #attempt: Attempt | null = null;
  #grant: Grant | null = null;
  #flow: string | null = null;
  #beganMs = 0;
  #lapsesMs = 0;
  #intervalMs = 0;
  #passingFaults = 0;
  #isCancelled = false;
  #abort = new AbortController();
  #polling: Promise<Polled> | null = null;

  constructor(parts: LoginParts) {
    this.#parts = parts;
  }

  async create(call: Call): Promise<Creation> {
    const { provider, id, clock, admit, led } = this.#parts;
    if (!admit()) throw flightFailure('starts_limited');
    // A lease that was lost and won again is another login.
    this.#drop();
    this.#abort = new AbortController();
    this.#passingFaults = 0;
    this.#beganMs = clock.monotonicMs();
    let attempt: Attempt;
    try {
      attempt = await provider.begin(call.signal);
    } catch (error) {
      const fault = providerFault(error);
      this.#parts.failed('starting a login', provider.name, fault);
      throw flightFailure(reasonOfFault(fault), Math.max(coolDownMs, fault.retryAfterMs), fault);
    }
    this.#attempt = attempt;
    this.#intervalMs = attempt.intervalMs;
    this.#lapsesMs = clock.monotonicMs() + attempt.lifetimeMs;
    this.#flow = call.flowId;
    led.set(call.flowId, this);
    const payload = encodeDetails({
      provider: provider.name,
      account: id.account,
      step: attempt.step,
      expiresAtMs: clock.nowMs() + attempt.lifetimeMs,
      intervalSeconds: Math.max(1, Math.round(attempt.intervalMs / 1000)),
    });
    return { payload, flowMs: attempt.lifetimeMs, pollMs: attempt.firstPollMs };
  }

  /** One call at a time: one that outlasts the driver's patience is waited for again, for its answer may hold the grant. */
  poll(): Promise<Polled> {
    this.#polling ??= this.#poll().finally(() => {
      this.#polling = null;
    });
    return this.#polling;
  }

  /** What a browser brought back. */
  answer(parameters: URLSearchParams): void {
    this.#attempt?.answer?.(parameters);
  }

  /** The flow was cancelled, or is to be while it is being stored. Stops the call under way. */
  cancel(): void {
    this.#isCancelled = true;
    this.#abort.abort();
  }

  async persist(call: Call): Promise<void> {
    const grant = this.#grant;
    if (grant === null) throw flightFailure('internal');
    const stored = await runVault(storeLogin(grant, call.fence), (effect) => this.#perform(effect));
    if (stored === 'cancelled') throw flightFailure('cancelled', 0);
    if (stored === 'failed') throw flightFailure('store_failed', 0);
  }

  discard(): void {
    this.#drop();
  }

  ended(completion: Completion): void {
    const { provider, clock, observer } = this.#parts;
    const nowMs = clock.monotonicMs();
    observer.flowEnded(provider.name, this.#endOf(completion, nowMs), nowMs - this.#beganMs);
    this.#drop();
  }

  async #poll(): Promise<Polled> {
    const { provider, failed } = this.#parts;
    const attempt = this.#attempt;
    if (attempt === null) return failure('internal');
    try {
      const poll = await attempt.poll(this.#abort.signal);
      this.#passingFaults = 0;
      switch (poll.kind) {
        case 'slow_down':
          this.#intervalMs += slowDownMs;
          return { kind: 'pending', waitMs: this.#intervalMs };
        case 'pending':
          return { kind: 'pending', waitMs: this.#intervalMs };
        case 'granted':
          this.#grant = poll.grant;
          return { kind: 'approved' };
        case 'denied':
          return failure('access_denied');
        case 'expired':
          return failure('expired');
      }
    } catch (error) {
      // Stopped by us: the driver is about to see why.
      if (this.#abort.signal.aborted) return { kind: 'pending', waitMs: TICK_MS };
      const fault = providerFault(error);
      failed('asking for a login', provider.name, fault);
      return this.#afterFault(fault);
    }
  }

  #afterFault(fault: ProviderFault): Polled {
    if (fault.kind !== 'unreachable') return failure(reasonOfFault(fault));
    this.#passingFaults += 1;
    if (this.#passingFaults > passingFaultsMax) return failure('provider_unreachable');
    // RFC 8628 section 3.5: back off after a timeout.
    const backOffMs = Math.min(backOffMsMax, this.#intervalMs * 2 ** (this.#passingFaults - 1));
    return { kind: 'pending', waitMs: Math.max(backOffMs, fault.retryAfterMs) };
  }

  async #perform(effect: LoginEffect<Grant>): Promise<unknown> {
    const { store, id, changed } = this.#parts;
    switch (effect.type) {
      case 'isCancelled':
        return this.#isCancelled || (effect.isStored && (await this.#parts.isCancelledElsewhere()));
      case 'read':
        return this.#read();
      case 'write':
      case 'delete':
        try {
          if (effect.type === 'delete') {
            await store.delete(id, effect.fence);
            return true;
          }
          const replaced = await store.write({ id, grant: effect.grant }, effect.fence, effect.mode);
          return replaced === null ? null : storedGrant(replaced);
        } catch (error) {
          this.#storeFailed('write', error);
          return effect.type === 'delete' ? false : 'failed';
        } finally {
          changed(id);
        }
    }
  }

  /** What cannot be read is as good as nothing: a login replaces it. */
  async #read(): Promise<Stored<Grant> | null | 'failed'> {
    const { store, id } = this.#parts;
    try {
      const stored = await store.read(id);
      return stored === null ? null : storedGrant(stored);
    } catch (error) {
      if (error instanceof StoreFault && error.code === 'unreadable') return null;
      this.#storeFailed('read', error);
      return 'failed';
    }
  }

  #storeFailed(operation: 'read' | 'write', error: unknown): void {
    const { id, observer, failed } = this.#parts;
    observer.storeFailed(operation);
    failed('storing a credential', id.provider, error);
  }

  #endOf(completion: Completion, nowMs: number): FlowState {
    if (completion.kind === 'succeeded') return 'success';
    if (this.#isCancelled) return 'cancelled';
    if (completion.kind === 'failed') return completion.code === codeOf('expired') ? 'expired' : 'error';
    return nowMs >= this.#lapsesMs ? 'expired' : 'cancelled';
  }

  /** Lets go of the secrets, and stops what is under way for them. */
  #drop(): void {
    this.#abort.abort();
    this.#attempt = null;
    this.#grant = null;
    if (this.#flow !== null) this.#parts.led.delete(this.#flow);
    this.#flow = null;
  }
}

const coolDownMs = 1000;

/** A login that ended by its poll: the next start needs no pause. */
function failure(reason: FlightReason): Polled {
  return { kind: 'failed', code: codeOf(reason), coolDownTicks: 1 };
}
