import { generateKeyPairSync } from 'node:crypto';
import { describe, expect, test } from 'vitest';
import { importKeySet, importSecret, keysMax, KeySetError } from '../../gateway/token/jwk.ts';
import { makeSigner } from './tokens.ts';

type Jwk = Record<string, unknown>;
const rsa = makeSigner('RS256', 'rsa');
const ec = makeSigner('ES256', 'ec');
const ed = makeSigner('EdDSA', 'ed');
const publicJwk = (signer: { key: typeof rsa.key }, more: Jwk = {}): Jwk => ({
  ...signer.key.export({ format: 'jwk' }),
  ...more,
});
const goodJwk = publicJwk(ec, { kid: 'good' });
const all = ['RS256', 'RS512', 'PS256', 'ES256', 'ES384', 'ES512', 'EdDSA'];

/** Imports one key beside a good one, and says what became of it. */
async function fateOf(
  jwk: unknown,
  algorithms: readonly string[] = all,
): Promise<readonly string[] | string> {
  const { keys, leftOut } = await importKeySet({ keys: [jwk, goodJwk] }, algorithms);
  expect(keys.at(-1)!.kid).toBe('good');
  return leftOut.length > 0 ? leftOut[0]!.reason : keys[0]!.algorithms;
}

describe('what a key may verify', () => {
  test('type and curve fit the algorithms', async () => {
    expect(await fateOf(publicJwk(rsa))).toEqual(['RS256', 'RS512', 'PS256']);
    expect(await fateOf(publicJwk(makeSigner('ES384')))).toEqual(['ES384']);
    expect(await fateOf(publicJwk(makeSigner('ES512')))).toEqual(['ES512']);
    expect(await fateOf(publicJwk(ed))).toEqual(['EdDSA']);
  });

  test('`alg` narrows them to one, and `use` and `key_ops` may say so', async () => {
    expect(await fateOf(publicJwk(rsa, { alg: 'PS256', use: 'sig', key_ops: ['verify'] }))).toEqual([
      'PS256',
    ]);
  });

  test('the imported key is the public key of the set', async () => {
    const { keys } = await importKeySet({ keys: [publicJwk(ed, { kid: 'ed' })] }, all);
    expect(keys[0]!.key.equals(ed.key)).toBe(true);
    expect(keys[0]!.kid).toBe('ed');
  });
});

describe('K1: what is left out, while the rest loads', () => {
  const small = generateKeyPairSync('rsa', { modulusLength: 1024 }).publicKey;
  const e1 = { ...publicJwk(rsa), e: 'AQ' };
  test.each<[string, unknown, string]>([
    [
      'a secret',
      { kty: 'oct', k: 'c2VjcmV0c2VjcmV0c2VjcmV0c2VjcmV0' },
      'a secret does not belong into a published set',
    ],
    ['an unknown type', { kty: 'AKP', alg: 'ML-DSA-44', pub: 'AA' }, 'unknown `kty`'],
    ['no type', { kid: 'x' }, 'unknown `kty`'],
    [
      'a private key',
      { ...ed.privateKey!.export({ format: 'jwk' }) },
      'a private key does not belong into a published set',
    ],
    ['use: enc', publicJwk(rsa, { use: 'enc' }), '`use` is not `sig`'],
    [
      'key_ops without verify',
      publicJwk(rsa, { key_ops: ['encrypt'] }),
      '`key_ops` does not include `verify`',
    ],
    [
      'key_ops that is no array',
      publicJwk(rsa, { key_ops: 'verify' }),
      '`key_ops` does not include `verify`',
    ],
    [
      'key_ops with a repetition',
      publicJwk(rsa, { key_ops: ['verify', 'verify'] }),
      '`key_ops` names an operation twice',
    ],
    ['RSA below 2048 bits', small.export({ format: 'jwk' }), 'RSA modulus below 2048 bits'],
    ['RSA with e = 1', e1, 'RSA exponent is not an odd number from 3 up'],
    ['RSA with an even e', { ...e1, e: 'AQAA' }, 'RSA exponent is not an odd number from 3 up'],
    ['RSA with an e as long as the modulus', { ...e1, e: publicJwk(rsa)['n'] }, 'RSA exponent above 32 bits'],
    [
      'an algorithm of another type',
      publicJwk(rsa, { alg: 'ES256' }),
      'fits none of the accepted algorithms',
    ],
    [
      'an algorithm of another curve',
      publicJwk(ec, { alg: 'ES384' }),
      'fits none of the accepted algorithms',
    ],
    [
      'an algorithm that is not accepted',
      publicJwk(rsa, { alg: 'RS384' }),
      'fits none of the accepted algorithms',
    ],
    ['an encryption algorithm', publicJwk(rsa, { alg: 'RSA-OAEP' }), 'fits none of the accepted algorithms'],
    [
      'another curve',
      publicJwk({ key: generateKeyPairSync('x25519').publicKey }),
      'fits none of the accepted algorithms',
    ],
    [
      'a point that is not on the curve',
      { ...goodJwk, kid: 'x', y: goodJwk['x'] },
      'the key itself is malformed',
    ],
    ['a missing part', { kty: 'EC', crv: 'P-256', x: goodJwk['x'] }, 'the key itself is malformed'],
    ['a kid that is no string', publicJwk(rsa, { kid: 7 }), '`kid` is not a string'],
    ['an alg that is no string', publicJwk(rsa, { alg: 7 }), '`alg` is not a string'],
    ['null', null, 'not an object'],
    ['an array', [], 'not an object'],
  ])('%s', async (_, jwk, reason) => {
    expect(await fateOf(jwk)).toBe(reason);
  });

  test('T13: an RSA modulus above 8192 bits', async () => {
    const n = Buffer.alloc(1200, 0xff).toString('base64url');
    expect(await fateOf({ kty: 'RSA', n, e: 'AQAB' })).toMatch(/above 8192 bits|malformed/);
  });
});

