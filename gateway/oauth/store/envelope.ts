/**
 * Envelopes: how a record is encrypted, as one line of text.
 *
 * ```
 * enc.v2.<key id>.<nonce, 12 bytes>.<tag, 16 bytes>.<ciphertext>       bytes in base64url without padding
 * ```
 *
 * AES-256-GCM with a random nonce (fewer than 2^32 envelopes for each key: NIST SP 800-38D section 8.3; rotate before).
 * Associated data are the place the envelope belongs to: it opens in no other store, record or version.
 */
import { createCipheriv, createDecipheriv, randomBytes } from 'node:crypto';
import { decodeBase64url, deriveKey, type KeyPurpose, type KeyRing } from './key-ring.ts';

const cipher = 'aes-256-gcm';
const prefix = 'enc.v2';
const nonceBytes = 12;
const tagBytes = 16;
const pattern =
  /^enc\.v2\.([A-Za-z0-9_-]{1,32})\.([A-Za-z0-9_-]{16})\.([A-Za-z0-9_-]{22})\.([A-Za-z0-9_-]+)$/;

/** Where an envelope belongs. */
export interface Place {
  readonly purpose: KeyPurpose;
  /** Empty for the header, which says it. */
  readonly storeId: string;
  readonly record: string;
  readonly version: number;
}

export type EnvelopeProblem = 'not_an_envelope' | 'key_unknown' | 'not_authentic';

export type OpenedEnvelope =
  | { readonly ok: true; readonly plaintext: string }
  | { readonly ok: false; readonly problem: EnvelopeProblem };

export function sealEnvelope({ current }: KeyRing, place: Place, plaintext: string): string {
  const nonce = randomBytes(nonceBytes);
  const key = deriveKey(current, place.purpose, place.storeId);
  const encryption = createCipheriv(cipher, key, nonce, { authTagLength: tagBytes });
  encryption.setAAD(associatedData(current.id, place));
  const ciphertext = Buffer.concat([encryption.update(plaintext, 'utf8'), encryption.final()]);
  const parts = [nonce, encryption.getAuthTag(), ciphertext].map((bytes) => bytes.toString('base64url'));
  return [prefix, current.id, ...parts].join('.');
}

export function openEnvelope(ring: KeyRing, place: Place, text: string): OpenedEnvelope {
  const [, keyId, ...encoded] = pattern.exec(text) ?? [];
  if (keyId === undefined) return { ok: false, problem: 'not_an_envelope' };
  const [nonce, tag, ciphertext] = encoded.map(decodeBase64url);
  if (!nonce || !tag || !ciphertext) return { ok: false, problem: 'not_an_envelope' };
  const ringKey = ring.keys.get(keyId);
  if (ringKey === undefined) return { ok: false, problem: 'key_unknown' };
  const key = deriveKey(ringKey, place.purpose, place.storeId);
  const decryption = createDecipheriv(cipher, key, nonce, { authTagLength: tagBytes });
  decryption.setAAD(associatedData(keyId, place));
  decryption.setAuthTag(tag);
  try {
    const plaintext = Buffer.concat([decryption.update(ciphertext), decryption.final()]);
    return { ok: true, plaintext: plaintext.toString('utf8') };
  } catch {
    return { ok: false, problem: 'not_authentic' };
  }
}

/** The id of the key that an envelope asks for, unverified; null for what is no envelope. */
export function keyIdOf(text: string): string | null {
  return pattern.exec(text)?.[1] ?? null;
}

function associatedData(keyId: string, { purpose, storeId, record, version }: Place): Buffer {
  return Buffer.from(JSON.stringify([prefix, keyId, purpose, storeId, record, version]));
}
