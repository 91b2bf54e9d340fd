/**
 * What the broker asks of a provider, whatever its flow. An attempt is one login under way there: it holds the secrets of
 * the login, on the thread that leads it, and is dropped with it.
 *
 * Everything here fails with a `ProviderFault` and nothing else.
 */
import type { ProviderConfig } from '../config/schema.ts';
import type { Credential, GrantedTokens } from './credential.ts';
import type { FlowStep } from './flow.ts';

export type Grant = Credential['grant'];

export type AttemptPoll =
  | { readonly kind: 'pending' }
  /** Ask less often, from now on (RFC 8628 section 3.5). */
  | { readonly kind: 'slow_down' }
  | { readonly kind: 'granted'; readonly grant: Grant }
  /** The user, or the provider for them, said no. */
  | { readonly kind: 'denied' }
  | { readonly kind: 'expired' };

export interface Attempt {
  /** Public. The address of a `code` step lacks its `state`, which differs for each browser. */
  readonly step: FlowStep;
  readonly lifetimeMs: number;
  /** When to poll first, and how long to pause between polls. 0: at once. */
  readonly firstPollMs: number;
  readonly intervalMs: number;
  /** Asks once. Errors: `ProviderFault`. */
  poll(signal: AbortSignal): Promise<AttemptPoll>;
  /** Takes what a browser brought back; the first answer counts. Absent: no browser comes back. */
  answer?(parameters: URLSearchParams): void;
}

export interface LinkedSource {
  /** Whether there is a credential already, so that a start can be answered with its end. */
  isReady(): Promise<boolean>;
  /** The tokens as they are now; null when there are none. */
  tokens(): Promise<GrantedTokens | null>;
}

export interface Provider {
  readonly name: string;
  readonly flow: ProviderConfig['flow'];
  /** Begins a login. Errors: `ProviderFault`. */
  begin(signal: AbortSignal): Promise<Attempt>;
  /** Renews tokens (RFC 6749 section 6). Errors: `ProviderFault`. */
  refresh(grant: GrantedTokens): Promise<GrantedTokens>;
  /** For credentials that another program keeps. Absent: we keep them ourselves. */
  readonly linked?: LinkedSource;
}
