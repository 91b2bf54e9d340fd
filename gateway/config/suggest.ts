/** "Did you mean": the known name that a mistyped one is closest to. */
import { distance } from 'fastest-levenshtein';

/** Null when nothing is close enough to be meant. */
export function suggestionFor(word: string, known: readonly string[]): string | null {
  const limit = word.length < 4 ? 1 : Math.max(2, Math.floor(word.length / 3));
  let best: string | null = null;
  let bestDistance = limit + 1;
  for (const name of known) {
    const steps = distance(word.toLowerCase(), name.toLowerCase());
    // A name that shares nothing was not meant.
    if (steps < bestDistance && steps < Math.max(word.length, name.length))
      [best, bestDistance] = [name, steps];
  }
  return best;
}

const listedMax = 8;

/** The end of a message about an unknown name. */
export function hintFor(word: string, known: readonly string[]): string {
  const suggestion = suggestionFor(word, known);
  if (suggestion !== null) return `; did you mean "${suggestion}"?`;
  if (known.length === 0) return '; there are none';
  const names = [...new Set(known)];
  if (names.length > listedMax) return '';
  return `; there ${names.length === 1 ? 'is' : 'are'} ${names.map((name) => `"${name}"`).join(', ')}`;
}
