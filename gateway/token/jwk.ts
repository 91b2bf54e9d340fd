/**
 * Key sets and secrets, turned into keys that can verify. jose reads the JWKs; what a key may be used for is decided here,
 * once, so that a token never gets to choose.
 *
 * Called by `keys/` on the main thread. A key that cannot be used is left out and named with its reason; the rest loads.
 * Source: RFC 7517 sections 4 and 5, RFC 7518 sections 3 and 6, RFC 8037 section 2, RFC 8725 section 3.
 */
import { createHash, createSecretKey, KeyObject } from 'node:crypto';
import { calculateJwkThumbprint } from 'jose/jwk/thumbprint';
import { importJWK } from 'jose/key/import';
import type { JWK } from 'jose';
import { knownAlgorithms } from './compiled.ts';
import type { SignatureAlgorithm } from './algorithms.ts';

const modulusBitsMin = 2048;
/** Larger ones cost so much to verify that a key set would be a weapon. */
const modulusBitsMax = 8192;
const exponentBitsMax = 32;
/** Keys looked at in one set. */
export const keysMax = 256;

export interface KeyMaterial {
  readonly kid: string | null;
  readonly algorithms: readonly string[];
  readonly key: KeyObject;
  /** The same for the same key under the same name with the same use; for telling apart, not for showing. */
  readonly identity: string;
}

export interface LeftOut {
  /** Position in the set. */
  readonly position: number;
  readonly reason: string;
}

export interface KeySet {
  readonly keys: readonly KeyMaterial[];
  readonly leftOut: readonly LeftOut[];
}

/** The document is no key set at all, or no key of it can be used. */
export class KeySetError extends Error {
  override readonly name = 'KeySetError';
}

class Unusable extends Error {}

function expect(condition: boolean, reason: string): asserts condition {
  if (!condition) throw new Unusable(reason);
}

/** Which of the issuer's algorithms a key type and curve could serve; empty for `oct` and unknown types. */
function algorithmsOfType(jwk: JWK, accepted: readonly SignatureAlgorithm[]): SignatureAlgorithm[] {
  return accepted.filter(({ kind, curve }) => {
    switch (kind) {
      case 'rsa':
      case 'pss':
        return jwk.kty === 'RSA';
      case 'ecdsa':
        return jwk.kty === 'EC' && jwk.crv === curve;
      case 'eddsa':
        return jwk.kty === 'OKP' && jwk.crv === curve;
      case 'hmac':
        return false;
    }
  });
}

function checkUse(jwk: JWK): void {
  const { use, key_ops: operations, kid, alg } = jwk as Record<string, unknown>;
  expect(use === undefined || use === 'sig', '`use` is not `sig`');
  if (operations !== undefined) {
    const list: readonly unknown[] = Array.isArray(operations) ? operations : [];
    expect(list.includes('verify'), '`key_ops` does not include `verify`');
    expect(new Set(list).size === list.length, '`key_ops` names an operation twice');
    expect(
      list.every((operation) => typeof operation === 'string'),
      '`key_ops` is malformed',
    );
  }
  expect(kid === undefined || typeof kid === 'string', '`kid` is not a string');
  expect(alg === undefined || typeof alg === 'string', '`alg` is not a string');
}

function checkStrength(key: KeyObject): void {
  expect(key.type === 'public', 'not a public key');
  const { modulusLength, publicExponent } = key.asymmetricKeyDetails ?? {};
  if (modulusLength === undefined || publicExponent === undefined) return;
  expect(modulusLength >= modulusBitsMin, `RSA modulus below ${modulusBitsMin} bits`);
  expect(modulusLength <= modulusBitsMax, `RSA modulus above ${modulusBitsMax} bits`);
  expect(publicExponent >= 3n && publicExponent % 2n === 1n, 'RSA exponent is not an odd number from 3 up');
  expect(publicExponent < 1n << BigInt(exponentBitsMax), `RSA exponent above ${exponentBitsMax} bits`);
}

