import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { requestHead } from '../../../gateway/upstream/http1/request-head.ts';
import { takeHead } from '../../support/wire.ts';

const head = (method: string, headers: readonly string[], framing: 'none' | number | 'chunked' = 'none') =>
  requestHead({ method, target: '/a?b=c', headers }, 'orders.example:81', true, framing);

describe('U1: the head of a request', () => {
  it('names the authority of the URL, or the Host that the route keeps', () => {
    expect(head('GET', ['x', '1'])).toBe(
      'GET /a?b=c HTTP/1.1\r\nhost: orders.example:81\r\nconnection: keep-alive\r\nx: 1\r\n\r\n',
    );
    expect(head('GET', ['host', 'shop.example'])).toContain('\r\nhost: shop.example\r\nconnection');
  });

  it.each([
    ['GET', 'none', ''],
    ['DELETE', 'none', ''],
    ['GET', 5, 'content-length: 5'],
    ['POST', 'none', 'content-length: 0'],
    ['PATCH', 0, 'content-length: 0'],
    ['PUT', 'chunked', 'transfer-encoding: chunked'],
  ] as const)('RFC 9112 section 6: frames %s, %s with %j', (method, framing, line) => {
    const lines = head(method, [], framing)!.split('\r\n');
    expect(lines.filter((one) => /^(?:content-length|transfer-encoding)/.test(one))).toEqual(
      line === '' ? [] : [line],
    );
  });

  it.each(['\r', '\n', '\r\nX: y', '\0', '\x7f', '\u010a', '\u010d', '\u{1f600}'])(
    'is not made with %j in a value, which would become a line or an octet of its own',
    (bad) => {
      expect(head('GET', ['x', `a${bad}b`])).toBeNull();
      expect(head('GET', ['host', `a${bad}b`])).toBeNull();
      expect(requestHead({ method: 'GET', target: `/${bad}`, headers: [] }, 'a', true, 'none')).toBeNull();
    },
  );

  it('is one head with as many fields as were given, whatever the values, or none', () => {
    fc.assert(
      fc.property(fc.array(fc.string({ unit: 'binary' }), { maxLength: 6 }), (values) => {
        const text = head('GET', values.flatMap((value, i) => [`x-${i}`, value])); // prettier-ignore
        if (text === null) return;
        const bytes = Buffer.from(text, 'latin1');
        const taken = takeHead(bytes)!;
        expect([taken.bytes, taken.fields.length]).toEqual([bytes.length, values.length + 2]);
      }),
      { numRuns: 2000 },
    );
  });
});
