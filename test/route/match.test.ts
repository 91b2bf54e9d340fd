import * as fc from 'fast-check';
import createRouter from 'find-my-way';
import { describe, expect, test } from 'vitest';
import { methodIndex, methods } from '../../gateway/core/methods.ts';
import { compileMatcher } from '../../gateway/route/match.ts';
import { parsePattern, type Segment } from '../../gateway/route/pattern.ts';
import type { Policy, Route } from '../../gateway/route/policy.ts';
import type { RouteSource } from '../../gateway/route/source.ts';
import { policyOf } from './policies.ts';

const open = { public: true, upstream: 'app' } as const;

/** Finds by id; null for 404 and 405. */
function finder(routes: readonly RouteSource[]): (line: string) => string | null {
  const matcher = compileMatcher(policyOf(routes));
  return (line) => {
    const [method, path] = line.split(' ');
    return matcher.match(path!, methodIndex(method!))?.id ?? null;
  };
}

describe('the most specific pattern wins', () => {
  const find = finder([
    { prefix: '/', id: 'all', ...open },
    { prefix: '/tis', id: 'group', ...open },
    { path: '/tis/count', id: 'count', ...open },
    { path: '/tis/{id}', id: 'one', ...open },
    { path: '/tis/{id}/state', id: 'state', ...open },
    { path: '/tis/{key*}', id: 'greedy', ...open },
  ]);

  test.each([
    ['/tis/count', 'count'],
    ['/tis/5', 'one'],
    ['/tis/5/state', 'state'],
    ['/tis/count/state', 'state'],
    ['/tis/5/other', 'greedy'],
    ['/tis/5/', 'greedy'],
    ['/tis', 'group'],
    ['/tis/', 'group'],
    ['/tisx', 'all'],
    ['/ti', 'all'],
    ['/', 'all'],
    ['/TIS/count', 'all'],
  ])('%s is %s', (path, id) => {
    expect(find(`GET ${path}`)).toBe(id);
  });
});

test('Z3: a prefix ends at a slash, and is itself included', () => {
  const find = finder([{ prefix: '/orders', id: 'orders', ...open }]);
  for (const path of ['/orders', '/orders/', '/orders/5', '/orders/5/6/'])
    expect(find(`GET ${path}`)).toBe('orders');
  for (const path of ['/orders2', '/order', '/', '/ordersX/5', '/x/orders'])
    expect(find(`GET ${path}`)).toBeNull();
});

test('a parameter takes one segment that is not empty', () => {
  const find = finder([{ path: '/a/{x}/b', id: 'it', ...open }]);
  expect(find('GET /a/1/b')).toBe('it');
  expect(find('GET /a/%2F/b')).toBe('it');
  for (const path of ['/a//b', '/a/b', '/a/1/2/b', '/a/1/b/', '/a/1']) expect(find(`GET ${path}`)).toBeNull();
});

test('a {name*} takes one segment or more, and what follows it the rest', () => {
  const find = finder([
    { path: '/x/{run}/{key*}', id: 'value', ...open },
    { path: '/x/{run}/{key*}/item/{offset}', id: 'item', ...open },
    { path: '/x/{run}/{key*}/slice', id: 'slice', ...open },
  ]);
  expect(find('GET /x/r/a')).toBe('value');
  expect(find('GET /x/r/a/b/c')).toBe('value');
  expect(find('GET /x/r/a/item/3')).toBe('item');
  expect(find('GET /x/r/a/b/item/3')).toBe('item');
  expect(find('GET /x/r/a/slice')).toBe('slice');
  expect(find('GET /x/r/slice')).toBe('value');
  expect(find('GET /x/r/item/3')).toBe('value');
  expect(find('GET /x/r/a/item/slice')).toBe('item');
  expect(find('GET /x/r/')).toBeNull();
  expect(find('GET /x/r')).toBeNull();
});

describe('methods', () => {
  const routes: RouteSource[] = [
    { prefix: '/o', id: 'rest', methods: ['GET', 'POST'], ...open },
    { path: '/o/{id}', id: 'one', methods: ['PATCH'], ...open },
    { path: '/o/new', id: 'new', methods: ['PUT'], ...open },
  ];
  const matcher = compileMatcher(policyOf(routes));
  const find = finder(routes);
  const allowed = (path: string) =>
    methods.filter((_, index) => ((matcher.allowed(path) >>> index) & 1) === 1);

  test('a pattern without the method gives way to a less specific one with it', () => {
    expect(find('PUT /o/new')).toBe('new');
    expect(find('PATCH /o/new')).toBe('one');
    expect(find('POST /o/new')).toBe('rest');
  });

  test('GET includes HEAD, and HEAD does not include GET', () => {
    expect(find('HEAD /o/new')).toBe('rest');
    expect(finder([{ path: '/h', id: 'h', methods: ['HEAD'], ...open }])('GET /h')).toBeNull();
  });

  test('where only the method fails, all methods of the path are told; an unknown path has none', () => {
    expect(find('DELETE /o/new')).toBeNull();
    expect(allowed('/o/new')).toEqual(['GET', 'HEAD', 'POST', 'PUT', 'PATCH']);
    expect(allowed('/o/1/2')).toEqual(['GET', 'HEAD', 'POST']);
    expect(allowed('/p')).toEqual([]);
  });
});

