/** The linter sees types: rules that need them find what is planted, in the folders where they count. */
import { rmSync } from 'node:fs';
import { afterAll, describe, expect, it } from 'vitest';
import { plant, runIn } from './planted.ts';

/** Rule → a line that breaks it. */
const planted: Readonly<Record<string, string>> = {
  'eslint(eqeqeq)': 'export const loose = (a: number, b: number): boolean => a == b;',
  'eslint(no-console)': "export const loud = (): void => console.log('x');",
  'import(no-default-export)': 'export default 1;',
  'typescript(await-thenable)': 'export const early = async (): Promise<number> => await 1;',
  'typescript(no-explicit-any)': 'export const anything = (x: any): unknown => x;',
  'typescript(no-floating-promises)': 'export const adrift = (): void => { Promise.resolve(1); };',
  'typescript(no-misused-promises)':
    'export const lost = (): void => [1].forEach(async () => Promise.resolve());',
  'typescript(no-unsafe-member-access)': "export const open = (): unknown => JSON.parse('{}').member;",
  'typescript(only-throw-error)': "export const thrown = (): void => { throw 'text'; };",
  'typescript(switch-exhaustiveness-check)':
    "export const some = (x: 'a' | 'b'): void => { switch (x) { case 'a': break; } };",
};
const fileOf = (rule: string): string => `gateway/keys/${rule.replaceAll(/.*\(|\)/g, '')}.ts`;

interface Report {
  readonly diagnostics: readonly {
    readonly code: string;
    readonly filename: string;
    readonly severity: string;
  }[];
}

const folder = plant(Object.fromEntries(Object.entries(planted).map(([rule, line]) => [fileOf(rule), line])));
afterAll(() => rmSync(folder, { recursive: true }));

describe('the linter', () => {
  const { diagnostics } = runIn(folder, 'oxlint/bin/oxlint', ['--format=json', 'gateway']) as Report;

  it.each(Object.keys(planted))('%s is an error', (rule) => {
    expect(diagnostics).toContainEqual(
      expect.objectContaining({ code: rule, filename: fileOf(rule), severity: 'error' }),
    );
  });
});
