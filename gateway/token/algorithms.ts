/**
 * The signature algorithms that can be configured, and what each one asks of a key and of a signature.
 * The order is that of metric cells: a position here is an algorithm's index.
 *
 * Source: RFC 7518 section 3, RFC 8037 section 3.1.
 */

export type AlgorithmKind = 'rsa' | 'pss' | 'ecdsa' | 'eddsa' | 'hmac';

export interface SignatureAlgorithm {
  readonly name: string;
  /** Position in `signatureAlgorithms`. */
  readonly index: number;
  readonly kind: AlgorithmKind;
  /** For node:crypto; null where the algorithm brings its own (EdDSA). */
  readonly hash: 'sha256' | 'sha384' | 'sha512' | null;
  /** Of the signature; 0 where the key's modulus decides (RSA). For HMAC also the least length of a secret. */
  readonly bytes: number;
  /** `crv` of the JWK; null where there is none. */
  readonly curve: string | null;
}

const rows: readonly Omit<SignatureAlgorithm, 'index'>[] = [
  { name: 'RS256', kind: 'rsa', hash: 'sha256', bytes: 0, curve: null },
  { name: 'RS384', kind: 'rsa', hash: 'sha384', bytes: 0, curve: null },
  { name: 'RS512', kind: 'rsa', hash: 'sha512', bytes: 0, curve: null },
  { name: 'PS256', kind: 'pss', hash: 'sha256', bytes: 0, curve: null },
  { name: 'PS384', kind: 'pss', hash: 'sha384', bytes: 0, curve: null },
  { name: 'PS512', kind: 'pss', hash: 'sha512', bytes: 0, curve: null },
  { name: 'ES256', kind: 'ecdsa', hash: 'sha256', bytes: 64, curve: 'P-256' },
  { name: 'ES384', kind: 'ecdsa', hash: 'sha384', bytes: 96, curve: 'P-384' },
  { name: 'ES512', kind: 'ecdsa', hash: 'sha512', bytes: 132, curve: 'P-521' },
  { name: 'EdDSA', kind: 'eddsa', hash: null, bytes: 64, curve: 'Ed25519' },
  { name: 'HS256', kind: 'hmac', hash: 'sha256', bytes: 32, curve: null },
  { name: 'HS384', kind: 'hmac', hash: 'sha384', bytes: 48, curve: null },
  { name: 'HS512', kind: 'hmac', hash: 'sha512', bytes: 64, curve: null },
];

export const signatureAlgorithms: readonly SignatureAlgorithm[] = Object.freeze(
  rows.map((row, index) => Object.freeze({ ...row, index })),
);

const byName = new Map(signatureAlgorithms.map((algorithm) => [algorithm.name, algorithm]));

/** The algorithm of this exact name, or undefined: `none`, other spellings and unknown names are alike. */
export function algorithmNamed(name: string): SignatureAlgorithm | undefined {
  return byName.get(name);
}
