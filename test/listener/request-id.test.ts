import { expect, it } from 'vitest';
import { isRequestId, requestIdSource } from '../../gateway/listener/request-id.ts';

it.each(['a', '0', 'f47ac10b-58cc-4372-a567-0e02b2c3d479', 'A.b_c~d+e/f=:g-h', 'x'.repeat(128)])(
  '%s may be taken over',
  (id) => {
    expect(isRequestId(id)).toBe(true);
  },
);

it.each([
  '',
  'x'.repeat(129),
  'a b',
  'a\n',
  'a\r\nb',
  '"a"',
  'a;b',
  'a,b',
  '<a>',
  '$(a)',
  '\u00e9',
  'a\0',
  '%0a',
])('%j may not', (id) => {
  expect(isRequestId(id)).toBe(false);
});

it('new ids are well-formed and never the same, of two threads neither', () => {
  const [one, other] = [requestIdSource(), requestIdSource()];
  const ids = Array.from({ length: 2000 }, (_, index) => (index % 2 === 0 ? one() : other()));
  expect(new Set(ids).size).toBe(ids.length);
  expect(ids.every(isRequestId)).toBe(true);
});
