import { createPublicKey, generateKeyPairSync } from 'node:crypto';
import { calculateJwkThumbprint, importJWK, jwtVerify, type JWK } from 'jose';
import { describe, expect, test } from 'vitest';
import { signatureAlgorithms } from '../../gateway/token/algorithms.ts';
import { claimsOf, mint } from '../../gateway/token/mint.ts';
import { importSigningKeys, importSigningSecret } from '../../gateway/token/signing-key.ts';
import { makeSigner } from './tokens.ts';

const pemOf = (alg: string): string =>
  makeSigner(alg).privateKey!.export({ type: 'pkcs8', format: 'pem' }) as string;
const jwkOf = (alg: string, more: object = {}): JWK => ({
  ...makeSigner(alg).privateKey!.export({ format: 'jwk' }),
  ...more,
});
const publicAlgorithms = signatureAlgorithms.filter(({ kind }) => kind !== 'hmac').map(({ name }) => name);
const now = Math.floor(Date.now() / 1000);
const options = { nowSeconds: now, expSeconds: now + 60, issuer: 'us', audience: undefined };

test.each(publicAlgorithms)('%s: jose accepts what is minted, by the published key', async (alg) => {
  const { signing, published } = await importSigningKeys(pemOf(alg), alg, null);
  const token = mint(signing, { sub: 's', aud: 'a' }, options);
  const key = await importJWK(published[0]!, alg);
  const { payload, protectedHeader } = await jwtVerify(token, key, { issuer: 'us', audience: 'a' });
  expect(payload).toMatchObject({ sub: 's', iat: now, nbf: now, exp: now + 60 });
  expect(protectedHeader).toEqual({ alg, typ: 'JWT', kid: published[0]!.kid });
  expect(claimsOf(token)).toEqual(payload);
});

test.each(['HS256', 'HS384', 'HS512'])(
  '%s: jose accepts what is minted, and nothing is published',
  async (alg) => {
    const { signing, published } = importSigningSecret('x'.repeat(64), 'utf8', alg, null);
    const { protectedHeader } = await jwtVerify(mint(signing, {}, options), Buffer.from('x'.repeat(64)));
    expect({ protectedHeader, published }).toEqual({ protectedHeader: { alg, typ: 'JWT' }, published: [] });
  },
);

describe('the name of a key', () => {
  const pem = pemOf('EdDSA');
  test('48: is its RFC 7638 thumbprint of 43 characters, unless one is given', async () => {
    const thumbprint = await calculateJwkThumbprint(createPublicKey(pem).export({ format: 'jwk' }));
    expect(thumbprint).toHaveLength(43);
    expect((await importSigningKeys(pem, 'EdDSA', null)).signing.kid).toBe(thumbprint);
    expect((await importSigningKeys(pem, 'EdDSA', 'mine')).signing.kid).toBe('mine');
  });
  test('is the one in its JWK', async () => {
    const { signing } = await importSigningKeys(JSON.stringify(jwkOf('ES256', { kid: 'k' })), 'ES256', null);
    expect(signing.kid).toBe('k');
  });
});

test('of a set the first key signs, and all are published without what is private', async () => {
  const set = { keys: [jwkOf('ES256', { kid: 'new' }), jwkOf('ES256', { kid: 'old' })] };
  const { signing, published } = await importSigningKeys(JSON.stringify(set), 'ES256', null);
  expect(signing.kid).toBe('new');
  expect(published.map(({ kid }) => kid)).toEqual(['new', 'old']);
  for (const jwk of published)
    expect(Object.keys(jwk).toSorted()).toEqual(['alg', 'crv', 'kid', 'kty', 'use', 'x', 'y']);
});

test.each([
  ['neither PEM nor JSON', 'rubbish', 'EdDSA'],
  ['not a JWK', '7', 'EdDSA'],
  ['`keys` is no array of 1 to 256 keys', '{"keys":[]}', 'EdDSA'],
  ['key 0 cannot sign with ES256', pemOf('EdDSA'), 'ES256'],
  ['key 0 cannot sign with RS256', JSON.stringify(jwkOf('ES256')), 'RS256'],
  ['not a private key', JSON.stringify(makeSigner('ES256').key.export({ format: 'jwk' })), 'ES256'],
  ['a secret is no private key: use `secret_file`', '{"kty":"oct","k":"AAAA"}', 'HS256'],
  [
    'RSA modulus below 2048 bits',
    JSON.stringify(generateKeyPairSync('rsa', { modulusLength: 1024 }).privateKey.export({ format: 'jwk' })),
    'RS256',
  ],
])('%s', async (message, text, alg) => {
  await expect(importSigningKeys(text, alg, null)).rejects.toThrow(message);
});
