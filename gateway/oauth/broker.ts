/**
 * The broker as one listener thread has it: starts logins once, finishes them once, refreshes credentials once, however
 * many callers and threads ask. The endpoints, the page and the injection of credentials are built on this.
 *
 * Every answer is a value: what the caller asked for, or a refusal of the catalogue (`isDenial` tells). Nothing throws.
 */
import type { Refusal } from '../core/errors.ts';
import type { Flow } from './flow.ts';

export interface StartRequest {
  readonly provider: string;
  /** Whose login it is, canonical: with the provider it is the key, of which one flow is live. */
  readonly account: string;
  /** Digest of the subject or session that asks: the id of the flow is good for this owner only. */
  readonly owner: Buffer;
  /** Digest of what binds the browser, for the callback of the code flow; the owner where there is nothing else. */
  readonly browser?: Buffer;
}

export interface Started {
  readonly flow: Flow;
  /** Whether this call made the flow, or joined one that was under way. */
  readonly role: 'leader' | 'joiner';
}

/** The parameters of an authorization response, as the browser brought them (RFC 6749 section 4.1.2, RFC 9207). */
export type CallbackParameters = URLSearchParams;

export interface AccessToken {
  readonly value: string;
  readonly expiresAtMs: number | null;
}

export type CredentialState =
  /** No login was stored. */
  | 'none'
  | 'valid'
  /** Its access token has expired and will be renewed on use. */
  | 'renewable'
  /** It has expired and cannot be renewed, or the provider refused to: log in again. */
  | 'ended'
  /** The store could not say. */
  | 'unknown';

export interface Login {
  readonly provider: string;
  readonly kind: 'device' | 'code' | 'device_pkce' | 'linked';
  readonly credential: CredentialState;
  readonly expiresAtMs: number | null;
  /** The flow under way for this account; null when there is none. */
  readonly flow: Flow | null;
}

export interface BrokerApi {
  /** The names of the providers, in the order of the configuration. */
  readonly providers: readonly string[];

  /** Starts the login, or joins the one under way. Answers when the user can be told what to do. */
  start(request: StartRequest): Promise<Started | Refusal>;

  /** How a flow stands. `oauth_flow_unknown` for one that is not this owner's, or that was kept long enough. */
  poll(flowId: string, owner: Buffer): Promise<Flow | Refusal>;

  /** The same when it changed from `pending`, at the latest after `timeoutMs`. Many may wait at once. */
  watch(flowId: string, owner: Buffer, timeoutMs: number): Promise<Flow | Refusal>;

  /**
   * Cancels, also while the credential is being stored: it is then taken back. Answers how the flow stands afterwards;
   * one that ended before keeps its end.
   */
  cancel(flowId: string, owner: Buffer): Promise<Flow | Refusal>;

  /** Takes the answer that a browser brings back in the code flow, once. Answers how the login ended. */
  callback(parameters: CallbackParameters, browser: Buffer): Promise<Flow | Refusal>;

  /** Every provider, with the stored login of this account and the flow under way. */
  list(account: string, owner: Buffer): Promise<readonly Login[]>;

  /** The access token to use now; refreshed before, if it was due. */
  credential(provider: string, account: string): Promise<AccessToken | Refusal>;

  /** Forgets a stored login. Answers whether there was one. */
  forget(provider: string, account: string): Promise<boolean | Refusal>;
}
