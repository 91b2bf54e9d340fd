/**
 * A verifier profile in the form that judging needs: maps and masks instead of lists. Made once for each profile.
 */
import type { KeyObject, VerifyKeyObjectInput } from 'node:crypto';
import { maskOf, wordsOf } from '../core/mask.ts';
import type { Mask } from '../core/mask.ts';
import type { IssuerProfile, VerificationKey, VerifierProfile } from '../../workers/messages.ts';
import { algorithmNamed, signatureAlgorithms } from './algorithms.ts';
import type { SignatureAlgorithm } from './algorithms.ts';

export interface CompiledKey {
  readonly keyId: number;
  readonly kid: string | null;
  /** By algorithm index. */
  readonly fits: readonly boolean[];
  readonly key: KeyObject;
  /** What node:crypto is handed, by algorithm index; null for HMAC and where the key does not fit. */
  readonly inputs: readonly (KeyObject | VerifyKeyObjectInput | null)[];
  /** Exact signature length for RSA; 0 for other keys. */
  readonly modulusBytes: number;
}

export interface CompiledIssuer {
  readonly index: number;
  readonly profile: IssuerProfile;
  /** By algorithm index. */
  readonly accepts: readonly boolean[];
  readonly keys: readonly CompiledKey[] | null;
  readonly keysByKid: ReadonlyMap<string, readonly CompiledKey[]>;
  /** Null: the default kinds. */
  readonly typ: ReadonlySet<string> | null;
}

export interface CompiledProfile {
  readonly profile: VerifierProfile;
  readonly issuers: readonly CompiledIssuer[];
  readonly byName: ReadonlyMap<string, CompiledIssuer>;
  /** The issuer whose `iss` is not looked at. */
  readonly anonymous: CompiledIssuer | null;
  /** By algorithm index: does any issuer accept it? */
  readonly accepts: readonly boolean[];
  readonly acceptsHmac: boolean;
  /** Some issuer is asked about tokens that are no JWTs. */
  readonly acceptsOpaque: boolean;
  readonly tokenBytesMax: number;
  readonly scopeWords: number;
  /** By scope name: the mask of all that it grants. */
  readonly scopeMasks: ReadonlyMap<string, Mask>;
  readonly audienceBits: ReadonlyMap<string, number>;
}

const PKCS1_PSS_PADDING = 6;
const SALT_LENGTH_DIGEST = -1;

function verifyInput(key: KeyObject, algorithm: SignatureAlgorithm): KeyObject | VerifyKeyObjectInput | null {
  switch (algorithm.kind) {
    case 'rsa':
    case 'eddsa':
      return key;
    case 'pss':
      // RFC 7518 section 3.5: the salt is as long as the hash.
      return { key, padding: PKCS1_PSS_PADDING, saltLength: SALT_LENGTH_DIGEST };
    case 'ecdsa':
      return { key, dsaEncoding: 'ieee-p1363' };
    case 'hmac':
      return null;
  }
}

function compileKey(key: VerificationKey): CompiledKey {
  const fits = signatureAlgorithms.map((algorithm) => key.algorithms.includes(algorithm.name));
  return {
    keyId: key.keyId,
    kid: key.kid,
    fits,
    key: key.key,
    inputs: signatureAlgorithms.map((a) => (fits[a.index] ? verifyInput(key.key, a) : null)),
    modulusBytes: Math.ceil((key.key.asymmetricKeyDetails?.modulusLength ?? 0) / 8),
  };
}

function compileIssuer(profile: IssuerProfile, index: number): CompiledIssuer {
  const keys = profile.keys?.map((key) => compileKey(key)) ?? null;
  const keysByKid = new Map<string, CompiledKey[]>();
  for (const key of keys ?? []) {
    if (key.kid === null) continue;
    const same = keysByKid.get(key.kid);
    if (same === undefined) keysByKid.set(key.kid, [key]);
    else same.push(key);
  }
  return {
    index,
    profile,
    accepts: signatureAlgorithms.map((algorithm) => profile.algorithms.includes(algorithm.name)),
    keys,
    keysByKid,
    typ: profile.typ === null ? null : new Set(profile.typ),
  };
}

function compile(profile: VerifierProfile): CompiledProfile {
  const issuers = profile.issuers.map((issuer, index) => compileIssuer(issuer, index));
  // The first of several with one name; the configuration check refuses such a file.
  const byName = new Map<string, CompiledIssuer>();
  for (const issuer of issuers) {
    const name = issuer.profile.issuer;
    if (name !== null && !byName.has(name)) byName.set(name, issuer);
  }
  const accepts = signatureAlgorithms.map((_, i) => issuers.some((issuer) => issuer.accepts[i]));
  const size = profile.scopes.length;
  return {
    profile,
    issuers,
    byName,
    anonymous: issuers.find((issuer) => issuer.profile.issuer === null) ?? null,
    accepts,
    acceptsHmac: signatureAlgorithms.some((a) => a.kind === 'hmac' && accepts[a.index]),
    acceptsOpaque: profile.issuers.some(({ introspects }) => introspects),
    tokenBytesMax: Math.max(0, ...profile.issuers.map((issuer) => issuer.tokenBytesMax)),
    scopeWords: wordsOf(size),
    scopeMasks: new Map(profile.scopes.map((name, i) => [name, maskOf([i, ...profile.implied[i]!], size)])),
    audienceBits: new Map(profile.audiences.map((name, i) => [name, i])),
  };
}

const compiledProfiles = new WeakMap<VerifierProfile, CompiledProfile>();
let last: CompiledProfile | null = null;

/** The compiled form of a profile; the last one asked for costs a comparison. */
export function compiledOf(profile: VerifierProfile): CompiledProfile {
  if (last !== null && last.profile === profile) return last;
  let compiled = compiledProfiles.get(profile);
  if (compiled === undefined) {
    compiled = compile(profile);
    compiledProfiles.set(profile, compiled);
  }
  last = compiled;
  return compiled;
}

/** The algorithms of a list that exist; for callers that hold names. */
export function knownAlgorithms(names: readonly string[]): SignatureAlgorithm[] {
  return names.flatMap((name) => algorithmNamed(name) ?? []);
}
