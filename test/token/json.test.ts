import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import { depthMax, parseObject } from '../../gateway/token/json.ts';

const parse = (text: string): unknown => parseObject(Buffer.from(text, 'utf8'));

test('every object that JSON can write is read as JSON.parse reads it', () => {
  const member = fc.jsonValue({ maxDepth: 6 });
  fc.assert(
    fc.property(
      fc.dictionary(fc.string({ unit: 'binary' }), member),
      fc.constantFrom(0, 1, '\t'),
      (value, space) => {
        // A lone surrogate becomes U+FFFD in UTF-8, and two names may then be one.
        const text = Buffer.from(JSON.stringify(value, null, space)).toString();
        expect(parse(text)).toEqual(JSON.parse(text));
      },
    ),
  );
});

test('T7: a member that is written twice is found wherever it is', () => {
  fc.assert(
    fc.property(fc.string(), fc.jsonValue(), fc.integer({ min: 0, max: 8 }), (name, value, depth) => {
      const pair = `${JSON.stringify(name)}:${JSON.stringify(value)}`;
      const wrap = (text: string): string => `${'{"a":[0,'.repeat(depth)}${text}${']}'.repeat(depth)}`;
      expect(parse(wrap(`{${pair}}`))).not.toBe(null);
      expect(parse(wrap(`{${pair},${pair}}`))).toBe(null);
    }),
  );
});

test('T13: nesting ends at its bound', () => {
  const nested = (depth: number): string => `{"a":${'['.repeat(depth - 1)}${']'.repeat(depth - 1)}}`;
  expect(parse(nested(depthMax))).not.toBe(null);
  expect(parse(nested(depthMax + 1))).toBe(null);
});

test('lone surrogates written as escapes are kept apart, and bytes that are no UTF-8 are refused', () => {
  expect(parse('{"\\ud800":1,"\\udc00":2}')).toEqual({ '\uD800': 1, '\uDC00': 2 });
  expect(parseObject(Buffer.from([0x7b, 0x22, 0xed, 0xa0, 0x80, 0x22, 0x3a, 0x31, 0x7d]))).toBe(null);
});
