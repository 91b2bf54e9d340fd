import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { isDenial } from '../../gateway/core/verdict.ts';
import { pathOddity, readTarget } from '../../gateway/route/path.ts';

const judge = (target: string): string | number => {
  const read = readTarget(target, 8192);
  return isDenial(read) ? read.code : read.oddities;
};

describe('P1, P2: a path in canonical form passes unchanged', () => {
  test.each([
    '/', '/orders', '/orders/', '/orders/5', '/a.b/c', '/.well-known/x', '/..a', '/...', '/a..', '/a/.b', "/a!$&'()*+,=:@~_-|",
    '/caf%C3%A9', '/a%20b', '/%61dmin', '/100%25', '/%252e', '/%F0%9F%98%80', '/a[1]', '/{x}', '/"<>^`',
  ])('%s', (target) => {
    expect(readTarget(target, 8192)).toEqual({ path: target, oddities: 0 });
  }); // prettier-ignore

  test('the query is left out of the path, and may be any visible ASCII', () => {
    expect(readTarget('/a?b=/../c;%zz\\?d', 100)).toEqual({ path: '/a', oddities: 0 });
    expect(readTarget('/?', 100)).toEqual({ path: '/', oddities: 0 });
  });
});

describe('P2: what has another normal form is refused', () => {
  test.each([
    '/.', '/..', '/./', '/../', '/a/.', '/a/..', '/a/./b', '/a/../b', '/a/../../etc/passwd', '//..', '/..;/a', '/.;x/a', '/a/..;x=1/b',
    '/%2e', '/%2E%2e', '/.%2e/', '/%2e./', '/a/%2e%2e/b', '/file%2etxt', '/a%2f..', '/a%2f..%2fb', '/..%2fb', '/a%2F.%2Fb', '/..%3b/a',
    '/a\\b', '/a%5cb', '/a%5Cb', '/..\\', '/a%00', '/%0d%0a', '/%1f', '/%7f', '/%09', '/%20/..',
  ])('%s', (target) => {
    expect(judge(target)).toBe('path_not_canonical');
  }); // prettier-ignore

  test.each([
    '/a b', '/a\tb', '/a\u0000', '/a\r\nb', '/a\u007f', '/caf\u00e9', '/a\u2028', '/a\uFFFD', '/a#b', '/a?b#c', '/a?\u00e9', '/a?b c', '/a?\u007f',
    '/%', '/a%2', '/a%zz', '/a%g1', '/%c0%ae', '/%C3', '/%ff', '/%ed%a0%80', '/%e0%80%af', '/%f8%88%80%80%80', '/%80',
  ])('%s is malformed', (target) => {
    expect(judge(target)).toBe('target_invalid');
  }); // prettier-ignore
});

describe('P3: only origin form is understood', () => {
  test.each([
    '',
    '*',
    'a',
    'http://evil.example/',
    'http://evil.example',
    'evil.example:80',
    '?',
    '?a',
    'https:/a',
    ' /a',
  ])('"%s"', (target) => {
    expect(judge(target)).toBe('target_invalid');
  });
});

describe('a route may accept some odd forms', () => {
  test.each([
    ['/a%2fb', pathOddity.encodedSlash],
    ['/a%2Fb', pathOddity.encodedSlash],
    ['/a;v=1/b', pathOddity.semicolon],
    ['//', pathOddity.emptySegment],
    ['/a//b', pathOddity.emptySegment],
    ['//a', pathOddity.emptySegment],
    ['/a/;x/b', pathOddity.emptySegment | pathOddity.semicolon],
    ['/a%2f%2Fb', pathOddity.emptySegment | pathOddity.encodedSlash],
    ['/a/%2fb;c', pathOddity.emptySegment | pathOddity.encodedSlash | pathOddity.semicolon],
  ])('%s', (target, oddities) => {
    expect(judge(target)).toBe(oddities);
  });
});

test('a target longer than the limit is refused before it is read', () => {
  expect(judge(`/${'a'.repeat(8191)}`)).toBe(0);
  expect(judge(`/${'a'.repeat(8192)}`)).toBe('target_too_long');
  expect(judge(`/?${'\\'.repeat(8192)}`)).toBe('target_too_long');
});

describe('P2: no disguise of a dot segment passes', () => {
  /** Reads a path as the laxest server we know of would: decodes twice-spelled slashes, drops parameters, resolves dots. */
  function laxReading(path: string): string[] {
    const decoded = decodeURIComponent(path).replaceAll('\\', '/');
    return decoded.split('/').map((segment) => segment.replace(/;.*$/, ''));
  }

  const piece = fc.constantFrom(
    '/', '.', '..', '%2e', '%2E', '%2f', '%2F', '\\', '%5c', ';', '%3b', 'a', 'admin', '%61', '%c3%a9', '%c0%ae', '%00', '//', '?', '%',
  ); // prettier-ignore

  test('what passes has no dot segment in anybody’s reading', () => {
    fc.assert(
      fc.property(fc.array(piece, { maxLength: 12 }), (pieces) => {
        const target = `/${pieces.join('')}`;
        const read = readTarget(target, 8192);
        if (isDenial(read)) return;
        expect(target.startsWith(read.path)).toBe(true);
        const segments = laxReading(read.path);
        expect(segments).not.toContain('.');
        expect(segments).not.toContain('..');
        expect(read.path).not.toMatch(/[\\\0]|%5c|%00/i);
        // Nothing odd is left unsaid.
        if ((read.oddities & pathOddity.encodedSlash) === 0) expect(read.path).not.toMatch(/%2f/i);
        if ((read.oddities & pathOddity.semicolon) === 0) expect(read.path).not.toContain(';');
        if ((read.oddities & pathOddity.emptySegment) === 0) expect(segments.slice(1, -1)).not.toContain('');
      }),
      { numRuns: 5000 },
    );
  });

  test('the scan for plain paths and the slow way agree', () => {
    // A character that changes nothing but the way: an escape sends a path the slow way.
    const text = fc.array(fc.constantFrom('/', '.', 'a', 'b.c', '~', ';', '\\', '-'), { maxLength: 10 });
    fc.assert(
      fc.property(text, (pieces) => {
        const path = `/${pieces.join('')}`;
        expect(judge(`${path}?`)).toBe(judge(path));
        const slow = judge(`/%20${path}`);
        expect(slow).toBe(judge(`/x${path}`));
      }),
      { numRuns: 2000 },
    );
  });

  test('no string ends in an exception', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary', maxLength: 50 }), (text) => void readTarget(`/${text}`, 100)),
    );
  });
});
