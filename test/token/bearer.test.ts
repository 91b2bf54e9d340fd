import { expect, test } from 'vitest';
import { readBearer } from '../../gateway/token/bearer.ts';

const codeOf = (value: string | null, count = 1): string => {
  const read = readBearer(value, count);
  return typeof read === 'string' ? `token ${read}` : read.code;
};

test.each([['Bearer a.b.c'], ['bearer a.b.c'], ['BEARER a.b.c'], ['bEaReR   a.b.c']])(
  'C1: RFC 9110 section 11.1: the scheme is case-insensitive and followed by SP: %s',
  (value) => {
    expect(codeOf(value)).toBe('token a.b.c');
  },
);

test.each([
  ['no field', null, 0, 'credentials_missing'],
  ['an empty field', '', 1, 'credentials_missing'],
  ['the scheme alone', 'Bearer', 1, 'credentials_missing'],
  ['the scheme and spaces', 'Bearer   ', 1, 'credentials_missing'],
  ['another scheme', 'Basic YTpi', 1, 'credentials_missing'],
  ['a look-alike scheme', 'BearerX a.b.c', 1, 'credentials_missing'],
  ['a tab for the space', 'Bearer\ta.b.c', 1, 'credentials_missing'],
  ['no space', 'Bearera.b.c', 1, 'credentials_missing'],
  ['a letter that only folds to ASCII', 'Bea\u{212A}er a', 1, 'credentials_missing'],
  ['a space within', 'Bearer a.b c', 1, 'credentials_malformed'],
  ['a tab within', 'Bearer a.b\tc', 1, 'credentials_malformed'],
  ['a space behind', 'Bearer a.b.c ', 1, 'credentials_malformed'],
])('C1: %s does not pass', (_, value, count, code) => {
  expect(codeOf(value, count)).toBe(code);
});

test('C2: two fields are refused, even when both hold the same good token', () => {
  expect(codeOf('Bearer a.b.c', 2)).toBe('credentials_ambiguous');
});

test('C2: two fields that an intermediary joined into one are refused', () => {
  expect(codeOf('Bearer a.b.c, Bearer d.e.f')).toBe('credentials_ambiguous');
});
