import { expect, test } from 'vitest';
import { boundCertificate } from '../../gateway/token/confirmation.ts';
import { isRejection, judge } from '../../gateway/token/judge.ts';
import { goodClaims, makeSigner, makeToken, profileOf } from './tokens.ts';

const thumbprint = 'bwcK0esc3ACC3DB2Y5_lESsXE8o9ltc05O89jdN-dg2'; // RFC 8705 section 3.1
const ed = makeSigner('EdDSA');

test('RFC 8705 section 3.1: the facts of a bound token say which certificate it is bound to', () => {
  const outcome = judge(profileOf(ed), makeToken(ed, { ...goodClaims, cnf: { 'x5t#S256': thumbprint } }));
  expect(outcome).toMatchObject({ subject: 'user-1', certificate: thumbprint });
  expect(judge(profileOf(ed), makeToken(ed))).toMatchObject({ certificate: null });
});

test.each<[string, unknown, string]>([
  ['the key of a DPoP proof (RFC 9449 section 6.1)', { jkt: thumbprint }, 'token_confirmation'],
  ['a key (RFC 7800 section 3.2)', { jwk: { kty: 'oct' } }, 'token_confirmation'],
  ['the name of a key (RFC 7800 section 3.4)', { kid: 'a' }, 'token_confirmation'],
  ['a certificate and something else', { 'x5t#S256': thumbprint, jkt: thumbprint }, 'token_confirmation'],
  ['a certificate by a hash that is too weak', { x5t: 'x'.repeat(27) }, 'token_confirmation'],
  ['nothing at all', {}, 'token_confirmation'],
  ['a thumbprint that is too short', { 'x5t#S256': 'abc' }, 'token_claims_invalid'],
  ['a thumbprint in another alphabet', { 'x5t#S256': '+'.repeat(43) }, 'token_claims_invalid'],
  ['a thumbprint that is no text', { 'x5t#S256': 5 }, 'token_claims_invalid'],
  ['a text', thumbprint, 'token_claims_invalid'],
  ['a list', [{ 'x5t#S256': thumbprint }], 'token_claims_invalid'],
  ['null', null, 'token_claims_invalid'],
])('a token whose `cnf` is %s is no bearer token, and refused', (_, cnf, code) => {
  const outcome = judge(profileOf(ed), makeToken(ed, { ...goodClaims, cnf }));
  expect(isRejection(outcome) && outcome.code).toBe(code);
  expect(boundCertificate(cnf)).toMatchObject({ code });
});
