/**
 * Path patterns: `/orders/{id}`, `/variables/{key*}`, `/xcoms/{key*}/item/{offset}`, and `/orders/*` for a prefix.
 *
 * A parameter is a whole segment; `{name*}` takes one or more, at most one of them in a pattern and never in a prefix, so
 * that each pattern fits a path in one way only.
 */
import { isDenial } from '../core/verdict.ts';
import type { Param } from './policy.ts';
import { readTarget } from './path.ts';

export type Segment =
  /** `text` is decoded: `/%61dmin` and `/admin` are one literal. */
  | { readonly kind: 'literal'; readonly text: string }
  | { readonly kind: 'param'; readonly name: string }
  | { readonly kind: 'greedy'; readonly name: string }
  /** The end of a prefix: nothing more, or a slash and anything. */
  | { readonly kind: 'rest' };

const parameter = /^\{([A-Za-z_][\w-]*)(\*)?\}$/;

/** What is wrong with a pattern as the user wrote it, or null. */
export function patternProblem(text: string): string | null {
  const segments = text.slice(1).split('/');
  for (const [index, segment] of segments.entries()) {
    if (parameter.test(segment)) continue;
    if (/[{}]/.test(segment)) {
      return `"${segment}" is no parameter: one is a whole segment, {name} or {name*}, of letters, digits, - and _`;
    }
    if (segment.includes('*'))
      return `"${segment}": a * stands in {name*} only; as a character it is written %2A`;
    if (segment === '' && index < segments.length - 1) return 'two slashes in a row never match';
    const problem = literalProblem(segment);
    if (problem !== null) return problem;
  }
  const names = [...text.matchAll(/\{([\w-]+)(\*)?\}/g)];
  const twice = names.find(([, name], index) => names.findIndex(([, other]) => other === name) < index);
  if (twice !== undefined) return `the parameter "${twice[1]}" is there twice`;
  if (names.filter(([, , star]) => star === '*').length > 1) return 'a pattern has at most one {name*}';
  return null;
}

function literalProblem(segment: string): string | null {
  if (segment.includes('?')) return 'a pattern is a path; a query is not matched';
  let ascii: string;
  try {
    ascii = asciiOf(segment);
  } catch {
    return `"${segment}" is not valid Unicode`;
  }
  const target = readTarget(`/${ascii}`, Number.MAX_SAFE_INTEGER);
  if (isDenial(target) || target.oddities !== 0)
    return `"${segment}" is not in canonical form and would never match`;
  return null;
}

/** Non-ASCII text as its escapes, the form in which it arrives. */
function asciiOf(text: string): string {
  return text.replaceAll(/[^\0-\x7f]+/g, (run) => encodeURIComponent(run));
}

/** One spelling for the full pattern: ASCII, with `/*` at the end of a prefix. */
export function fullPattern(path: string, isPrefix: boolean): string {
  return asciiOf(isPrefix ? `${path}/*` : path);
}

/** Parses a full pattern that `patternProblem` found nothing wrong with. */
export function parsePattern(pattern: string): readonly Segment[] {
  return pattern
    .slice(1)
    .split('/')
    .map((segment): Segment => {
      if (segment === '*') return { kind: 'rest' };
      const [, name, star] = parameter.exec(segment) ?? [];
      if (name === undefined) return { kind: 'literal', text: decodeURIComponent(segment) };
      return { kind: star === '*' ? 'greedy' : 'param', name };
    });
}

/** The parameters of a pattern in order, and the segments that each of them covers. */
export function paramsOf(segments: readonly Segment[]): readonly Param[] {
  const greedyAt = segments.findIndex(({ kind }) => kind === 'greedy');
  return segments.flatMap((segment, index): Param[] => {
    if (segment.kind === 'greedy')
      return [{ name: segment.name, first: index, last: index - segments.length }];
    if (segment.kind !== 'param') return [];
    // Behind a {name*} only the distance to the end is known.
    const at = greedyAt !== -1 && index > greedyAt ? index - segments.length : index;
    return [{ name: segment.name, first: at, last: at }];
  });
}

/** Two patterns that differ in parameter names only have the same shape, and match the same paths. */
export function shapeOf(segments: readonly Segment[]): string {
  return segments
    .map((segment) => {
      if (segment.kind === 'literal') return `/${encodeURIComponent(segment.text)}`;
      return { param: '/{}', greedy: '/{*}', rest: '/*' }[segment.kind];
    })
    .join('');
}
