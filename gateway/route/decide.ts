/**
 * Decides: may a token with these facts use this route now? The last and only word; `grant` is called here alone.
 *
 * Order, and the answer to the first check that fails:
 *   credentials  401 credentials_missing       the route is public, or there is a token
 *   key          401 token_withdrawn           the key that verified the token is still in its set
 *   issuer       401 token_issuer              the route takes tokens of this issuer
 *   window       401 token_expired             exp > now - leeway
 *                401 token_not_yet_valid       nbf <= now + leeway
 *                401 token_issued_in_future    iat <= now + leeway
 *   audience     401 token_audience            `aud` holds an accepted one
 *   binding      401 token_unbound             bound to a client certificate, where the issuer or the route asks for that
 *   certificate  401 token_certificate         the caller showed the one that the token is bound to
 *   token type   403 token_type_not_allowed    before scopes and subject, which belong to a type
 *   scopes       403 scope_insufficient        all of `all`, and of each `any` one
 *   subject      403 subject_mismatch          equal to the bound path parameter as raw text
 *   claims       403 claim_mismatch            each is the path parameter or one of the values that it must be
 * What a caller can mend with another token (401) comes before what it may not do (403).
 */
import { refusals, type RefusalCode } from '../core/errors.ts';
import type { Facts } from '../core/facts.ts';
import { hasAll, hasAny } from '../core/mask.ts';
import { type Denial, grant, type Verdict } from '../core/verdict.ts';
import type { Access, ClaimCheck, Param, Route } from './policy.ts';

/** By key id: 1 while the key is in its set. Ids beyond the end are withdrawn. */
export type LiveKeys = ArrayLike<number>;

const isLive = (facts: Facts, live: LiveKeys): boolean => live[facts.keyId] === 1;

const isOfIssuer = (access: Access, facts: Facts): boolean => access.issuers[facts.issuer] === true;

// The edges: exp = now - leeway is refused, nbf = now + leeway and iat = now + leeway pass (RFC 7519 section 4.1).
const isUnexpired = (access: Access, facts: Facts, nowSeconds: number): boolean =>
  facts.expSeconds > nowSeconds - leewayOf(access, facts);
const isBegun = (access: Access, facts: Facts, nowSeconds: number): boolean =>
  facts.nbfSeconds <= nowSeconds + leewayOf(access, facts);
const isIssued = (access: Access, facts: Facts, nowSeconds: number): boolean =>
  facts.iatSeconds <= nowSeconds + leewayOf(access, facts);
/** An issuer that the route does not know has no leeway; `isOfIssuer` refuses its tokens. */
const leewayOf = (access: Access, facts: Facts): number => access.leewaySeconds[facts.issuer] ?? 0;

function fitsAudience(access: Access, facts: Facts): boolean {
  const accepted = access.audiences[facts.issuer];
  return accepted === null || (accepted !== undefined && hasAny(facts.audiences, accepted));
}

const isBoundEnough = (access: Access, { issuer, certificate }: Facts): boolean =>
  certificate !== null || access.certificateBound[issuer] !== true;

/** RFC 8705 section 3: whoever sends a bound token has to show the certificate that it names. */
const fitsCertificate = ({ certificate }: Facts, shown: string | null): boolean =>
  certificate === null || certificate === shown;

function fitsType(access: Access, facts: Facts): boolean {
  const accepted = access.tokenTypes[facts.issuer];
  return accepted === 0 || (accepted !== undefined && (accepted & facts.tokenType) !== 0);
}

function hasScopes(access: Access, facts: Facts): boolean {
  if (!hasAll(facts.scopes, access.all)) return false;
  for (let i = 0; i < access.any.length; i++) {
    if (!hasAny(facts.scopes, access.any[i]!)) return false;
  }
  return true;
}

function fitsSubject(route: Route, access: Access, path: string, facts: Facts): boolean {
  if (access.subjectParam === -1) return true;
  return facts.subject !== null && paramEquals(path, route.params[access.subjectParam]!, facts.subject);
}

function fitClaims(route: Route, access: Access, path: string, facts: Facts): boolean {
  for (let i = 0; i < access.claims.length; i++) {
    if (!fitsClaim(access.claims[i]!, route, path, facts)) return false;
  }
  return true;
}

function fitsClaim(
  { projection, param, values, passesAbsent }: ClaimCheck,
  route: Route,
  path: string,
  facts: Facts,
): boolean {
  const text = facts.claims[projection];
  if (text === null) return passesAbsent;
  // One that is too large to be kept is not compared.
  if (text === false || text === undefined) return false;
  const claim = JSON.parse(text) as unknown;
  const fits = (value: unknown): boolean =>
    typeof value === 'string' &&
    (param === -1 ? values.includes(value) : paramEquals(path, route.params[param]!, value));
  return Array.isArray(claim) ? claim.some(fits) : fits(claim);
}

