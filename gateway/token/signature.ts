/**
 * One signature under one key, by node:crypto. Lengths are exact before any arithmetic; what is left to OpenSSL (r and s
 * within 1..n-1, S below the order of Ed25519, the PKCS #1 encoding) is held by tests.
 *
 * Source: RFC 7518 sections 3.2 to 3.5, RFC 8037 section 3.1.
 */
import { createHmac, timingSafeEqual, verify } from 'node:crypto';
import type { SignatureAlgorithm } from './algorithms.ts';
import type { CompiledKey } from './compiled.ts';

/** Did this key make this signature over this data? The key must fit the algorithm. */
export function signatureHolds(
  algorithm: SignatureAlgorithm,
  key: CompiledKey,
  data: Buffer,
  signature: Buffer,
): boolean {
  const bytes = algorithm.bytes === 0 ? key.modulusBytes : algorithm.bytes;
  if (signature.length !== bytes) return false;
  if (algorithm.kind === 'hmac') {
    return timingSafeEqual(createHmac(algorithm.hash!, key.key).update(data).digest(), signature);
  }
  const input = key.inputs[algorithm.index];
  return input !== null && input !== undefined && verify(algorithm.hash, data, input, signature);
}
