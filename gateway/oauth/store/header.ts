/**
 * The header of a store: a record of its own with what names the store and its records. It is made with the store and stays
 * the same for good; only its encryption changes.
 */
import { createHmac, randomBytes } from 'node:crypto';
import { type CredentialId, StoreFault } from '../credential.ts';

export interface StoreHeader {
  /** 32 hexadecimal digits. Associated with every record: none of another store is taken for one of this. */
  readonly storeId: string;
  /** Secret: folder names reveal no accounts, not even to who can guess them. Base64url. */
  readonly nameKey: string;
}

export const headerRecord = 'store';
const recordPattern = /^[0-9a-f]{40}$/;

export function makeHeader(): StoreHeader {
  return { storeId: randomBytes(16).toString('hex'), nameKey: randomBytes(32).toString('base64url') };
}

export const encodeHeader = ({ storeId, nameKey }: StoreHeader): string =>
  JSON.stringify({ storeId, nameKey });

export function decodeHeader(plaintext: string): StoreHeader {
  const { storeId, nameKey } = JSON.parse(plaintext) as Partial<StoreHeader>;
  if (typeof storeId !== 'string' || typeof nameKey !== 'string') {
    throw new StoreFault('unreadable', 'the store was made by another version of this program');
  }
  return { storeId, nameKey };
}

/** The folder of a credential: a keyed digest, 160 bits. */
export function recordOf({ nameKey }: StoreHeader, { provider, account }: CredentialId): string {
  const digest = createHmac('sha256', Buffer.from(nameKey, 'base64url'));
  return digest
    .update(JSON.stringify([provider, account]))
    .digest('hex')
    .slice(0, 40);
}

export const isRecord = (name: string): boolean => recordPattern.test(name);
