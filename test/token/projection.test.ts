import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { headerValueLengthMax, project } from '../../gateway/token/projection.ts';

const plain = (value: unknown, more: { join?: string; json?: boolean } = {}): string | null | false =>
  project({ a: value }, { path: ['a'], join: more.join ?? null, json: more.json ?? false });

describe('claims as header values', () => {
  test.each([
    ['text', 'text'],
    ['two words', 'two words'],
    ['', ''],
    [1, '1'],
    [-1.5, '-1.5'],
    [true, 'true'],
    [false, 'false'],
    [Number.MAX_SAFE_INTEGER, '9007199254740991'],
  ])('%j becomes %j', (value, text) => {
    expect(plain(value)).toBe(text);
  });

  test.each([
    ['a\r\nb'],
    ['a\nb'],
    ['a\u0000'],
    ['a\tb'],
    ['\u007f'],
    ['é'],
    ['日本'],
    [' a'],
    ['a '],
    [2 ** 53],
    [1e300],
    [{}],
    [['a']],
    ['x'.repeat(headerValueLengthMax + 1)],
  ])('%j cannot be one', (value) => {
    expect(plain(value)).toBe(false);
  });

  test('an absent claim, and null, is null', () => {
    expect(plain(undefined)).toBe(null);
    expect(plain(null)).toBe(null);
    expect(project({}, { path: ['__proto__'], join: null, json: true })).toBe(null);
    expect(project({}, { path: ['constructor', 'name'], join: null, json: false })).toBe(null);
    expect(project({ a: [{ b: 1 }] }, { path: ['a', '0', 'b'], join: null, json: false })).toBe(null);
  });

  test('arrays are joined where a separator is given, and an element must not hold it', () => {
    expect(plain(['a', 1, true], { join: ',' })).toBe('a,1,true');
    expect(plain([], { join: ',' })).toBe('');
    expect(plain(['a', 'b'], { join: '' })).toBe('ab');
    for (const value of [['a,b'], [['a']], [null], [{}], ['a\n']])
      expect(plain(value, { join: ',' })).toBe(false);
  });

  test('a path leads into nested claims, and a dotted name is one name', () => {
    expect(project({ a: { b: { c: 'x' } } }, { path: ['a', 'b', 'c'], join: null, json: false })).toBe('x');
    expect(project({ 'a.b': 'x', a: { b: 'y' } }, { path: ['a.b'], join: null, json: false })).toBe('x');
  });

  test('JSON is printable ASCII and reads back the same', () => {
    fc.assert(
      fc.property(fc.jsonValue({ maxDepth: 3, stringUnit: 'binary' }), (value) => {
        const text = plain(value, { json: true });
        if (value === null || text === false) return;
        expect(text).toMatch(/^[\x20-\x7e]*$/);
        expect(JSON.parse(text!)).toEqual(JSON.parse(JSON.stringify(value)));
      }),
    );
  });
});
