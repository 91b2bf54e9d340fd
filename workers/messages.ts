/**
 * What crosses between a listener thread and its verify workers, and nothing else.
 * Raise `messagesVersion` with every change of shape.
 */
import type { KeyObject } from 'node:crypto';
import type { RefusalCode } from '../gateway/core/errors.ts';
import type { Facts } from '../gateway/core/facts.ts';
import type { Projection } from '../gateway/route/policy.ts';

export const messagesVersion = 3;

export interface VerificationKey {
  /** Unique for the life of the process; the same key in two sets of one issuer keeps its id. */
  readonly keyId: number;
  readonly kid: string | null;
  /** The algorithms that this key may verify: those of the issuer that fit its type, curve and `alg`. */
  readonly algorithms: readonly string[];
  readonly key: KeyObject;
}

/** What verification needs to know of an issuer. */
export interface IssuerProfile {
  readonly issuer: string | null;
  readonly algorithms: readonly string[];
  /** Null while no key set has been loaded or the last good one is too old: then the answer is 503. */
  readonly keys: readonly VerificationKey[] | null;
  readonly requireKid: boolean;
  /** It is asked about tokens that are no JWTs; so is one issuer at most. */
  readonly introspects: boolean;
  readonly tokenBytesMax: number;
  /** Lower case, `application/` removed; null accepts `jwt`, `at+jwt` and none. */
  readonly typ: readonly string[] | null;
  readonly requiredClaims: readonly string[];
  readonly scopeClaims: readonly (readonly string[])[];
  readonly subjectClaim: string;
  /** `uuid`: the subject must be one, and is known in its canonical form. */
  readonly subjectFormat: 'any' | 'uuid';
  readonly tokenTypes: {
    readonly claim: string;
    readonly values: readonly string[];
    readonly default: string;
  } | null;
}

/** Everything that facts depend on besides the token. Immutable; a change makes a new one with a higher version. */
export interface VerifierProfile {
  readonly version: number;
  readonly issuers: readonly IssuerProfile[];
  readonly scopes: readonly string[];
  /** By scope index: the scopes that it grants, itself included. */
  readonly implied: readonly (readonly number[])[];
  readonly audiences: readonly string[];
  readonly projections: readonly Projection[];
}

export interface VerifyTask {
  readonly version: number;
  /** Sent again to a worker that answered `stale`. */
  readonly profile: VerifierProfile | null;
  readonly tokens: readonly string[];
}

/** A refused token; `issuer` is its index where it got that far, else -1. */
export interface Rejection {
  readonly code: RefusalCode;
  readonly issuer: number;
}

export type Outcome = Facts | Rejection;

export type VerifyReply =
  | { readonly kind: 'stale' }
  | { readonly kind: 'done'; readonly outcomes: readonly Outcome[]; readonly nanoseconds: number };
