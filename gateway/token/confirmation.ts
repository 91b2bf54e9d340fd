/**
 * What a token says about who may use it besides its bearer: the claim `cnf` (RFC 7800 section 3).
 *
 * A binding to a client certificate is understood (RFC 8705 section 3.1), and `route/decide.ts` holds callers to it. Any other
 * way to confirm (`jkt` of DPoP, `jwk`, `kid` …) asks for a proof that nothing here looks at. RFC 7800 section 3.1 lets members
 * that are not understood be ignored unless an application asks otherwise. This one does: who stole such a token could use
 * it, while its issuer counts on that nobody can (RFC 9449 section 7.2 forbids it for DPoP to those who know of it).
 */
import { type Refusal, refusals } from '../core/errors.ts';

/** SHA-256 in base64url. */
const THUMBPRINT = /^[\w-]{43}$/;

/** The thumbprint that `cnf` names, null where there is no `cnf`. Errors: `token_claims_invalid`, `token_confirmation`. */
export function boundCertificate(cnf: unknown): string | null | Refusal {
  if (cnf === undefined) return null;
  if (typeof cnf !== 'object' || cnf === null || Array.isArray(cnf)) return refusals.token_claims_invalid;
  const { 'x5t#S256': thumbprint, ...others } = cnf as Readonly<Record<string, unknown>>;
  if (thumbprint === undefined || Object.keys(others).length > 0) return refusals.token_confirmation;
  if (typeof thumbprint !== 'string' || !THUMBPRINT.test(thumbprint)) return refusals.token_claims_invalid;
  return thumbprint;
}
