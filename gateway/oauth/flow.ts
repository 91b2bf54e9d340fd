/** A login as those who started it see it. Nothing here is secret, and nothing else is ever told. */

export const flowStates = ['pending', 'success', 'expired', 'cancelled', 'error'] as const;
export type FlowState = (typeof flowStates)[number];

/** What the user has to do for the login to go on. */
export type FlowStep =
  /** Enter the code at the address (RFC 8628 section 3.3). */
  | {
      readonly kind: 'device';
      readonly userCode: string;
      readonly verificationUri: string;
      readonly verificationUriComplete: string | null;
    }
  /** Visit the provider, which sends the browser back to the callback. The address is the asking browser's own. */
  | { readonly kind: 'code'; readonly authorizationUri: string }
  /** Log in with the program that keeps the credential on this host. */
  | { readonly kind: 'linked'; readonly instruction: string };

export interface Flow {
  /** 32 hexadecimal digits; unguessable, and good for the owner it was given to only. */
  readonly id: string;
  readonly state: FlowState;
  /** Why it ended as `error`, or was denied; null otherwise. */
  readonly failure: FlowFailure | null;
  /** What was made for it; null when it ended and the key was used for another flow since. */
  readonly details: FlowDetails | null;
}

export interface FlowDetails {
  readonly provider: string;
  readonly account: string;
  readonly step: FlowStep;
  /** Units: milliseconds since the epoch. */
  readonly expiresAtMs: number;
  /** How often to ask us, in seconds; what we ask the provider may slow down. */
  readonly intervalSeconds: number;
}

/** Why a login failed: a closed set, told as it is. */
export const flowFailures = [
  /** The user or the provider said no. */
  'access_denied',
  /** The provider could not be reached, or only failed, too often in a row. */
  'provider_unreachable',
  /** What the provider answered cannot be used. */
  'provider_invalid',
  /** The provider refused our request: our registration there is wrong. */
  'provider_refused',
  /** It did not answer in time. */
  'provider_timeout',
  /** The credential could not be stored. */
  'store_failed',
  /** The answer of the browser was not that of this login (state, issuer, code). */
  'callback_invalid',
  /** Too many logins are started for this account. */
  'starts_limited',
  /** As many logins are under way as may be. */
  'flows_full',
  /** The thread or process that led it ended. */
  'interrupted',
  /** What processes share their logins by cannot be reached. */
  'shared_unavailable',
  'internal',
] as const;
export type FlowFailure = (typeof flowFailures)[number];
