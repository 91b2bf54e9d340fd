import { expect, it } from 'vitest';
import { createPseudonymKey, pseudonym } from '../../gateway/log/pseudonym.ts';

const key = createPseudonymKey();

it('a pseudonym is the same for the same issuer and subject', () => {
  expect(pseudonym(key, 'main', 'alice')).toBe(pseudonym(key, 'main', 'alice'));
  expect(pseudonym(key, 'main', 'alice')).toMatch(/^[0-9a-f]{16}$/);
});

it('another subject, another issuer or another process has another', () => {
  const all = [
    pseudonym(key, 'main', 'alice'),
    pseudonym(key, 'main', 'bob'),
    pseudonym(key, 'other', 'alice'),
    pseudonym(key, 'mainalice', ''),
    pseudonym(createPseudonymKey(), 'main', 'alice'),
  ];
  expect(new Set(all).size).toBe(all.length);
});
