/**
 * The claims of a token whose signature holds, turned into facts. What depends on the time or on the route is not decided
 * here; what no route could accept is refused here.
 *
 * Source: RFC 7519 section 4.1, RFC 8693 section 4.2 (`scope`), RFC 9068.
 */
import type { RefusalCode } from '../core/errors.ts';
import type { Facts } from '../core/facts.ts';
import type { Mask } from '../core/mask.ts';
import type { CompiledIssuer, CompiledProfile } from './compiled.ts';
import type { JsonObject } from './json.ts';
import { boundCertificate } from './confirmation.ts';
import { claimAt, project } from './projection.ts';

/** A claim by its name; undefined when it is absent. Inherited names such as `constructor` are absent. */
function claim(claims: JsonObject, name: string): unknown {
  return Object.hasOwn(claims, name) ? claims[name] : undefined;
}

/** A numeric date: `-Infinity` when absent, NaN when it is no finite number. */
function optionalSeconds(value: unknown): number {
  if (value === undefined) return Number.NEGATIVE_INFINITY;
  return typeof value === 'number' && Number.isFinite(value) ? value : Number.NaN;
}

function grant(mask: number[], granted: Mask | undefined): void {
  if (granted === undefined) return;
  for (let i = 0; i < mask.length; i += 1) mask[i]! |= granted[i]!;
}

/** Sets the bits of every scope that some claim names; false when such a claim has the wrong type. */
function collectScopes(
  compiled: CompiledProfile,
  issuer: CompiledIssuer,
  claims: JsonObject,
  mask: number[],
): boolean {
  for (const path of issuer.profile.scopeClaims) {
    const value = path.length === 1 ? claim(claims, path[0]!) : claimAt(claims, path);
    if (value === undefined) continue;
    if (typeof value === 'string') {
      for (const name of value.split(' ')) grant(mask, compiled.scopeMasks.get(name));
    } else if (Array.isArray(value) && !(path.length === 1 && path[0] === 'scope')) {
      // An element is a whole name: it is not split.
      for (const name of value as readonly unknown[]) {
        if (typeof name !== 'string') return false;
        grant(mask, compiled.scopeMasks.get(name));
      }
    } else return false;
  }
  return true;
}

/** Sets the bits of the audiences that the configuration knows; false when `aud` has the wrong type. */
function collectAudiences(compiled: CompiledProfile, value: unknown, mask: number[]): boolean {
  if (value === undefined) return true;
  const audiences: readonly unknown[] = Array.isArray(value) ? value : [value];
  for (const audience of audiences) {
    if (typeof audience !== 'string') return false;
    const bit = compiled.audienceBits.get(audience);
    if (bit !== undefined) mask[bit >>> 5]! |= 1 << (bit & 31);
  }
  return true;
}

function zeros(words: number): number[] {
  if (words === 1) return [0];
  return Array.from({ length: words }, () => 0);
}

/** The bit of the token's type; 0 where the issuer has none, -1 for an unknown one. */
function tokenTypeBit(issuer: CompiledIssuer, claims: JsonObject): number {
  const types = issuer.profile.tokenTypes;
  if (types === null) return 0;
  const value = claim(claims, types.claim);
  const position =
    value === undefined ? types.values.indexOf(types.default) : types.values.indexOf(value as string);
  return position === -1 ? -1 : 1 << position;
}

/** Most tokens of an issuer say the same, so that a few lists serve all of them. */
const knownMasks = new Map<string, Mask>();
const knownMasksMax = 1024;
const noClaims: Facts['claims'] = [];

/** The mask with these words. Facts with one object for one mask are smaller on their way to the listener, and there. */
function sameMask(mask: Mask): Mask {
  const text = mask.join();
  const known = knownMasks.get(text);
  if (known !== undefined) return known;
  if (knownMasks.size >= knownMasksMax) knownMasks.clear();
  knownMasks.set(text, mask);
  return mask;
}

const hyphenated = /^(.{8})(.{4})(.{4})(.{4})(.{12})$/;

/** Lower case with hyphens (RFC 9562 section 4); undefined for what is no UUID. Takes the spellings that Python's `UUID` does. */
function canonicalUuid(subject: string | undefined): string | undefined {
  const digits = subject
    ?.replace('urn:', '')
    .replace('uuid:', '')
    .replaceAll(/^[{}]+|[{}]+$|-/g, '')
    .toLowerCase();
  if (digits === undefined || !/^[0-9a-f]{32}$/.test(digits)) return undefined;
  return digits.replace(hyphenated, '$1-$2-$3-$4-$5');
}

/** What the claims say, or why they cannot be facts. The signature must hold. */
export function readClaims(
  compiled: CompiledProfile,
  issuer: CompiledIssuer,
  keyId: number,
  claims: JsonObject,
): Facts | RefusalCode {
  const exp = claim(claims, 'exp');
  if (exp === undefined) return 'token_claim_missing';
  if (typeof exp !== 'number' || !Number.isFinite(exp)) return 'token_claims_invalid';
  const nbfSeconds = optionalSeconds(claim(claims, 'nbf'));
  const iatSeconds = optionalSeconds(claim(claims, 'iat'));
  if (Number.isNaN(nbfSeconds) || Number.isNaN(iatSeconds)) return 'token_claims_invalid';

  const { profile } = issuer;
  const { projections } = compiled.profile;
  const sub = claim(claims, 'sub');
  const subject = profile.subjectClaim === 'sub' ? sub : claim(claims, profile.subjectClaim);
  if (sub !== undefined && typeof sub !== 'string') return 'token_claims_invalid';
  if (subject !== undefined && typeof subject !== 'string') return 'token_claims_invalid';
  const known = profile.subjectFormat === 'uuid' ? canonicalUuid(subject) : (subject ?? null);
  if (known === undefined) return subject === undefined ? 'token_claim_missing' : 'token_claims_invalid';
  for (const name of profile.requiredClaims) {
    if (!Object.hasOwn(claims, name)) return 'token_claim_missing';
  }

  const certificate = boundCertificate(claim(claims, 'cnf'));
  if (typeof certificate === 'object' && certificate !== null) return certificate.code;

  const audiences = zeros((compiled.audienceBits.size + 31) >>> 5 || 1);
  if (!collectAudiences(compiled, claim(claims, 'aud'), audiences)) return 'token_claims_invalid';
  const tokenType = tokenTypeBit(issuer, claims);
  if (tokenType === -1) return 'token_type_unknown';
  const scopes = zeros(compiled.scopeWords);
  if (!collectScopes(compiled, issuer, claims, scopes)) return 'token_claims_invalid';

  return {
    issuer: issuer.index,
    keyId,
    expSeconds: exp,
    nbfSeconds,
    iatSeconds,
    audiences: sameMask(audiences),
    scopes: sameMask(scopes),
    tokenType,
    subject: known,
    certificate,
    claims:
      projections.length === 0 ? noClaims : projections.map((projection) => project(claims, projection)),
  };
}
