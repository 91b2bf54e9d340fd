/**
 * The key ring: the keys under which credentials are encrypted. The first one encrypts, all of them decrypt.
 *
 * Its text, in a file or an environment variable, is one key an entry, entries apart by line ends, spaces or commas; lines
 * that begin with `#` are comments:
 *
 * ```
 * sallyport-key.v1.<key id>.<32 bytes, base64url>
 * ```
 */
import { createSecretKey, hkdfSync, randomBytes, type KeyObject } from 'node:crypto';
import { StoreFault } from '../credential.ts';

const keysMax = 64;
const secretBytes = 32;
const entryPattern = /^sallyport-key\.v1\.([A-Za-z0-9_-]{1,32})\.([A-Za-z0-9_-]{43})$/;

export interface RingKey {
  /** Stands in the open in every record: how a record finds its key. */
  readonly id: string;
  readonly secret: KeyObject;
}

export interface KeyRing {
  readonly current: RingKey;
  /** By id, the current one first. */
  readonly keys: ReadonlyMap<string, RingKey>;
}

/** Errors: `StoreFault`; it names the entry by its place and nothing of what is in it. */
export function parseKeyRing(text: string): KeyRing {
  const entries = text
    .split(/\r?\n/)
    .filter((line) => !line.trimStart().startsWith('#'))
    .flatMap((line) => line.split(/[\s,]+/))
    .filter((entry) => entry !== '');
  if (entries.length > keysMax) throw unusable(`it has more than ${keysMax} keys`);
  const keys = new Map<string, RingKey>();
  for (const [index, entry] of entries.entries()) {
    const [, id, encoded] = entryPattern.exec(entry) ?? [];
    const secret = decodeBase64url(encoded ?? '');
    if (id === undefined || secret?.length !== secretBytes) {
      throw unusable(`entry ${index + 1} is not a key (sallyport-key.v1.<id>.<32 bytes, base64url>)`);
    }
    if (keys.has(id)) throw unusable(`entry ${index + 1} has the id of an earlier one`);
    keys.set(id, { id, secret: createSecretKey(secret) });
  }
  const [current] = keys.values();
  if (current === undefined) throw unusable('it has no key; `sallyport keys new` makes one');
  return { current, keys };
}

/** Makes a key, as an entry of a ring. Its id begins with the day. */
export function makeRingEntry(nowMs: number): string {
  const day = new Date(nowMs).toISOString().slice(0, 10).replaceAll('-', '');
  const id = `${day}-${randomBytes(3).toString('hex')}`;
  return `sallyport-key.v1.${id}.${randomBytes(secretBytes).toString('base64url')}`;
}

/** What a key of the ring is used for; no two uses share key bytes. */
export type KeyPurpose = 'header' | 'credential';

/** Derives the key of one purpose and store. Source: RFC 5869. */
export function deriveKey({ secret }: RingKey, purpose: KeyPurpose, storeId: string): Buffer {
  return Buffer.from(hkdfSync('sha256', secret, storeId, `sallyport store v2 ${purpose}`, 32));
}

/** Null for what is not base64url as an encoder writes it: one text for each sequence of bytes. */
export function decodeBase64url(text: string): Buffer | null {
  const bytes = Buffer.from(text, 'base64url');
  return bytes.toString('base64url') === text ? bytes : null;
}

function unusable(why: string): StoreFault {
  return new StoreFault('unavailable', `the key ring cannot be used: ${why}`);
}
