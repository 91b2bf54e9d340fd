import { createPublicKey, generateKeyPairSync } from 'node:crypto';
import { describe, expect, test } from 'vitest';
import { algorithmName } from '../../gateway/config/scalars.ts';
import { signatureAlgorithms } from '../../gateway/token/algorithms.ts';
import { isRejection, judge } from '../../gateway/token/judge.ts';
import type { Facts } from '../../gateway/core/facts.ts';
import type { VerifierProfile } from '../../workers/messages.ts';
import {
  encode,
  goodClaims,
  keyOf,
  makeIssuer,
  makeProfile,
  makeSigner,
  makeToken,
  profileOf,
  signSegments,
} from './tokens.ts';

const ed = makeSigner('EdDSA');
const edProfile = profileOf(ed);
const signers = signatureAlgorithms.map(({ name }) => makeSigner(name));

function codeOf(profile: VerifierProfile, token: string): string {
  const outcome = judge(profile, token);
  return isRejection(outcome) ? outcome.code : 'accepted';
}

function factsOf(profile: VerifierProfile, token: string): Facts {
  const outcome = judge(profile, token);
  if (isRejection(outcome)) throw new Error(outcome.code);
  return outcome;
}

test('the algorithms are those of the configuration, in its order', () => {
  expect(signatureAlgorithms.map(({ name }) => name)).toEqual(algorithmName.options);
});

