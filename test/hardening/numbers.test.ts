/** Every numbered requirement of the hardening reference has a test whose title begins with its number. */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { root } from '../support/built.ts';

/** Tokens, keys, carrying, scopes, verdicts, HTTP in, paths, HTTP out, availability. */
const groups = { T: 13, K: 4, C: 5, Z: 3, V: 4, H: 9, P: 3, U: 9, D: 7 } as const;

const numbers = Object.entries(groups).flatMap(([group, count]) =>
  Array.from({ length: count }, (_, index) => `${group}${index + 1}`),
);

/** The numbers that titles of tests begin with, in this text. */
function numbersIn(text: string): string[] {
  const titles = text.matchAll(
    /\b(?:it|test|describe)(?:\.[a-zA-Z]+\([^'"`]*\))*\(\s*['"`]([A-Z]\d{1,2}): /g,
  );
  const afterTables = text.matchAll(/^\s*\](?: as const)?\)\(\s*['"`]([A-Z]\d{1,2}): /gm);
  return [...titles, ...afterTables].map((match) => match[1]!);
}

function cited(folder: string): Set<string> {
  const files = readdirSync(folder, { recursive: true, encoding: 'utf8' }).filter((file) =>
    file.endsWith('.test.ts'),
  );
  return new Set(files.flatMap((file) => numbersIn(readFileSync(join(folder, file), 'utf8'))));
}

const missing = (found: ReadonlySet<string>): string[] => numbers.filter((number) => !found.has(number));

it('every number is held over the whole program', () => {
  expect(missing(cited(join(root, 'test/hardening')))).toEqual([]);
});

it('a number without a test is noticed', () => {
  expect(
    numbersIn(`it('T1: x', f); describe("H12: y", f); it.each([1])('C3: z', f); // 'K1: no title'`),
  ).toEqual(['T1', 'H12', 'C3']);
  expect(missing(new Set(numbers.slice(1)))).toEqual(['T1']);
});
