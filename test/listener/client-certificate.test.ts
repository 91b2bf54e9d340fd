import { createHash, X509Certificate } from 'node:crypto';
import { beforeAll, describe, expect, it } from 'vitest';
import { certificateReader } from '../../gateway/listener/client-certificate.ts';
import type { HttpResponse } from '../../gateway/native/uws.ts';
import { thumbprintInField } from '../../gateway/tls/thumbprint.ts';
import { Authority } from '../support/certificates.ts';
import { describeWith } from '../support/debian.ts';

describeWith('openssl', 'the certificate of a caller', () => {
  let [pem, der, thumbprint] = ['', Buffer.alloc(0), ''];
  beforeAll(() => {
    const authority = new Authority();
    pem = authority.issue().cert;
    authority.remove();
    der = new X509Certificate(pem).raw;
    thumbprint = createHash('sha256').update(der).digest('base64url');
  });

  const showing = (text: string): HttpResponse =>
    ({ getX509Certificate: () => text }) as unknown as HttpResponse;
  const field = (): string => `:${der.toString('base64')}:`;

  it('is that of the connection, whatever the caller writes', () => {
    const read = certificateReader({ secure: true, trustField: false });
    const forged = ['client-cert', ':AAAA:'];
    expect(read(showing(pem), forged, true)).toBe(thumbprint);
    expect(read(showing(''), ['client-cert', field()], true)).toBeNull();
    const plain = certificateReader({ secure: false, trustField: false });
    expect(plain({} as HttpResponse, ['client-cert', field()], true)).toBeNull();
  });

  it('is what a trusted proxy tells, and from others still that of the connection', () => {
    const read = certificateReader({ secure: true, trustField: true });
    expect(read(showing(''), ['client-cert', field()], true)).toBe(thumbprint);
    // The proxy shows its own one on its connection.
    expect(read(showing(pem), [], true)).toBeNull();
    expect(read(showing(pem), ['client-cert', ':AAAA:'], false)).toBe(thumbprint);
  });

  describe('RFC 9440 section 2.1: the field Client-Cert', () => {
    const cases: readonly [string, (good: string) => readonly string[]][] = [
      ['twice', (good) => ['client-cert', good, 'client-cert', good]],
      ['without colons', (good) => ['client-cert', good.replaceAll(':', '')]],
      ['as a list', (good) => ['client-cert', `${good}, ${good}`]],
      ['with parameters', (good) => ['client-cert', `${good};a=1`]],
      ['empty', () => ['client-cert', '::']],
      ['in PEM', () => ['client-cert', encodeURIComponent(pem)]],
    ];
    it.each(cases)('says nothing where it comes %s', (_, fieldsOf) => {
      expect(thumbprintInField(['host', 'a', 'client-cert', field()])).toBe(thumbprint);
      expect(thumbprintInField(fieldsOf(field()))).toBeNull();
    });
  });
});