describe('a closed prefix', () => {
  const routes: RouteSource[] = [
    { prefix: '/api', id: 'api', ...open },
    {
      prefix: '/api/in',
      closed: true,
      routes: [
        { path: '/a', id: 'a', methods: ['GET'], ...open },
        { prefix: '/b', id: 'b', ...open },
      ],
    },
    { path: '/api/{x}/z', id: 'z', ...open },
  ];
  const find = finder(routes);

  test('serves its routes and ends the search for all else below it', () => {
    expect(find('GET /api/in/a')).toBe('a');
    expect(find('GET /api/in/b/c')).toBe('b');
    expect(find('GET /api/in')).toBeNull();
    expect(find('GET /api/in/c')).toBeNull();
    expect(find('GET /api/in/z')).toBeNull();
    expect(find('GET /api/inn')).toBe('api');
    expect(find('GET /api/other/z')).toBe('z');
  });

  test('does not fall through for another method either', () => {
    expect(find('POST /api/in/a')).toBeNull();
    expect(compileMatcher(policyOf(routes)).allowed('/api/in/a')).toBe(0b11);
  });
});

describe('literals are compared decoded', () => {
  const find = finder([
    { path: '/admin', id: 'admin', ...open },
    { path: '/café', id: 'café', ...open },
    { path: '/a%2525', id: 'percent', ...open },
    { prefix: '/', id: 'all', ...open },
  ]);

  test.each([
    ['/%61dmin', 'admin'],
    ['/%61%64%6D%69%6e', 'admin'],
    ['/caf%C3%A9', 'café'],
    ['/caf%c3%a9', 'café'],
    ['/a%2525', 'percent'],
    ['/a%25', 'all'],
    ['/%2561dmin', 'all'],
    ['/ADMIN', 'all'],
  ])('%s is %s', (path, id) => {
    expect(find(`GET ${path}`)).toBe(id);
  });
});

test('10,000 routes are found as fast as 10', () => {
  const routes = (count: number): RouteSource[] =>
    Array.from({ length: count }, (_, i) => ({ path: `/s${i}/{id}/items`, ...open }));
  const timeOf = (count: number): number => {
    const matcher = compileMatcher(policyOf(routes(count)));
    const path = `/s${count - 1}/42/items`;
    expect(matcher.match(path, 0)).not.toBeNull();
    const rounds = Array.from({ length: 9 }, () => {
      const start = process.hrtime.bigint();
      for (let i = 0; i < 20_000; i++) matcher.match(path, 0);
      return Number(process.hrtime.bigint() - start);
    });
    return Math.min(...rounds);
  };
  timeOf(10);
  // A scan of the routes would be hundreds of times slower.
  expect(timeOf(10_000)).toBeLessThan(10 * timeOf(10));
});

// ---------------------------------------------------------------- against a naive matcher

const kindOrder = { literal: 0, param: 1, greedy: 2, end: 3, rest: 4 } as const;

/** Says whether a pattern fits, by trying everything. */
function fits(pattern: readonly Segment[], path: readonly string[]): boolean {
  const [segment, ...more] = pattern;
  if (segment === undefined) return path.length === 0;
  if (segment.kind === 'rest') return true;
  const [first, ...others] = path;
  if (first === undefined) return false;
  if (segment.kind === 'literal') return decodeURIComponent(first) === segment.text && fits(more, others);
  if (first === '') return false;
  if (segment.kind === 'param') return fits(more, others);
  return path.some((_, index) => fits(more, path.slice(index + 1)));
}

function bySpecificity(a: readonly Segment[], b: readonly Segment[]): number {
  for (let i = 0; ; i++) {
    const [x, y] = [kindOrder[a[i]?.kind ?? 'end'], kindOrder[b[i]?.kind ?? 'end']];
    if (x !== y) return x - y;
    if (a[i] === undefined) return 0;
  }
}

function naiveMatch(policy: Policy, method: string, path: string): Route | null {
  const segments = path.slice(1).split('/');
  const candidates = [
    ...policy.routes.map((route) => ({ route, pattern: parsePattern(route.pattern) })),
    ...policy.closed.map(({ pattern }) => ({ route: null, pattern: parsePattern(pattern) })),
  ]
    .filter(({ pattern }) => fits(pattern, segments))
    .toSorted((a, b) => bySpecificity(a.pattern, b.pattern));
  for (const { route } of candidates) {
    if (route === null) return null;
    const served = route.methods ?? methods;
    if (served.includes(method) || (method === 'HEAD' && served.includes('GET'))) return route;
  }
  return null;
}

