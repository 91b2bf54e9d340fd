/** The command lines of the bench: names of cases, and a few numbers. */
import { parseArgs } from 'node:util';
import { casesNamed, UnknownCaseError } from './cases.ts';

export interface CommandLine<N extends string> {
  readonly values: Readonly<Record<N, number>> & { readonly out: string | null };
  readonly names: readonly string[];
  /** What stands before the names; empty where nothing has to. */
  readonly first: string;
}

/**
 * Reads `process.argv`. `numbers` are the options that take a whole number above 0, with their defaults. `leading`: a word
 * stands before the names of cases. Ends the process with 2 when the words are off.
 */
export function readCommandLine<N extends string>(
  usage: string,
  numbers: Readonly<Record<N, number>>,
  leading = false,
): CommandLine<N> {
  const names = Object.keys(numbers) as N[];
  try {
    const { values, positionals } = parseArgs({
      allowPositionals: true,
      options: {
        ...Object.fromEntries(names.map((name) => [name, { type: 'string' } as const])),
        out: { type: 'string' },
      },
    });
    const first = leading ? (positionals.shift() ?? '') : '';
    if (leading && first === '') throw new Error('what to compare with is missing');
    casesNamed(positionals);
    const read = names.map((name) => {
      const text = (values as Record<string, string | undefined>)[name];
      const value = text === undefined ? numbers[name] : Number(text);
      if (!Number.isInteger(value) || value < 1) throw new Error(`--${name} takes a whole number above 0`);
      return [name, value] as const;
    });
    const out = values.out ?? null;
    return { values: { ...(Object.fromEntries(read) as Record<N, number>), out }, names: positionals, first };
  } catch (error) {
    if (!(error instanceof Error)) throw error;
    const hint = error instanceof UnknownCaseError ? '' : `\nusage: ${usage}`;
    console.error(`${error.message}${hint}`);
    process.exit(2);
  }
}
