/**
 * Finds the route of a path and a method. Built once per policy, called for every request.
 *
 * Order: at each segment a literal is tried before a parameter, that before `{name*}`, that before the end of a prefix;
 * the first pattern in this order that has the method wins, and a pattern without it gives way to a less specific one
 * with it. A closed prefix ends the search. Cost: one Map lookup per segment, however many routes there are; a path
 * without parameters is found whole. Nothing is allocated but the strings that are looked up.
 */
import { methods } from '../core/methods.ts';
import { parsePattern, type Segment } from './pattern.ts';
import type { Policy, Route } from './policy.ts';
import type { ErrorProfile } from './source.ts';

/** No method at all: a search for it visits every pattern that fits the path. */
const noMethod = methods.length;

/** Where a pattern ends. */
interface End {
  /** By method index; null where no route has it. */
  readonly routes: (Route | null)[];
  /** The same as bits. */
  methods: number;
  /** Not null: nothing less specific is tried after this, and that there is nothing is told so. */
  closed: ErrorProfile | null;
  /** Kinds of the pattern's segments; the smaller string is the more specific pattern. */
  readonly kinds: string;
}

interface Node {
  literals: Map<string, Node> | null;
  param: Node | null;
  /** What follows a `{name*}`, by the number of segments: each fits a path at one place only. */
  greedy: Map<number, Node> | null;
  end: End | null;
  rest: End | null;
}

export interface Matcher {
  /** The route, or null. `path` is canonical (`readTarget`), `method` an index of `core/methods.ts`. */
  match(path: string, method: number): Route | null;
  /** Bits of the methods that the path has, for `Allow`: 0 means 404. */
  allowed(path: string): number;
  /** How it is told that no route has the path, or none the method; null where no closed pattern says. */
  errors(path: string): ErrorProfile | null;
}

const newNode = (): Node => ({ literals: null, param: null, greedy: null, end: null, rest: null });

export function compileMatcher(policy: Pick<Policy, 'routes' | 'closed'>): Matcher {
  const root = newNode();
  const literal = new Map<string, End>();

  for (const route of policy.routes) {
    const segments = parsePattern(route.pattern);
    const end = insert(root, segments);
    addMethods(end, route);
    const path = literalPath(segments);
    if (path !== null) literal.set(path, end);
  }
  for (const { pattern, errors } of policy.closed) insert(root, parsePattern(pattern)).closed = errors;

  let seen = 0;

  /** Tries an end: it is the answer when it has the method or closes the search. */
  function settle(end: End | null, method: number): End | null {
    if (end === null) return null;
    seen |= end.methods;
    return end.closed !== null || end.routes[method] !== null ? end : null;
  }

  /** `at` is the slash before the next segment, or the length of the path when there is none. */
  function search(node: Node, path: string, at: number, method: number): End | null {
    if (at === path.length) return settle(node.end, method) ?? settle(node.rest, method);
    const next = slashAfter(path, at);
    let found: End | null = null;
    if (node.literals !== null) {
      const child = node.literals.get(textOf(path, at + 1, next));
      if (child !== undefined) found = search(child, path, next, method);
    }
    // An empty segment is a trailing slash: no parameter takes it.
    if (next > at + 1) {
      if (found === null && node.param !== null) found = search(node.param, path, next, method);
      if (found === null && node.greedy !== null) found = searchGreedy(node.greedy, path, next, method);
    }
    return found ?? settle(node.rest, method);
  }

  function searchGreedy(tails: Map<number, Node>, path: string, next: number, method: number): End | null {
    let best: End | null = null;
    for (const [length, tail] of tails) {
      const at = slashFromEnd(path, length);
      if (at < next) continue;
      const found = search(tail, path, at, method);
      if (found !== null && (best === null || found.kinds < best.kinds)) best = found;
    }
    return best;
  }

  return {
    match(path, method) {
      const whole = literal.get(path)?.routes[method];
      if (whole !== undefined && whole !== null) return whole;
      return search(root, path, 0, method)?.routes[method] ?? null;
    },
    allowed(path) {
      seen = 0;
      search(root, path, 0, noMethod);
      return seen;
    },
    errors: (path) => search(root, path, 0, noMethod)?.closed ?? null,
  };
}

function insert(root: Node, segments: readonly Segment[]): End {
  let node = root;
  let kinds = '';
  for (const [index, segment] of segments.entries()) {
    switch (segment.kind) {
      case 'literal': {
        kinds += 'a';
        node.literals ??= new Map();
        node = childOf(node.literals, segment.text);
        break;
      }
      case 'param':
        kinds += 'b';
        node = node.param ??= newNode();
        break;
      case 'greedy':
        kinds += 'c';
        node.greedy ??= new Map();
        node = childOf(node.greedy, segments.length - index - 1);
        break;
      case 'rest':
        return (node.rest ??= newEnd(`${kinds}e`));
    }
  }
  return (node.end ??= newEnd(`${kinds}d`));
}

function childOf<K>(children: Map<K, Node>, key: K): Node {
  let child = children.get(key);
  if (child === undefined) children.set(key, (child = newNode()));
  return child;
}

function newEnd(kinds: string): End {
  return { routes: Array.from({ length: methods.length + 1 }, () => null), methods: 0, closed: null, kinds };
}

function addMethods(end: End, route: Route): void {
  for (const [index, method] of methods.entries()) {
    const serves =
      route.methods === null ||
      route.methods.includes(method) ||
      (method === 'HEAD' && route.methods.includes('GET'));
    if (!serves) continue;
    end.routes[index] = route;
    end.methods |= 1 << index;
  }
}

/** The one path that a pattern matches; null when it has parameters, or a path of it has escapes. */
function literalPath(segments: readonly Segment[]): string | null {
  let path = '';
  for (const segment of segments) {
    if (segment.kind !== 'literal' || segment.text.includes('%')) return null;
    path += `/${segment.text}`;
  }
  return path;
}

function slashAfter(path: string, at: number): number {
  const next = path.indexOf('/', at + 1);
  return next === -1 ? path.length : next;
}

/** The slash before the last `count` segments; the length of the path for none of them. */
function slashFromEnd(path: string, count: number): number {
  let at = path.length;
  for (let i = 0; i < count && at > 0; i++) at = path.lastIndexOf('/', at - 1);
  return at;
}

function textOf(path: string, start: number, end: number): string {
  const text = path.slice(start, end);
  return text.includes('%') ? decodeURIComponent(text) : text;
}