const word = fc.constantFrom('a', 'b', 'c');
const patternOf = fc
  .tuple(
    fc.array(fc.oneof({ weight: 3, arbitrary: word }, { weight: 2, arbitrary: fc.constant('{}') }), {
      maxLength: 3,
    }),
    fc.option(fc.array(fc.oneof(word, fc.constant('{}')), { maxLength: 2 }), { nil: null, freq: 3 }),
    fc.boolean(),
  )
  .map(([head, tail, slash]) => {
    const segments = [...head, ...(tail === null ? [] : ['{*}', ...tail])];
    const named = segments.map((segment, i) => segment.replace('{}', `{p${i}}`).replace('{*}', `{p${i}*}`));
    return { path: `/${named.join('/')}${slash && named.length > 0 ? '/' : ''}`, greedy: tail !== null };
  });
const methodsOf = fc.option(
  fc.uniqueArray(fc.constantFrom('GET' as const, 'HEAD' as const, 'POST' as const), { minLength: 1 }),
  { nil: undefined },
);
const routeOf = fc
  .tuple(patternOf, methodsOf, fc.boolean(), fc.nat({ max: 5 }))
  .map(([{ path, greedy }, allowed, isPrefix, dice]): RouteSource => {
    const trimmed = path.replace(/(?!^)\/$/, '');
    const node: RouteSource = { methods: allowed, public: true, upstream: 'app' };
    if (!isPrefix || greedy) return Object.assign(node, { path });
    if (dice > 0) return Object.assign(node, { prefix: trimmed });
    return { prefix: trimmed, closed: true, routes: [Object.assign(node, { path: '/a' })] };
  });
const pathOf = fc
  .tuple(fc.array(fc.constantFrom('a', 'b', 'c', 'd', '%61', 'x%20y'), { maxLength: 5 }), fc.boolean())
  .map(([segments, slash]) => `/${segments.join('/')}${slash && segments.length > 0 ? '/' : ''}`);

/** Leaves out routes that collide with one before them. */
function compatible(routes: readonly RouteSource[]): Policy {
  const kept: RouteSource[] = [];
  for (const route of routes) {
    try {
      policyOf([...kept, route]);
      kept.push(route);
    } catch {
      continue;
    }
  }
  return kept.length === 0 ? policyOf([{ path: '/only', ...open }]) : policyOf(kept);
}

test('the trie and a naive matcher agree on every path and method', () => {
  fc.assert(
    fc.property(
      fc.array(routeOf, { minLength: 1, maxLength: 12 }),
      fc.array(pathOf, { minLength: 10, maxLength: 30 }),
      (routes, paths) => {
        const policy = compatible(routes);
        const matcher = compileMatcher(policy);
        for (const path of paths) {
          for (const method of ['GET', 'HEAD', 'POST', 'DELETE'] as const) {
            const found = matcher.match(path, methodIndex(method));
            const wanted = naiveMatch(policy, method, path);
            expect([method, path, found?.pattern]).toEqual([method, path, wanted?.pattern]);
            expect(found).toBe(wanted);
            expect(((matcher.allowed(path) >>> methodIndex(method)) & 1) === 1).toBe(wanted !== null);
          }
        }
      },
    ),
    { numRuns: 400 },
  );
});

test('find-my-way agrees where its rules are ours: literals and parameters, one method', () => {
  const plain = fc.array(
    fc.oneof({ weight: 3, arbitrary: word }, { weight: 2, arbitrary: fc.constant('{}') }),
    {
      minLength: 1,
      maxLength: 4,
    },
  );
  fc.assert(
    fc.property(
      fc.uniqueArray(plain, { minLength: 1, maxLength: 15, selector: (segments) => segments.join('/') }),
      fc.array(fc.array(fc.constantFrom('a', 'b', 'c', 'd'), { minLength: 1, maxLength: 5 }), {
        minLength: 20,
        maxLength: 40,
      }),
      (patterns, paths) => {
        const router = createRouter();
        for (const segments of patterns) {
          const path = segments.map((segment, i) => (segment === '{}' ? `:p${i}` : segment)).join('/');
          router.on('GET', `/${path}`, () => {}, { key: segments.join('/') });
        }
        const routes = patterns.map((segments) => ({
          id: segments.join('/'),
          path: `/${segments.map((segment, i) => segment.replace('{}', `{p${i}}`)).join('/')}`,
          ...open,
        }));
        const matcher = compileMatcher(policyOf(routes));
        for (const segments of paths) {
          const path = `/${segments.join('/')}`;
          const theirs = router.find('GET', path)?.store as { key: string } | undefined;
          expect([path, matcher.match(path, 0)?.id]).toEqual([path, theirs?.key]);
        }
      },
    ),
    { numRuns: 300 },
  );
});