describe('algorithms and signatures', () => {
  test.each(signers)('$alg: a good token passes and gives facts', (signer) => {
    expect(judge(profileOf(signer), makeToken(signer))).toEqual({
      issuer: 0,
      keyId: 1,
      expSeconds: goodClaims.exp,
      nbfSeconds: goodClaims.nbf,
      iatSeconds: goodClaims.iat,
      audiences: [1],
      scopes: [1],
      tokenType: 0,
      subject: 'user-1',
      certificate: null,
      claims: [],
    });
  });

  test.each(signers)('$alg: another signature, and one of another length, is refused', (signer) => {
    const profile = profileOf(signer);
    const [header, claims, signature] = makeToken(signer).split('.') as [string, string, string];
    const bytes = Buffer.from(signature, 'base64url');
    const broken = Buffer.from(bytes);
    broken[7]! ^= 1;
    for (const other of [
      broken,
      bytes.subarray(1),
      Buffer.concat([bytes, Buffer.alloc(1)]),
      Buffer.alloc(bytes.length),
    ]) {
      expect(codeOf(profile, `${header}.${claims}.${other.toString('base64url')}`)).toBe('token_signature');
    }
    expect(codeOf(profile, makeToken({ ...makeSigner(signer.alg), kid: signer.kid }))).toBe(
      'token_signature',
    );
  });

  test.each([
    'none',
    'None',
    'NONE',
    'nOnE',
    '',
    'rs256',
    'EDDSA',
    'Ed25519',
    'ES256K',
    'HS1',
    'RS1',
    'A128KW',
    'PBES2-HS256+A128KW',
    'dir',
    ' EdDSA',
  ])('T1: the algorithm %j is refused', (alg) => {
    expect(codeOf(edProfile, makeToken(ed, goodClaims, { alg }))).toBe('token_algorithm');
  });

  test('T1: an algorithm that the issuer does not list is refused, though its key could verify it', () => {
    const rsa = makeSigner('RS256', 'k');
    const profile = makeProfile([makeIssuer([keyOf(rsa, 1, ['RS256'])], { algorithms: ['RS256'] })]);
    const other = { ...rsa, alg: 'RS512' };
    expect(codeOf(profile, makeToken(other))).toBe('token_algorithm');
  });

  test('T1: what one issuer accepts says nothing about another one', () => {
    const hs = makeSigner('HS256');
    const other = 'https://other.example';
    const profile = makeProfile([makeIssuer([keyOf(ed, 1)]), makeIssuer([keyOf(hs, 2)], { issuer: other })]);
    expect(codeOf(profile, makeToken(ed, { ...goodClaims, iss: other }))).toBe('token_algorithm');
    expect(codeOf(profile, makeToken(hs))).toBe('token_algorithm');
    expect(codeOf(profile, makeToken(hs, { ...goodClaims, iss: other }))).toBe('accepted');
  });

  test('T1: HMAC with the public key as its secret is refused', () => {
    const rsa = makeSigner('RS256', 'k');
    const hmac = makeSigner('HS256', 'k');
    const profile = makeProfile([makeIssuer([keyOf(rsa)], { algorithms: ['RS256'] })]);
    expect(codeOf(profile, makeToken(hmac))).toBe('token_algorithm');
  });

  test('T2: the key is the one of exactly this kid', () => {
    const [a, b] = [makeSigner('EdDSA', 'a'), makeSigner('EdDSA', 'b')];
    const profile = makeProfile([makeIssuer([keyOf(a, 1), keyOf(b, 2)])]);
    expect(factsOf(profile, makeToken(b)).keyId).toBe(2);
    expect(codeOf(profile, makeToken(b, goodClaims, { kid: 'a' }))).toBe('token_signature');
    for (const kid of ['A', 'a ', '', 'c', '__proto__', 'toString']) {
      expect(codeOf(profile, makeToken(a, goodClaims, { kid }))).toBe('token_key_unknown');
    }
  });

  test('T2: a key that is there for another algorithm is not used', () => {
    const rsa = makeSigner('RS256', 'k');
    const profile = makeProfile([makeIssuer([keyOf(rsa, 1, ['PS256'])], { algorithms: ['RS256', 'PS256'] })]);
    expect(codeOf(profile, makeToken(rsa))).toBe('token_algorithm');
  });

  test('T2: without a kid the only key that fits is taken, unless a kid is required', () => {
    const header = encode({ alg: 'EdDSA' });
    const token = signSegments(ed, header, encode(goodClaims));
    expect(codeOf(edProfile, token)).toBe('accepted');
    expect(codeOf(profileOf(ed, { requireKid: true }), token)).toBe('token_header_invalid');
    const two = makeProfile([makeIssuer([keyOf(ed, 1), keyOf(makeSigner('EdDSA', 'b'), 2)])]);
    expect(codeOf(two, token)).toBe('token_header_invalid');
  });

  test('T2: a kid never finds a key that has none', () => {
    const profile = makeProfile([makeIssuer([{ ...keyOf(ed), kid: null }])]);
    expect(codeOf(profile, makeToken(ed))).toBe('token_key_unknown');
  });

  test('K2: of two keys with one kid the one with the algorithm is meant; two that fit are ambiguous', () => {
    const rsa = makeSigner('RS256', 'k');
    const ec = makeSigner('ES256', 'k');
    const profile = makeProfile([makeIssuer([keyOf(rsa, 1), keyOf(ec, 2)])]);
    expect(factsOf(profile, makeToken(rsa)).keyId).toBe(1);
    expect(factsOf(profile, makeToken(ec)).keyId).toBe(2);
    const twins = makeProfile([makeIssuer([keyOf(ec, 1), keyOf(makeSigner('ES256', 'k'), 2)])]);
    expect(codeOf(twins, makeToken(ec))).toBe('token_key_unknown');
  });

  test('T3: a key in the header leads nowhere', () => {
    const thief = makeSigner('EdDSA', ed.kid);
    const jwk = thief.key.export({ format: 'jwk' });
    const more = { jwk, jku: 'https://thief.example/jwks', x5u: 'https://thief.example/x', x5c: ['AAAA'] };
    expect(codeOf(edProfile, makeToken(thief, goodClaims, more))).toBe('token_signature');
    expect(codeOf(edProfile, makeToken(thief, goodClaims, { ...more, kid: 'thief' }))).toBe(
      'token_key_unknown',
    );
    expect(codeOf(edProfile, makeToken(ed, goodClaims, more))).toBe('accepted');
  });

  test.each([
    { crit: ['exp'] },
    { crit: [] },
    { crit: null },
    { crit: ['b64'], b64: false },
    { b64: false },
    { b64: true },
  ])('T4: RFC 7515 section 4.1.11: %j in the header is refused', (more) => {
    expect(codeOf(edProfile, makeToken(ed, goodClaims, more))).toBe('token_header_invalid');
  });

  test('T6: ECDSA: r and s of 0, of n and above are refused', () => {
    const es = makeSigner('ES256');
    const n = 0xffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551n;
    const [header, claims, signature] = makeToken(es).split('.') as [string, string, string];
    const [r, s] = [signature, signature].map((text, i) =>
      BigInt(
        `0x${Buffer.from(text, 'base64url')
          .subarray(32 * i, 32 * i + 32)
          .toString('hex')}`,
      ),
    ) as [bigint, bigint];
    const build = (r: bigint, s: bigint): string =>
      `${header}.${claims}.${Buffer.from([r, s].map((v) => v.toString(16).padStart(64, '0')).join(''), 'hex').toString('base64url')}`;
    expect(codeOf(profileOf(es), build(r, s))).toBe('accepted');
    for (const [badR, badS] of [
      [0n, s],
      [r, 0n],
      [0n, 0n],
      [n, s],
      [r, n],
      [n, n],
      [r, (1n << 256n) - 1n],
    ] as const) {
      expect(codeOf(profileOf(es), build(badR, badS))).toBe('token_signature');
    }
  });

  test('T6: EdDSA: RFC 8032 section 5.1.7: S of the group order and above is refused', () => {
    const order = (1n << 252n) + 27742317777372353535851937790883648493n;
    const [header, claims, signature] = makeToken(ed).split('.') as [string, string, string];
    const bytes = Buffer.from(signature, 'base64url');
    let s = BigInt(`0x${Buffer.from(bytes.subarray(32).toReversed()).toString('hex')}`) + order;
    for (let i = 32; i < 64; i += 1, s >>= 8n) bytes[i] = Number(s & 0xffn);
    expect(codeOf(edProfile, `${header}.${claims}.${bytes.toString('base64url')}`)).toBe('token_signature');
  });

  test('T6: RSA: a signature that is numerically the same but longer or shorter is refused', () => {
    const rsa = makeSigner('RS256');
    const [header, claims, signature] = makeToken(rsa).split('.') as [string, string, string];
    const padded = Buffer.concat([Buffer.alloc(1), Buffer.from(signature, 'base64url')]);
    expect(codeOf(profileOf(rsa), `${header}.${claims}.${padded.toString('base64url')}`)).toBe(
      'token_signature',
    );
  });

  test('T6: PSS with a salt of another length is refused', async () => {
    const { sign } = await import('node:crypto');
    const ps = makeSigner('PS256');
    const data = makeToken(ps).split('.').slice(0, 2).join('.');
    const signature = sign('sha256', Buffer.from(data), { key: ps.privateKey!, padding: 6, saltLength: 20 });
    expect(codeOf(profileOf(ps), `${data}.${signature.toString('base64url')}`)).toBe('token_signature');
  });

  test('a key of another curve or kind never verifies, whatever the set says of it', () => {
    const key = createPublicKey(generateKeyPairSync('ec', { namedCurve: 'P-384' }).privateKey);
    const profile = makeProfile([makeIssuer([{ keyId: 1, kid: 'k', algorithms: ['ES256'], key }])]);
    expect(codeOf(profile, makeToken(makeSigner('ES256', 'k')))).toBe('token_signature');
  });

  test('V2: keys that are not there are our failure, not the token’s', () => {
    const profile = makeProfile([makeIssuer(null, { algorithms: ['EdDSA'] })]);
    expect(codeOf(profile, makeToken(ed))).toBe('keys_unavailable');
  });
});

