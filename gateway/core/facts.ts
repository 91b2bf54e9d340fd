/**
 * Facts: what a verified token says, independent of any route and of the present time.
 *
 * A cache holds facts, never verdicts: time window, key, audience, issuer, type, scopes and subject are decided anew for
 * every request (`route/decide.ts`). Facts cross from a verify worker to its listener, so they are plain data.
 */
import type { Refusal } from './errors.ts';
import type { Mask } from './mask.ts';

export interface Facts {
  /** Index of the issuer in the vocabulary. */
  readonly issuer: number;
  /** Identity of the key that verified the token; unique for the life of the process, dead once it left its key set. */
  readonly keyId: number;
  readonly expSeconds: number;
  /** `-Infinity` when the token has none. */
  readonly nbfSeconds: number;
  /** `-Infinity` when the token has none. */
  readonly iatSeconds: number;
  /** One bit for each audience that the configuration names. */
  readonly audiences: Mask;
  readonly scopes: Mask;
  /** The token type's bit; 0 where the issuer has no token types. */
  readonly tokenType: number;
  readonly subject: string | null;
  /**
   * Thumbprint of the client certificate that the token is bound to, null for a bearer token. Shape: base64url of the
   * SHA-256 of its DER form. Source: RFC 8705 section 3.1 (`x5t#S256`).
   */
  readonly certificate: string | null;
  /**
   * The claims that some route forwards, ready to be sent, in the order of the vocabulary's projections:
   * a string, `null` when the claim is absent, `false` when it is there but cannot be a header value.
   */
  readonly claims: readonly (string | null | false)[];
}

/** Is this the word of a token that is bound to a client certificate? */
export function isBound(outcome: Facts | Refusal): boolean {
  return !('code' in outcome) && outcome.certificate !== null;
}