describe('sets', () => {
  test.each<[string, unknown]>([
    ['null', null],
    ['an array', []],
    ['no keys', {}],
    ['keys that are no array', { keys: {} }],
    ['an empty set', { keys: [] }],
    ['nothing usable', { keys: [{ kty: 'oct', k: 'AA' }] }],
    ['too many', { keys: Array.from({ length: keysMax + 1 }, () => goodJwk) }],
  ])('%s is an error', async (_, document) => {
    await expect(importKeySet(document, all)).rejects.toBeInstanceOf(KeySetError);
  });

  test('K2: the same key twice is one key; other keys of its kid are kept beside it', async () => {
    const { keys } = await importKeySet({ keys: [goodJwk, goodJwk, publicJwk(rsa, { kid: 'good' })] }, all);
    expect(keys.map(({ kid, algorithms }) => [kid, algorithms.length])).toEqual([
      ['good', 1],
      ['good', 3],
    ]);
  });

  test('a key keeps its identity as long as key, kid and use are the same', async () => {
    const identity = async (jwk: Jwk, algorithms = all): Promise<string> =>
      (await importKeySet({ keys: [jwk] }, algorithms)).keys[0]!.identity;
    const first = await identity(publicJwk(rsa, { kid: 'a' }));
    expect(await identity(publicJwk(rsa, { kid: 'a', x5t: 'whatever' }))).toBe(first);
    expect(await identity(publicJwk(rsa, { kid: 'b' }))).not.toBe(first);
    expect(await identity(publicJwk(rsa, { kid: 'a', alg: 'RS256' }))).not.toBe(first);
    expect(await identity(publicJwk(makeSigner('RS256'), { kid: 'a' }))).not.toBe(first);
  });
});

describe('RFC 7518 section 3.2: secrets', () => {
  const bytes = Buffer.alloc(64, 7);

  test('a secret is as long as the hash of every accepted algorithm, at least', () => {
    expect(importSecret('x'.repeat(48), 'utf8', ['HS256', 'HS384']).algorithms).toEqual(['HS256', 'HS384']);
    expect(() => importSecret('x'.repeat(48), 'utf8', ['HS256', 'HS512'])).toThrow(
      '48 bytes, and HS512 asks for at least 64',
    );
    expect(() => importSecret('x'.repeat(64), 'utf8', ['RS256'])).toThrow(KeySetError);
  });

  test('one line break at the end is not part of it', () => {
    expect(importSecret(`${'x'.repeat(64)}\r\n`, 'utf8', ['HS256']).key.symmetricKeySize).toBe(64);
    expect(importSecret(`${'x'.repeat(64)}\n\n`, 'utf8', ['HS256']).key.symmetricKeySize).toBe(65);
  });

  test.each(['base64url', 'base64', 'hex'] as const)(
    '%s is decoded, and anything else refused',
    (encoding) => {
      const text = bytes.toString(encoding);
      expect(importSecret(`${text}\n`, encoding, ['HS512']).key.export()).toEqual(bytes);
      expect(() => importSecret(`${text}!`, encoding, ['HS512'])).toThrow(`the secret is not ${encoding}`);
    },
  );

  test('C5: a message never holds the secret', () => {
    const secret = 'hunter2-hunter2';
    expect(() => importSecret(secret, 'utf8', ['HS256'])).toThrow(/^(?!.*hunter2)/);
  });
});
