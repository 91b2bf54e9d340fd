/**
 * Private keys and secrets, turned into keys that can sign, and what of them is published. jose reads the keys and names
 * them.
 *
 * Called by `keys/` on the main thread. Source: RFC 7517, RFC 7638 (`kid`), RFC 5958 (PKCS #8), RFC 7518 section 3.
 */
import { createPublicKey, KeyObject } from 'node:crypto';
import type { JWK } from 'jose';
import { calculateJwkThumbprint } from 'jose/jwk/thumbprint';
import { exportJWK } from 'jose/key/export';
import { importJWK, importPKCS8 } from 'jose/key/import';
import { importSecret, KeySetError, keysMax, type SecretEncoding } from './jwk.ts';
import type { SigningKey } from './mint.ts';

/** The key that signs, and the public keys of its set; none of a secret. */
export interface SigningKeys {
  readonly signing: SigningKey;
  readonly published: readonly JWK[];
}

const modulusBitsMin = 2048;

interface Imported {
  readonly key: KeyObject;
  readonly jwk: JWK;
}

async function importPrivate(source: string | JWK, algorithm: string, kid: string | null): Promise<Imported> {
  const options = { extractable: true };
  const imported =
    typeof source === 'string'
      ? await importPKCS8(source, algorithm, options)
      : await importJWK(source, algorithm, options);
  if (imported instanceof Uint8Array) throw new KeySetError('a secret is no private key: use `secret_file`');
  const key = KeyObject.from(imported);
  if (key.type !== 'private') throw new KeySetError('not a private key');
  const bits = key.asymmetricKeyDetails?.modulusLength ?? modulusBitsMin;
  if (bits < modulusBitsMin) throw new KeySetError(`RSA modulus below ${modulusBitsMin} bits`);
  const jwk = await exportJWK(createPublicKey(key));
  return {
    key,
    jwk: { ...jwk, kid: kid ?? (await calculateJwkThumbprint(jwk)), alg: algorithm, use: 'sig' },
  };
}

/** The private keys that a text holds. */
function sourcesOf(text: string): readonly (string | JWK)[] {
  if (text.includes('-----BEGIN')) return [text];
  let document: unknown;
  try {
    document = JSON.parse(text);
  } catch {
    throw new KeySetError('neither PEM nor JSON');
  }
  if (typeof document !== 'object' || document === null) throw new KeySetError('not a JWK');
  if (!('keys' in document)) return [document];
  const { keys } = document;
  if (!Array.isArray(keys) || keys.length === 0 || keys.length > keysMax)
    throw new KeySetError(`\`keys\` is no array of 1 to ${keysMax} keys`);
  return keys as JWK[];
}

/**
 * Reads a private key file.
 *
 * `kid` null: the key's own, or its thumbprint. Errors: `KeySetError`, which says nothing of the key itself.
 */
export async function importSigningKeys(
  text: string,
  algorithm: string,
  kid: string | null,
): Promise<SigningKeys> {
  const all: Imported[] = [];
  for (const [index, source] of sourcesOf(text).entries()) {
    const own = typeof source === 'string' ? null : (source.kid ?? null);
    try {
      all.push(await importPrivate(source, algorithm, index === 0 ? (kid ?? own) : own));
    } catch (error) {
      if (error instanceof KeySetError) throw error;
      throw new KeySetError(`key ${index} cannot sign with ${algorithm}`);
    }
  }
  const [first] = all;
  const published = all.map(({ jwk }) => jwk);
  return { signing: { algorithm, kid: first!.jwk.kid ?? null, key: first!.key }, published };
}

/** The same of a shared secret. Errors: `KeySetError`. */
export function importSigningSecret(
  text: string,
  encoding: SecretEncoding,
  algorithm: string,
  kid: string | null,
): SigningKeys {
  const { key } = importSecret(text, encoding, [algorithm]);
  return { signing: { algorithm, kid, key }, published: [] };
}
