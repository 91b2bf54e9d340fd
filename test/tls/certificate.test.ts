import { afterAll, beforeAll, expect, it } from 'vitest';
import { readAuthorities, readPair } from '../../gateway/tls/certificate.ts';
import { Authority } from '../support/certificates.ts';
import { describeWith } from '../support/debian.ts';

describeWith('openssl', 'a certificate and its key', () => {
  let authority: Authority;
  beforeAll(() => {
    authority = new Authority();
  });
  afterAll(() => authority.remove());

  it.each<[string, string[]]>([
    ['RSA', ['-algorithm', 'RSA', '-pkeyopt', 'rsa_keygen_bits:2048']],
    ['P-256', ['-algorithm', 'EC', '-pkeyopt', 'ec_paramgen_curve:P-256']],
    ['P-521', ['-algorithm', 'EC', '-pkeyopt', 'ec_paramgen_curve:P-521']],
    ['Ed25519', ['-algorithm', 'ED25519']],
  ])('are good with a key of the kind %s', (_, key) => {
    const { cert, key: pem } = authority.issue({ key });
    expect(readPair('0', cert, pem, null)).toMatchObject({ label: '0', names: ['gateway.test'] });
  });

  it.each<[string, string[], string]>([
    ['RSA of 1024 bits', ['-algorithm', 'RSA', '-pkeyopt', 'rsa_keygen_bits:1024'], 'fewer than 2048 bits'],
    ['secp256k1', ['-algorithm', 'EC', '-pkeyopt', 'ec_paramgen_curve:secp256k1'], 'none of RSA, P-256'],
  ])('are refused with a key of the kind %s', (_, key, reason) => {
    const { cert, key: pem } = authority.issue({ key });
    expect(() => readPair('0', cert, pem, null)).toThrow(reason);
  });

  it('take their names from the alternative names, in lower case, and from the configuration before those', () => {
    const { cert, key } = authority.issue({ names: ['API.test', '*.api.test', 'API.test'] });
    expect(readPair('0', cert, key, null).names).toEqual(['api.test', '*.api.test']);
    expect(readPair('0', cert, key, ['other.test']).names).toEqual(['other.test']);
  });

  it('know when they expire, to the second', () => {
    const { cert, key } = authority.issue({ days: 1 });
    const { notBeforeMs, notAfterMs } = readPair('0', cert, key, null);
    expect(notAfterMs - notBeforeMs).toBe(86_400_000);
    expect(Math.abs(Date.now() - notBeforeMs)).toBeLessThan(60_000);
  });

  it('are refused when one of the two is of another pair, of another kind, or cut short', () => {
    const [one, other] = [authority.issue(), authority.issue()];
    expect(() => readPair('0', one.cert, other.key, null)).toThrow('the key is not that of the certificate');
    expect(() => readPair('0', one.key, one.cert, null)).toThrow('no certificate in PEM form');
    expect(() => readPair('0', one.cert, one.cert, null)).toThrow('no private key in PEM form');
    expect(() => readPair('0', one.cert.slice(0, 200), one.key, null)).toThrow('no certificate in PEM form');
    expect(() => readPair('0', one.cert, '', null)).toThrow('no private key in PEM form');
    expect(() => readAuthorities('-----BEGIN NOTHING-----')).toThrow('no certificate in PEM form');
  });
});
