import { describe, expect, test } from 'vitest';
import type { Facts } from '../../gateway/core/facts.ts';
import { isDenial } from '../../gateway/core/verdict.ts';
import { decide } from '../../gateway/route/decide.ts';
import type { RouteSource } from '../../gateway/route/source.ts';
import { policyOf, problemsOf, up } from './policies.ts';

const accessHooks = { team: { claims: { team: 'team' } } };
const refuse = 'refuse' as const;

function codeOf(node: RouteSource, path: string, claim: string | null | false): string {
  const { routes } = policyOf([{ ...up, ...node }]);
  const facts: Facts = {
    issuer: 0, keyId: 0, expSeconds: 10, nbfSeconds: -Infinity, iatSeconds: -Infinity, audiences: [1], scopes: [0],
    tokenType: 0, subject: null, certificate: null, claims: [claim],
  }; // prettier-ignore
  const verdict = decide(routes[0]!, path, facts, [1], 0);
  return isDenial(verdict) ? verdict.code : 'permit';
}

describe('a claim', () => {
  const bound: RouteSource = {
    path: '/t/{team}',
    claims: [{ claim: 'team', param: 'team', absent: refuse }],
  };
  const listed: RouteSource = { path: '/t', claims: [{ claim: 'team', values: ['a', 'b'], absent: refuse }] };

  test.each([
    ['equals the parameter', bound, '/t/a', '"a"', 'permit'],
    ['equals another text', bound, '/t/a', '"b"', 'claim_mismatch'],
    ['begins like it', bound, '/t/a', '"ab"', 'claim_mismatch'],
    ['has it among its elements', bound, '/t/a', '["b","a"]', 'permit'],
    ['has it inside of an element', bound, '/t/a', '[["a"]]', 'claim_mismatch'],
    ['is compared with the raw text', bound, '/t/%61', '"a"', 'claim_mismatch'],
    ['is one of the texts', listed, '/t', '"b"', 'permit'],
    ['is none of them', listed, '/t', '"c"', 'claim_mismatch'],
    ['is no text', listed, '/t', '1', 'claim_mismatch'],
    ['is an empty list', listed, '/t', '[]', 'claim_mismatch'],
    ['is too large to be kept', listed, '/t', false, 'claim_mismatch'],
    ['is absent', listed, '/t', null, 'claim_mismatch'],
    ['may be absent', { path: '/t', claims: [{ claim: 'team', values: ['a'], absent: 'pass' }] }, '/t', null, 'permit'],
    ['may be absent, not another', { path: '/t', claims: [{ claim: 'team', values: ['a'], absent: 'pass' }] }, '/t', '"b"', 'claim_mismatch'],
  ] as const)('%s', (_, node, path, claim, code) => {
    expect(codeOf(node, path, claim)).toBe(code);
  }); // prettier-ignore
});

test('checks of all levels hold, and the nearest hook is asked', () => {
  const policy = policyOf(
    [
      {
        prefix: '/{a}', closed: true, accessHook: 'team', claims: [{ claim: 'x', param: 'a', absent: refuse }], ...up,
        routes: [{ path: '/{b}', claims: [{ claim: 'y', param: 'b', absent: 'pass' }] }, { path: '/o', public: true }],
      },
    ],
    { accessHooks },
  ); // prettier-ignore
  expect(policy.routes.map(({ access, hook }) => [access?.claims, hook])).toEqual([
    [
      [
        { projection: 1, param: 0, values: [], passesAbsent: false },
        { projection: 2, param: 1, values: [], passesAbsent: true },
      ],
      { name: 'team', claims: [{ name: 'team', projection: 0 }] },
    ],
    [undefined, null],
  ]);
});

test.each([
  ['both', { claims: [{ claim: 'x', param: 'a', values: ['b'], absent: refuse }] }, ['routes[0].claims[0]: a claim is compared with either `param` or `values`']],
  ['neither', { claims: [{ claim: 'x', absent: refuse }] }, ['routes[0].claims[0]: a claim is compared with either `param` or `values`']],
  ['another parameter', { claims: [{ claim: 'x', param: 'b', absent: refuse }] }, ['routes[0].claims[0].param: "b" is not a path parameter of every route that has this']],
  ['another hook', { accessHook: 'taem' }, ['routes[0].access_hook: unknown access hook "taem"']],
  ['a public route', { public: true, accessHook: 'team', claims: [{ claim: 'x', param: 'a', absent: refuse }] },
    ['routes[0].claims: the route is public: no token is looked at', 'routes[0].access_hook: the route is public: no token is looked at']],
] as const)('%s: does not compile', (_, node: RouteSource, problems) => {
  expect(problemsOf([{ path: '/{a}', ...up, ...node }], { accessHooks })).toEqual(problems);
}); // prettier-ignore