async function importKey(value: unknown, accepted: readonly SignatureAlgorithm[]): Promise<KeyMaterial> {
  expect(typeof value === 'object' && value !== null && !Array.isArray(value), 'not an object');
  const jwk = value as JWK;
  expect(jwk.kty !== 'oct', 'a secret does not belong into a published set');
  expect(jwk.kty === 'RSA' || jwk.kty === 'EC' || jwk.kty === 'OKP', 'unknown `kty`');
  expect(!Object.hasOwn(jwk, 'd'), 'a private key does not belong into a published set');
  checkUse(jwk);
  const fitting = algorithmsOfType(jwk, accepted).filter(
    ({ name }) => jwk.alg === undefined || jwk.alg === name,
  );
  const [first] = fitting;
  expect(first !== undefined, 'fits none of the accepted algorithms');
  let key: KeyObject;
  try {
    const imported = await importJWK(jwk, first.name);
    expect(!(imported instanceof Uint8Array), 'not a public key');
    key = KeyObject.from(imported);
  } catch (error) {
    throw error instanceof Unusable ? error : new Unusable('the key itself is malformed', { cause: error });
  }
  checkStrength(key);
  const kid = jwk.kid ?? null;
  const algorithms = fitting.map(({ name }) => name);
  const identity = JSON.stringify([await calculateJwkThumbprint(jwk), kid, algorithms]);
  return { kid, algorithms, key, identity };
}

/**
 * Imports the keys of a parsed JWK Set that can serve the accepted algorithms.
 *
 * Errors: `KeySetError` when the document is no set or nothing in it can be used.
 */
export async function importKeySet(document: unknown, algorithms: readonly string[]): Promise<KeySet> {
  const members: unknown =
    typeof document === 'object' && document !== null && Object.hasOwn(document, 'keys')
      ? (document as { keys: unknown }).keys
      : null;
  if (!Array.isArray(members)) throw new KeySetError('not a JWK Set: `keys` is no array');
  if (members.length > keysMax) throw new KeySetError(`more than ${keysMax} keys`);
  const accepted = knownAlgorithms(algorithms);
  const keys = new Map<string, KeyMaterial>();
  const leftOut: LeftOut[] = [];
  for (const [position, member] of members.entries()) {
    try {
      const key = await importKey(member, accepted);
      // The same key listed twice is one key, not an ambiguity.
      keys.set(key.identity, key);
    } catch (error) {
      if (!(error instanceof Unusable)) throw error;
      leftOut.push({ position, reason: error.message });
    }
  }
  if (keys.size === 0) {
    const reasons = leftOut.map(({ position, reason }) => `key ${position}: ${reason}`).join('; ');
    throw new KeySetError(members.length === 0 ? 'the set is empty' : `no usable key: ${reasons}`);
  }
  return { keys: [...keys.values()], leftOut };
}

export type SecretEncoding = 'utf8' | 'base64url' | 'base64' | 'hex';

/** Bytes that a secret's text stands for. A final line break is not part of it: editors add one. */
function secretBytes(text: string, encoding: SecretEncoding): Buffer {
  const trimmed = encoding === 'utf8' ? text.replace(/\r?\n$/, '') : text.trim();
  const bytes = Buffer.from(trimmed, encoding);
  const padding = encoding === 'base64' ? /=+$/ : /$/;
  const canonical = bytes.toString(encoding).replace(padding, '');
  const given = encoding === 'hex' ? trimmed.toLowerCase() : trimmed.replace(padding, '');
  if (canonical !== given) throw new KeySetError(`the secret is not ${encoding}`);
  return bytes;
}

/**
 * The key of a shared secret, for all of the accepted HS algorithms.
 *
 * Errors: `KeySetError` when it is shorter than the hash of one of them, or not in its encoding.
 * Source: RFC 7518 section 3.2.
 */
export function importSecret(
  text: string,
  encoding: SecretEncoding,
  algorithms: readonly string[],
): KeyMaterial {
  const bytes = secretBytes(text, encoding);
  const accepted = knownAlgorithms(algorithms).filter(({ kind }) => kind === 'hmac');
  for (const { name, bytes: least } of accepted) {
    if (bytes.length < least) {
      throw new KeySetError(`the secret has ${bytes.length} bytes, and ${name} asks for at least ${least}`);
    }
  }
  if (accepted.length === 0) throw new KeySetError('none of the accepted algorithms uses a secret');
  const names = accepted.map(({ name }) => name);
  const identity = JSON.stringify([createHash('sha256').update(bytes).digest('base64url'), null, names]);
  return { kid: null, algorithms: names, key: createSecretKey(bytes), identity };
}
