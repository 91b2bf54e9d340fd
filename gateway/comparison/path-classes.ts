/**
 * Divides all paths into classes that two policies cannot tell apart, with one path of each as its witness.
 *
 * Which patterns fit a path depends on its segments one by one, so that patterns are read as automata: what fits after some
 * segments is a set of positions in patterns, and two beginnings with the same set go on alike. The sets that can be reached
 * are finite, although paths are not. Which of the fitting patterns wins is then asked of the matcher itself.
 */
import { parsePattern, type Segment } from '../route/pattern.ts';
import { assert } from '../core/assert.ts';

/** Positions in patterns, as dense numbers. */
interface Automaton {
  /** By position: the segment that comes next; null behind the last. */
  readonly next: readonly (Segment | null)[];
  readonly start: readonly number[];
}

// A policy has about as many as it has segments in all; only patterns made for it have more.
const classesMax = 1_000_000;

export function pathClasses(patterns: Iterable<string>): readonly string[] {
  const automaton = automatonOf(patterns);
  const fresh = freshWord(automaton);
  const seen = new Set<string>();
  const witnesses: string[] = [];
  let level: { readonly at: readonly number[]; readonly path: string }[] = [
    { at: automaton.start, path: '' },
  ];
  while (level.length > 0) {
    const below: typeof level = [];
    for (const { at, path } of level) {
      for (const [word, reached] of steps(automaton, at, fresh)) {
        const key = reached.join();
        if (reached.length === 0 || seen.has(key)) continue;
        seen.add(key);
        assert(seen.size <= classesMax, 'a policy has fewer than a million classes of paths');
        const longer = `${path}/${encodeURIComponent(word)}`;
        if (reached.some((position) => isEnd(automaton, position))) witnesses.push(longer);
        below.push({ at: reached, path: longer });
      }
    }
    level = below;
  }
  return witnesses;
}

function automatonOf(patterns: Iterable<string>): Automaton {
  const next: (Segment | null)[] = [];
  const start: number[] = [];
  for (const pattern of new Set(patterns)) {
    start.push(next.length);
    next.push(...parsePattern(pattern), null);
  }
  return { next, start };
}

/** A path may end here. */
function isEnd({ next }: Automaton, position: number): boolean {
  const segment = next[position]!;
  return segment === null || segment.kind === 'rest';
}

/** Where one more segment leads: each literal that is waited for, any other word, and the empty segment. */
function steps(
  { next }: Automaton,
  at: readonly number[],
  fresh: string,
): readonly (readonly [string, readonly number[]])[] {
  const anywhere = new Set<number>();
  const byWord = new Map<string, Set<number>>();
  const empty = new Set<number>();
  for (const position of at) {
    const segment = next[position]!;
    if (segment === null) continue;
    switch (segment.kind) {
      case 'literal': {
        const reached = byWord.get(segment.text) ?? new Set();
        byWord.set(segment.text, reached.add(position + 1));
        break;
      }
      case 'param':
        anywhere.add(position + 1);
        break;
      case 'greedy':
        anywhere.add(position).add(position + 1);
        break;
      case 'rest':
        anywhere.add(position);
        empty.add(position);
        break;
    }
  }
  for (const position of byWord.get('') ?? []) empty.add(position);
  byWord.delete('');
  const ordered = (positions: Iterable<number>): readonly number[] =>
    [...positions].toSorted((a, b) => a - b);
  return [
    ...[...byWord].map(([word, reached]) => [word, ordered(new Set([...reached, ...anywhere]))] as const),
    [fresh, ordered(anywhere)],
    ['', ordered(empty)],
  ];
}

/** A segment that is no literal of any pattern. */
function freshWord({ next }: Automaton): string {
  const literals = new Set(next.flatMap((segment) => (segment?.kind === 'literal' ? [segment.text] : [])));
  let word = 'any';
  while (literals.has(word)) word += 'y';
  return word;
}
