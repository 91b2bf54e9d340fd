/** The key that the tokens of a corpus were signed with, for peers that take no JWKS. */
import { createPublicKey, type JsonWebKey, type KeyObject } from 'node:crypto';
import { readFileSync } from 'node:fs';
import type { Corpus } from '../tokens/corpus.ts';

export function publicKeyOf({ keysFile }: Corpus): KeyObject {
  const { keys } = JSON.parse(readFileSync(keysFile, 'utf8')) as { keys: JsonWebKey[] };
  return createPublicKey({ key: keys[0]!, format: 'jwk' });
}

export function publicKeyPemOf(corpus: Corpus): string {
  return publicKeyOf(corpus).export({ type: 'spki', format: 'pem' }) as string;
}
