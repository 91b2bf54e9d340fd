import { expect, test, describe } from 'vitest';
import { isRejection, judge } from '../../gateway/token/judge.ts';
import type { Facts } from '../../gateway/core/facts.ts';
import type { VerifierProfile } from '../../workers/messages.ts';
import {
  encode,
  goodClaims,
  issuerName,
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

function codeOf(profile: VerifierProfile, token: string): string {
  const outcome = judge(profile, token);
  return isRejection(outcome) ? outcome.code : 'accepted';
}

function factsOf(profile: VerifierProfile, token: string): Facts {
  const outcome = judge(profile, token);
  if (isRejection(outcome)) throw new Error(outcome.code);
  return outcome;
}

describe('T7: header and claims are JSON objects', () => {
  test.each([
    ['an array', '[]'],
    ['null', 'null'],
    ['a string', '"x"'],
    ['no JSON', '{"exp":1'],
    ['something behind it', '{} x'],
    ['a byte order mark', '\u{FEFF}{}'],
    ['a member twice', '{"alg":"EdDSA","kid":"kid-EdDSA","kid":"kid-EdDSA","exp":1}'],
    ['a member twice, once escaped', '{"alg":"EdDSA","k\\u0069d":"a","kid":"kid-EdDSA","exp":1}'],
    ['a member twice, deep down', '{"alg":"EdDSA","kid":"kid-EdDSA","exp":1,"a":[{"b":{"c":1,"c":1}}]}'],
    ['__proto__ twice', '{"alg":"EdDSA","kid":"kid-EdDSA","exp":1,"__proto__":1,"__proto__":{}}'],
    [
      'nesting without end',
      `{"alg":"EdDSA","kid":"kid-EdDSA","exp":1,"a":${'['.repeat(2000)}${']'.repeat(2000)}}`,
    ],
  ])('%s is refused in both', (_, text) => {
    expect(codeOf(edProfile, makeToken(ed, goodClaims, text))).toBe('token_header_invalid');
    expect(codeOf(edProfile, makeToken(ed, text))).toBe('token_claims_invalid');
  });

  test('invalid UTF-8 is refused in both', () => {
    const bytes = (text: string): string =>
      Buffer.concat([Buffer.from(text.slice(0, -2)), Buffer.from([0xc3, 0x28]), Buffer.from('"}')]).toString(
        'base64url',
      );
    const header = bytes(JSON.stringify({ alg: 'EdDSA', kid: ed.kid, x: '' }));
    const claims = bytes(JSON.stringify({ ...goodClaims, x: '' }));
    expect(codeOf(edProfile, signSegments(ed, header, encode(goodClaims)))).toBe('token_header_invalid');
    expect(codeOf(edProfile, signSegments(ed, encode({ alg: 'EdDSA', kid: ed.kid }), claims))).toBe(
      'token_claims_invalid',
    );
  });

  test('__proto__ and constructor mean nothing', () => {
    const text = `{"__proto__":{"alg":"EdDSA","kid":"${ed.kid}"},"kid":"${ed.kid}"}`;
    expect(codeOf(edProfile, makeToken(ed, goodClaims, text))).toBe('token_header_invalid');
    const claims = `{"__proto__":{"exp":9999999999},"iss":"${issuerName}"}`;
    expect(codeOf(edProfile, makeToken(ed, claims))).toBe('token_claim_missing');
    const profile = profileOf(ed, { requiredClaims: ['constructor', 'toString'] });
    expect(codeOf(profile, makeToken(ed))).toBe('token_claim_missing');
  });

  test('colons and quotes within strings are no members', () => {
    const claims = { ...goodClaims, x: '":"\\":', 'y":\\': ['a:b', '"c":'], z: { '': ':' } };
    expect(codeOf(edProfile, makeToken(ed, claims))).toBe('accepted');
  });

  test.each([
    { alg: 1 },
    { alg: null },
    { kid: 1 },
    { kid: null },
    { typ: 1 },
    { typ: null },
    { kid: [ed.kid] },
  ])('the header member %j has the wrong type', (more) => {
    expect(codeOf(edProfile, makeToken(ed, goodClaims, more))).toBe('token_header_invalid');
  });

  test('a header without alg is refused', () => {
    expect(codeOf(edProfile, makeToken(ed, goodClaims, '{}'))).toBe('token_header_invalid');
  });
});

describe('claims', () => {
  const with_ = (more: object): string => makeToken(ed, { ...goodClaims, ...more });
  const raw = (member: string): string => makeToken(ed, `{"iss":"${issuerName}",${member}}`);

  test.each(['"1e10"', 'null', 'true', '[]', '1e400', '-1e400', '{}'])('T8: exp: %s is refused', (value) => {
    expect(codeOf(edProfile, raw(`"exp":${value}`))).toBe('token_claims_invalid');
  });

  test('T8: exp is required', () => {
    expect(codeOf(edProfile, raw('"sub":"x"'))).toBe('token_claim_missing');
  });

  test.each(['nbf', 'iat'])('T8: %s is a finite number when it is there', (name) => {
    for (const value of ['"1"', 'null', '1e400', '[1]', 'false']) {
      expect(codeOf(edProfile, raw(`"exp":9999999999,"${name}":${value}`))).toBe('token_claims_invalid');
    }
    expect(codeOf(edProfile, raw('"exp":9999999999'))).toBe('accepted');
  });

  test('T8: the time itself is not judged here', () => {
    expect(factsOf(edProfile, with_({ exp: 1, nbf: 1e12, iat: 1e12 }))).toMatchObject({
      expSeconds: 1,
      nbfSeconds: 1e12,
    });
  });

  test.each([
    ['another', 'https://issuer.example/', 'token_issuer'],
    ['another case', 'https://Issuer.example', 'token_issuer'],
    ['none', undefined, 'token_issuer'],
    ['a number', 1, 'token_claims_invalid'],
    ['an array', [issuerName], 'token_claims_invalid'],
    ['null', null, 'token_claims_invalid'],
  ])('T9: iss: %s is refused', (_, iss, code) => {
    expect(codeOf(edProfile, with_({ iss }))).toBe(code);
  });

  test('T9: tokens of no named issuer go to the one that does not look at iss, and to its keys alone', () => {
    const other = makeSigner('EdDSA', 'other');
    const profile = makeProfile([
      makeIssuer([keyOf(ed, 1)]),
      makeIssuer([keyOf(other, 2)], { issuer: null }),
    ]);
    expect(factsOf(profile, with_({}))).toMatchObject({ issuer: 0, keyId: 1 });
    expect(factsOf(profile, makeToken(other, { exp: 9e9 }))).toMatchObject({ issuer: 1, keyId: 2 });
    expect(factsOf(profile, makeToken(other, { exp: 9e9, iss: 'x' }))).toMatchObject({ issuer: 1 });
    expect(codeOf(profile, makeToken(other, goodClaims))).toBe('token_key_unknown');
  });

  test('T10: aud: a string or an array of strings; each known one sets its bit, exactly spelled', () => {
    expect(factsOf(edProfile, with_({ aud: 'billing' })).audiences).toEqual([2]);
    expect(factsOf(edProfile, with_({ aud: ['x', 'billing', 'orders'] })).audiences).toEqual([3]);
    expect(factsOf(edProfile, with_({ aud: ['Orders', 'orders '] })).audiences).toEqual([0]);
    expect(factsOf(edProfile, with_({ aud: undefined })).audiences).toEqual([0]);
    for (const aud of [1, null, {}, ['orders', 1], [['orders']]]) {
      expect(codeOf(edProfile, with_({ aud }))).toBe('token_claims_invalid');
    }
  });

  test('T11: RFC 9068 section 4: typ is JWT, at+jwt or none, unless the issuer lists others', () => {
    const typ = (profile: VerifierProfile, value: unknown): string =>
      codeOf(profile, makeToken(ed, goodClaims, { typ: value }));
    for (const value of ['JWT', 'jwt', 'at+jwt', 'application/at+JWT', undefined])
      expect(typ(edProfile, value)).toBe('accepted');
    for (const value of ['dpop+jwt', 'logout+jwt', 'id+jwt', '', 'application/', 'text/jwt'])
      expect(typ(edProfile, value)).toBe('token_typ');
    const strict = profileOf(ed, { typ: ['at+jwt'] });
    expect(typ(strict, 'application/at+jwt')).toBe('accepted');
    for (const value of ['JWT', undefined]) expect(typ(strict, value)).toBe('token_typ');
  });

  test('T12: a token above the size is refused before anything is read of it', () => {
    const profile = profileOf(ed, { tokenBytesMax: 500 });
    expect(codeOf(profile, with_({ x: 'x'.repeat(500) }))).toBe('token_too_large');
    expect(codeOf(profile, '.'.repeat(501))).toBe('token_too_large');
    const two = makeProfile([
      makeIssuer([keyOf(ed)], { tokenBytesMax: 500 }),
      makeIssuer(null, { issuer: null }),
    ]);
    expect(codeOf(two, with_({ x: 'x'.repeat(500) }))).toBe('token_too_large');
  });

  test('T13: the largest token that anyone may send costs milliseconds, however it nests', () => {
    const profile = profileOf(ed, { tokenBytesMax: 65_536 });
    const startMs = performance.now();
    for (const text of [
      '['.repeat(48_000),
      `{"a":`.repeat(8000),
      `{"exp":1,"a":${'['.repeat(20_000)}${']'.repeat(20_000)}}`,
      `{${'"a":1,'.repeat(6000)}"b":1}`,
    ]) {
      expect(codeOf(profile, makeToken(ed, text))).toBe('token_claims_invalid');
    }
    expect(performance.now() - startMs).toBeLessThan(1000);
  });

  test('the subject is a string when it is there, under whatever name', () => {
    expect(codeOf(edProfile, with_({ sub: 7 }))).toBe('token_claims_invalid');
    expect(factsOf(edProfile, with_({ sub: undefined })).subject).toBe(null);
    const profile = profileOf(ed, { subjectClaim: 'client_id' });
    expect(factsOf(profile, with_({ client_id: 'c' })).subject).toBe('c');
    expect(codeOf(profile, with_({ client_id: 1 }))).toBe('token_claims_invalid');
    expect(codeOf(profile, with_({ client_id: 'c', sub: 1 }))).toBe('token_claims_invalid');
  });

  test('required claims must be there', () => {
    const profile = profileOf(ed, { requiredClaims: ['jti'] });
    expect(codeOf(profile, with_({}))).toBe('token_claim_missing');
    expect(codeOf(profile, with_({ jti: 'x' }))).toBe('accepted');
  });

  test('Airflow 1.6: the token type is one known string; absent means the default', () => {
    const tokenTypes = { claim: 'scope', values: ['execution', 'workload'], default: 'execution' };
    const profile = profileOf(ed, { tokenTypes });
    expect(factsOf(profile, with_({ scope: 'workload' })).tokenType).toBe(2);
    expect(factsOf(profile, with_({ scope: undefined })).tokenType).toBe(1);
    for (const scope of ['bogus:scope', '', 'execution workload', null, ['execution'], 1]) {
      expect(codeOf(profile, with_({ scope }))).toBe('token_type_unknown');
    }
  });
});

describe('scopes', () => {
  const scopesOf = (claims: object, profile = edProfile): readonly number[] =>
    factsOf(profile, makeToken(ed, { ...goodClaims, scope: undefined, ...claims })).scopes;

  test('Z1: exact names separated by spaces; scp may be an array of whole names', () => {
    expect(scopesOf({ scope: 'orders:write orders:read' })).toEqual([3]);
    expect(scopesOf({ scope: ' orders:read  ' })).toEqual([1]);
    expect(scopesOf({ scope: 'orders:readx unread Orders:read orders:read,orders:write' })).toEqual([0]);
    expect(scopesOf({ scope: 'orders:read\torders:write' })).toEqual([0]);
    expect(scopesOf({ scp: 'orders:write' })).toEqual([2]);
    expect(scopesOf({ scp: ['orders:write'], scope: 'orders:read' })).toEqual([3]);
    expect(scopesOf({ scp: ['orders:read orders:write'] })).toEqual([0]);
  });

  test('Z1: scope as an array, and anything that is neither, is refused', () => {
    for (const claims of [
      { scope: ['orders:read'] },
      { scope: 1 },
      { scope: null },
      { scp: 1 },
      { scp: [1] },
      { scp: {} },
    ]) {
      expect(codeOf(edProfile, makeToken(ed, { ...goodClaims, ...claims }))).toBe('token_claims_invalid');
    }
  });

  test('Z2: unknown names set no bit, whatever they are called, and bits do not wrap', () => {
    expect(scopesOf({ scp: ['__proto__', 'toString', 'constructor', '-1', 'NaN', '0', '32', ''] })).toEqual([
      0,
    ]);
    const scopes = Array.from({ length: 70 }, (_, i) => `s${i}`);
    const profile = profileOf(ed, {}, { scopes, implied: scopes.map((_, i) => [i]) });
    expect(scopesOf({ scope: 's0' }, profile)).toEqual([1, 0, 0]);
    expect(scopesOf({ scope: 's31 s32 s53 s69' }, profile)).toEqual([-2147483648, 1 | (1 << 21), 1 << 5]);
  });

  test('an implied scope is granted with the one that implies it', () => {
    const profile = profileOf(ed, {}, { scopes: ['a', 'b', 'c'], implied: [[0, 1, 2], [1], [2]] });
    expect(scopesOf({ scope: 'a' }, profile)).toEqual([7]);
    expect(scopesOf({ scope: 'b' }, profile)).toEqual([2]);
  });

  test('a configured path leads into nested claims', () => {
    const profile = profileOf(ed, { scopeClaims: [['realm', 'roles'], ['a.b']] });
    expect(scopesOf({ realm: { roles: ['orders:read'] } }, profile)).toEqual([1]);
    expect(scopesOf({ 'a.b': 'orders:write', a: { b: 'orders:read' } }, profile)).toEqual([2]);
    expect(scopesOf({ realm: 'roles' }, profile)).toEqual([0]);
  });
});

describe('a subject that must be a UUID', () => {
  const uuids = profileOf(ed);
  const profile = { ...uuids, issuers: [{ ...uuids.issuers[0]!, subjectFormat: 'uuid' as const }] };
  const canonical = '0198c0de-0000-7000-8000-00000000abcd';

  test.each([
    canonical,
    canonical.toUpperCase(),
    canonical.replaceAll('-', ''),
    `urn:uuid:${canonical}`,
    `{${canonical}}`,
  ])('is known in one form, however it is spelled: %s', (sub) => {
    expect(factsOf(profile, makeToken(ed, { ...goodClaims, sub })).subject).toBe(canonical);
  });

  test.each(['', 'not-a-uuid', canonical.slice(1), `${canonical}0`, canonical.replace('a', 'g')])(
    'is refused where it is none: %j',
    (sub) => {
      expect(codeOf(profile, makeToken(ed, { ...goodClaims, sub }))).toBe('token_claims_invalid');
    },
  );

  test('is missed where it is missing', () => {
    expect(codeOf(profile, makeToken(ed, { ...goodClaims, sub: undefined }))).toBe('token_claim_missing');
  });
});
