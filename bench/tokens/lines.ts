/** The lines of a corpus. A million of them are longer than a string can be. */
import { readFileSync } from 'node:fs';

const lineFeed = 10;

/** Tokens `from` to `to`, as far as there are so many. */
export function readTokens(file: string, from: number, to: number): string[] {
  const bytes = readFileSync(file);
  const tokens: string[] = [];
  for (let line = 0, start = 0; line < to; line += 1) {
    const end = bytes.indexOf(lineFeed, start);
    if (end < 0) break;
    if (line >= from) tokens.push(bytes.toString('latin1', start, end));
    start = end + 1;
  }
  return tokens;
}
