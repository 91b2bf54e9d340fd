/**
 * Error profiles: what becomes of an entry of the catalogue for callers who expect another shape than RFC 9457.
 *
 * `problem` is the catalogue as it stands. `detail` is what FastAPI services answer and their clients parse: one member
 * `detail`, 401 for a missing bearer token only, 403 for every token that will not do. Our own failures keep their 5xx in
 * either: a caller may come again with the same token, and must not be told that it is bad.
 *
 * `listener/respond.ts` turns this into bytes; `explain` tells people.
 */
import { refusals, type Refusal, type RefusalCode } from '../core/errors.ts';
import type { Facts } from '../core/facts.ts';
import type { Route, Vocabulary } from './policy.ts';
import type { ErrorProfile } from './source.ts';

export const defaultErrorProfile: ErrorProfile = Object.freeze({
  body: 'problem',
  challenge: true,
  reasons: false,
});

const invalidToken = 'Invalid auth token';

/** The wording that callers of such services know; everything else says what the catalogue says. */
const details: { readonly [C in RefusalCode]?: string } = {
  route_not_found: 'Not Found',
  method_not_allowed: 'Method Not Allowed',
  credentials_missing: 'Missing auth token',
};

/** What PyJWT calls it, as far as it can be said without a word of the token. */
const reasons: { readonly [C in RefusalCode]?: string } = {
  token_malformed: 'Not enough segments',
  token_header_invalid: 'Invalid token header',
  token_algorithm: 'The specified alg value is not allowed',
  token_key_unknown: 'The keyset has no key for this kid',
  token_signature: 'Signature verification failed',
  token_withdrawn: 'Signature verification failed',
  token_claim_missing: 'Token is missing a required claim',
  token_issuer: 'Invalid issuer',
  token_audience: "Audience doesn't match",
  token_expired: 'Signature has expired',
  token_not_yet_valid: 'The token is not yet valid (nbf)',
  token_issued_in_future: 'The token is not yet valid (iat)',
  token_type_unknown: 'Invalid token scope',
};

/** Is this about the token itself, or about more tokens than one? */
export const isAboutToken = ({ challenge }: Refusal): boolean =>
  challenge === 'invalid_token' || challenge === 'invalid_request';

/** What FastAPI says of a body that cannot be parsed, without a word of the body. */
const jsonInvalid = [{ type: 'json_invalid', loc: ['body'], msg: 'JSON decode error', input: {} }];

/** The status that a caller is answered with. */
export function statusIn(profile: ErrorProfile, refusal: Refusal): number {
  if (profile.body === 'problem') return refusal.status;
  if (refusal === refusals.body_not_json) return 422;
  return isAboutToken(refusal) ? 403 : refusal.status;
}

/** What `detail` says where neither the route nor the token matters. */
export function detailIn(profile: ErrorProfile, refusal: Refusal): string | readonly object[] {
  if (refusal === refusals.body_not_json) return jsonInvalid;
  if (!isAboutToken(refusal)) return details[refusal.code] ?? refusal.title;
  return profile.reasons ? `${invalidToken}: ${reasons[refusal.code] ?? refusal.title}` : invalidToken;
}

/** What `detail` says of this token on this route; null where `detailIn` has the word. Only names of the configuration. */
export function detailOnRoute(
  refusal: Refusal,
  route: Route | null,
  facts: Facts | null,
  words: Vocabulary,
): string | null {
  if (route === null || route.access === null || facts === null) return null;
  if (refusal === refusals.subject_mismatch) return route.access.subjectDetail;
  if (refusal !== refusals.token_type_not_allowed) return null;
  const types = words.tokenTypes[facts.issuer] ?? [];
  const [own = ''] = typeNames(types, facts.tokenType);
  const allowed = typeNames(types, route.access.tokenTypes[facts.issuer] ?? 0).toSorted();
  return `Token type '${own}' not allowed for this endpoint. Allowed types: ${allowed.join(', ')}`;
}

/** The types whose bits are set. */
export function typeNames(types: readonly string[], bits: number): string[] {
  return types.filter((_, index) => (bits & (1 << index)) !== 0);
}