describe('T5: the form', () => {
  const [h, c, s] = makeToken(ed).split('.') as [string, string, string];
  const last = (text: string): string => {
    const alphabet = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_';
    return text.slice(0, -1) + alphabet[alphabet.indexOf(text.at(-1)!) ^ 1]!;
  };

  test.each([
    ['nothing', ''],
    ['one segment', h],
    ['two segments', `${h}.${c}`],
    ['four segments', `${h}.${c}.${s}.`],
    ['five segments (JWE)', `${h}.${c}.${s}.${c}.${s}`],
    ['an empty signature', `${h}.${c}.`],
    ['empty claims', `${h}..${s}`],
    ['an empty header', `.${c}.${s}`],
    ['only dots', '..'],
    ['padding', `${h}.${c}.${s}==`],
    ['a space in front', ` ${h}.${c}.${s}`],
    ['a line break', `${h}.${c}.${s}\n`],
    ['a space within', `${h}.${c.slice(0, 9)} ${c.slice(9)}.${s}`],
    ['a dot too many in front', `.${h}.${c}.${s}`],
    ['another alphabet', `${h}.${c}.${s.slice(0, -1)}+`],
    ['a letter beyond ASCII', `${h}.${c}.${s.slice(0, -1)}\u0141`],
    ['stray bits in the last character', `${h}.${c}.${last(s)}`],
    ['the JSON serialisation', JSON.stringify({ payload: c, signatures: [{ protected: h, signature: s }] })],
  ])('%s is malformed', (_, token) => {
    expect(codeOf(edProfile, token)).toBe('token_malformed');
  });

  test('a header that only looks like a known one after folding to bytes is not taken for it', () => {
    expect(codeOf(edProfile, `${String.fromCharCode(h.charCodeAt(0) + 256)}${h.slice(1)}.${c}.${s}`)).toBe(
      'token_malformed',
    );
    expect(codeOf(edProfile, `${h}.${c}.${s}`)).toBe('accepted');
  });
});
