/** Tokens and keys for tests: every algorithm, every part open to be spoiled. */
import {
  createHmac,
  createSecretKey,
  generateKeyPairSync,
  randomBytes,
  sign,
  type KeyObject,
} from 'node:crypto';
import type { IssuerProfile, VerificationKey, VerifierProfile } from '../../workers/messages.ts';
import { signatureAlgorithms } from '../../gateway/token/algorithms.ts';

export interface Signer {
  readonly alg: string;
  readonly kid: string;
  /** What verifies. */
  readonly key: KeyObject;
  /** Null for HMAC. */
  readonly privateKey: KeyObject | null;
  readonly sign: (data: Buffer) => Buffer;
}

const PSS = { padding: 6, saltLength: -1 };

/** A fresh key for an algorithm. */
export function makeSigner(alg: string, kid = `kid-${alg}`): Signer {
  const { kind, hash, bytes, curve } = signatureAlgorithms.find(({ name }) => name === alg)!;
  if (kind === 'hmac') {
    const secret = createSecretKey(randomBytes(bytes));
    return {
      alg,
      kid,
      key: secret,
      privateKey: null,
      sign: (data) => createHmac(hash!, secret).update(data).digest(),
    };
  }
  const pair =
    kind === 'ecdsa'
      ? generateKeyPairSync('ec', { namedCurve: curve! })
      : kind === 'eddsa'
        ? generateKeyPairSync('ed25519')
        : generateKeyPairSync('rsa', { modulusLength: 2048 });
  const extra = kind === 'pss' ? PSS : kind === 'ecdsa' ? { dsaEncoding: 'ieee-p1363' as const } : {};
  const { privateKey, publicKey } = pair;
  return {
    alg,
    kid,
    key: publicKey,
    privateKey,
    sign: (data) => sign(hash, data, { key: privateKey, ...extra }),
  };
}

export const issuerName = 'https://issuer.example';
export const nowSeconds = 1_800_000_000;

export const goodClaims = {
  iss: issuerName,
  aud: 'orders',
  sub: 'user-1',
  exp: nowSeconds + 600,
  nbf: nowSeconds,
  iat: nowSeconds,
  scope: 'orders:read',
};

export const encode = (value: unknown): string =>
  Buffer.from(typeof value === 'string' ? value : JSON.stringify(value), 'utf8').toString('base64url');

/** Signs whatever the two first segments are. */
export function signSegments(signer: Signer, header: string, claims: string): string {
  const data = `${header}.${claims}`;
  return `${data}.${signer.sign(Buffer.from(data, 'latin1')).toString('base64url')}`;
}

/** A token; texts are taken as they are, so that they may be malformed. */
export function makeToken(signer: Signer, claims: unknown = goodClaims, header: unknown = {}): string {
  const whole =
    typeof header === 'string'
      ? header
      : { alg: signer.alg, typ: 'JWT', kid: signer.kid, ...(header as object) };
  return signSegments(signer, encode(whole), encode(claims));
}

export function keyOf(
  signer: Signer,
  keyId = 1,
  algorithms: readonly string[] = [signer.alg],
): VerificationKey {
  return { keyId, kid: signer.privateKey === null ? null : signer.kid, algorithms, key: signer.key };
}

export function makeIssuer(
  keys: readonly VerificationKey[] | null,
  more: Partial<IssuerProfile> = {},
): IssuerProfile {
  return {
    issuer: issuerName,
    algorithms: [...new Set((keys ?? []).flatMap(({ algorithms }) => algorithms))],
    keys,
    requireKid: false,
    introspects: false,
    tokenBytesMax: 8192,
    typ: null,
    requiredClaims: [],
    scopeClaims: [['scope'], ['scp']],
    subjectClaim: 'sub',
    subjectFormat: 'any',
    tokenTypes: null,
    ...more,
  };
}

export function makeProfile(
  issuers: readonly IssuerProfile[],
  more: Partial<VerifierProfile> = {},
): VerifierProfile {
  const scopes = more.scopes ?? ['orders:read', 'orders:write'];
  return {
    version: 1,
    issuers,
    scopes,
    implied: scopes.map((_, i) => [i]),
    audiences: ['orders', 'billing'],
    projections: [],
    ...more,
  };
}

/** A profile of one issuer with one signer's key. */
export function profileOf(
  signer: Signer,
  issuer: Partial<IssuerProfile> = {},
  more: Partial<VerifierProfile> = {},
): VerifierProfile {
  return makeProfile([makeIssuer([keyOf(signer)], issuer)], more);
}