/** The first half of a verdict: what is wrong with the token by itself, or null. `shown` as for `decide`. */
export function judgeToken(
  access: Access,
  facts: Facts,
  live: LiveKeys,
  nowSeconds: number,
  shown: string | null,
): Denial | null {
  if (!isLive(facts, live)) return refusals.token_withdrawn;
  if (!isOfIssuer(access, facts)) return refusals.token_issuer;
  if (!isUnexpired(access, facts, nowSeconds)) return refusals.token_expired;
  if (!isBegun(access, facts, nowSeconds)) return refusals.token_not_yet_valid;
  if (!isIssued(access, facts, nowSeconds)) return refusals.token_issued_in_future;
  if (!fitsAudience(access, facts)) return refusals.token_audience;
  if (!isBoundEnough(access, facts)) return refusals.token_unbound;
  if (!fitsCertificate(facts, shown)) return refusals.token_certificate;
  return null;
}

/**
 * The verdict on one request. `path` is the raw path that `route` was matched by; `facts` null means no token came; `shown` is
 * the thumbprint of the certificate that the caller showed, and need be known only where the token is bound to one.
 *
 * Cost: a few integer operations; nothing is allocated for a denial.
 */
export function decide(
  route: Route,
  path: string,
  facts: Facts | null,
  live: LiveKeys,
  nowSeconds: number,
  shown: string | null = null,
): Verdict {
  const access = route.access;
  if (access === null) return grant(null);
  if (facts === null) return refusals.credentials_missing;
  const wrong = judgeToken(access, facts, live, nowSeconds, shown);
  if (wrong !== null) return wrong;
  if (!fitsType(access, facts)) return refusals.token_type_not_allowed;
  if (!hasScopes(access, facts)) return refusals.scope_insufficient;
  if (!fitsSubject(route, access, path, facts)) return refusals.subject_mismatch;
  if (!fitClaims(route, access, path, facts)) return refusals.claim_mismatch;
  return grant(facts);
}

export interface CheckOutcome {
  readonly check: string;
  /** Answer of the gateway when this is the first check that fails. */
  readonly code: RefusalCode;
  readonly passed: boolean;
}

/** Every check that `decide` makes on a token, in its order, with its outcome: for `explain`, where all are of interest. */
export function checksOf(
  route: Route,
  path: string,
  facts: Facts,
  live: LiveKeys,
  nowSeconds: number,
  shown: string | null = null,
): readonly CheckOutcome[] {
  const access = route.access;
  if (access === null) return [];
  return [
    { check: 'key', code: 'token_withdrawn', passed: isLive(facts, live) },
    { check: 'issuer', code: 'token_issuer', passed: isOfIssuer(access, facts) },
    { check: 'exp', code: 'token_expired', passed: isUnexpired(access, facts, nowSeconds) },
    { check: 'nbf', code: 'token_not_yet_valid', passed: isBegun(access, facts, nowSeconds) },
    { check: 'iat', code: 'token_issued_in_future', passed: isIssued(access, facts, nowSeconds) },
    { check: 'audience', code: 'token_audience', passed: fitsAudience(access, facts) },
    { check: 'binding', code: 'token_unbound', passed: isBoundEnough(access, facts) },
    { check: 'certificate', code: 'token_certificate', passed: fitsCertificate(facts, shown) },
    { check: 'token type', code: 'token_type_not_allowed', passed: fitsType(access, facts) },
    { check: 'scopes', code: 'scope_insufficient', passed: hasScopes(access, facts) },
    { check: 'subject', code: 'subject_mismatch', passed: fitsSubject(route, access, path, facts) },
    { check: 'claims', code: 'claim_mismatch', passed: fitClaims(route, access, path, facts) },
  ];
}

/** Is the raw text of a parameter exactly `text`? */
function paramEquals(path: string, param: Param, text: string): boolean {
  const start = segmentStart(path, param.first);
  return segmentEnd(path, start, param.last) - start === text.length && path.startsWith(text, start);
}

/** The raw text of a parameter in a path that its route matched. */
export function paramText(path: string, param: Param): string {
  const start = segmentStart(path, param.first);
  return path.slice(start, segmentEnd(path, start, param.last));
}

/** `index` as in `Param`. */
function segmentStart(path: string, index: number): number {
  let at = index < 0 ? path.length : 0;
  for (let i = 0; i < index; i++) at = path.indexOf('/', at + 1);
  for (let i = 0; i > index; i--) at = path.lastIndexOf('/', at - 1);
  return at + 1;
}

function segmentEnd(path: string, start: number, last: number): number {
  if (last === -1) return path.length;
  if (last < -1) return segmentStart(path, last + 1) - 1;
  const slash = path.indexOf('/', start);
  return slash === -1 ? path.length : slash;
}
