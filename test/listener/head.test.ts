import { describe, expect, it } from 'vitest';
import { HeadReader } from '../../gateway/listener/head.ts';
import { fakeRequest } from './fake-driver.ts';

type Field = readonly [string, string];
const host: Field = ['host', 'gateway.example'];
const reader = new HeadReader({ fieldsMax: 10, bytesMax: 1000, requestIdHeader: 'x-request-id' });

/** The code of the refusal, or null. */
function read(...fields: readonly Field[]): string | null {
  return reader.read(fakeRequest(fields))?.code ?? null;
}

describe('a good head', () => {
  it('is kept field by field, in order, repeated ones too', () => {
    expect(read(host, ['x', '1'], ['accept', '*/*'], ['x', '2'])).toBe(null);
    expect(reader.fields).toEqual(['host', 'gateway.example', 'x', '1', 'accept', '*/*', 'x', '2']);
  });

  it('leaves nothing of the one before', () => {
    read(
      host,
      ['authorization', 'Bearer a'],
      ['content-length', '5'],
      ['upgrade', 'x'],
      ['x-request-id', 'a'],
      ['bad name', ''],
    );
    const before = reader.fields;
    expect(read(host)).toBe(null);
    expect([
      reader.authorization,
      reader.authorizations,
      reader.contentLength,
      reader.upgrade,
      reader.requestId,
    ]).toEqual(['', 0, -1, false, '']);
    expect([reader.hasBody, reader.chunked]).toEqual([false, false]);
    expect(before).toHaveLength(12);
    expect(reader.fields).toHaveLength(2);
  });

  it.each<[string, Field, boolean, number]>([
    ['a length', ['content-length', '5'], true, 5],
    ['a length of 0', ['content-length', '0'], false, 0],
    ['leading zeros', ['content-length', '000005'], true, 5],
    ['the largest length', ['content-length', '999999999999999'], true, 999_999_999_999_999],
    ['chunks', ['transfer-encoding', 'chunked'], true, -1],
    ['chunks in another case', ['transfer-encoding', 'CHUNKED'], true, -1],
  ])('may announce %s', (_, field, hasBody, length) => {
    expect(read(host, field)).toBe(null);
    expect([reader.hasBody, reader.contentLength]).toEqual([hasBody, length]);
  });

  it.each<[value: string, close: boolean, driverCloses: boolean]>([
    ['close', true, true],
    ['Close', true, true],
    ['abcde', true, true],
    ['TE, close', true, false],
    ['close,\tTE', true, false],
    ['a ,CLOSE , b', true, false],
    ['keep-alive', false, false],
    ['closed', false, false],
    ['not-close, close-not, clo se', false, false],
    ['', false, false],
  ])('may want its connection closed: %j', (value, close, driverCloses) => {
    expect(read(host, ['connection', value])).toBe(null);
    expect([reader.close, reader.driverCloses]).toEqual([close, driverCloses]);
  });

  it('may want that in any of its Connection fields, of which the driver looks at the first', () => {
    expect(read(host, ['connection', 'x'], ['connection', 'close'], ['connection', 'y'])).toBe(null);
    expect([reader.close, reader.driverCloses]).toEqual([true, false]);
    expect(read(host)).toBe(null);
    expect([reader.close, reader.driverCloses]).toEqual([false, false]);
  });

  it('keeps bytes as bytes: one char is one byte of what the driver decoded', () => {
    expect(read(host, ['x', 'a\u00e9\u20acb'])).toBe(null);
    expect(reader.fields[3]).toBe('a\u00c3\u00a9\u00e2\u0082\u00acb');
  });

  it('counts the Authorization fields and keeps the last', () => {
    read(host, ['authorization', 'Bearer a'], ['authorization', 'Bearer b']);
    expect([reader.authorizations, reader.authorization]).toEqual([2, 'Bearer b']);
  });
});

describe('a bad head is refused', () => {
  it.each<[string, string, Field[]]>([
    ['framing_invalid', 'length twice', [['content-length', '5'], ['content-length', '5']]],
    ['framing_invalid', 'length and coding', [['content-length', '5'], ['transfer-encoding', 'chunked']]],
    ['framing_invalid', 'coding twice', [['transfer-encoding', 'chunked'], ['transfer-encoding', 'chunked']]],
    ['framing_invalid', 'an empty length', [['content-length', '']]],
    ['framing_invalid', 'a length of 16 digits', [['content-length', '1000000000000000']]],
    ['framing_invalid', 'a length in other digits', [['content-length', '\u0665']]],
    ['transfer_coding_unsupported', 'another coding', [['transfer-encoding', 'gzip']]],
    ['transfer_coding_unsupported', 'an empty coding', [['transfer-encoding', '']]],
    ['transfer_coding_unsupported', 'a coding that only lower-cases to chunked', [['transfer-encoding', 'chun\u212Aed']]],
    ['header_invalid', 'a name that is no token', [['a b', '']]],
    ['header_invalid', 'a name with upper case, which the driver does not give', [['A', '']]],
    ['header_invalid', 'a control in a value', [['x', 'a\u0001']]],
    ['header_invalid', 'DEL in a value', [['x', 'a\u007f']]],
    ['header_invalid', 'a byte that was no UTF-8', [['x', '\ufffd']]],
    ['header_invalid', 'a control in a known field', [['accept', '\n']]],
    ['expectation_failed', 'another expectation', [['expect', '200-ok']]],
    ['headers_too_large', 'too many fields', Array.from({ length: 10 }, () => ['x', ''] as const)],
    ['headers_too_large', 'too many bytes', [['x', 'y'.repeat(1000)]]],
    ['host_invalid', 'Host twice', [host]],
  ])('%s: %s', (code, _, fields) => {
    expect(read(host, ...fields)).toBe(code);
  }); // prettier-ignore

  it.each([
    '',
    'a b',
    'a/b',
    'a,b',
    'u@a',
    'a:b',
    'a:123456',
    '[::1',
    '::1',
    '[g::1]',
    'a?b',
    'a#b',
    'a"',
    'a:1:2',
  ])('host_invalid: %j', (value) => {
    expect(read(['host', value])).toBe(value === 'a,b' ? null : 'host_invalid');
  });
  it.each(['a', 'a.b:80', 'a:', '127.0.0.1:8080', '[::1]', '[2001:db8::1]:443', 'a_b', 'xn--e1a'])(
    'a Host of %s is good',
    (value) => {
      expect(read(['host', value])).toBe(null);
      expect(reader.host).toBe(value);
    },
  );
  it('host_invalid: none', () => {
    expect(read()).toBe('host_invalid');
  });
});

describe('a field that is sent back', () => {
  const echoing = new HeadReader({
    fieldsMax: 10,
    bytesMax: 1000,
    requestIdHeader: 'x-request-id',
    correlationIdHeader: 'correlation-id',
  });
  it('is the first of its name, and none where the head is malformed', () => {
    echoing.read(fakeRequest([host, ['correlation-id', 'one'], ['correlation-id', 'two']]));
    expect(echoing.correlationId).toBe('one');
    echoing.read(fakeRequest([host, ['correlation-id', 'a\u0001b']]));
    expect(echoing.correlationId).toBe('');
    echoing.read(fakeRequest([host]));
    expect(echoing.correlationId).toBe('');
  });
});
