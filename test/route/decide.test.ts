import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { Facts } from '../../gateway/core/facts.ts';
import { maskOf } from '../../gateway/core/mask.ts';
import { isDenial } from '../../gateway/core/verdict.ts';
import { checksOf, decide, paramText } from '../../gateway/route/decide.ts';
import type { Policy, Route } from '../../gateway/route/policy.ts';
import type { RouteSource } from '../../gateway/route/source.ts';
import { main, policyOf, routeNamed } from './policies.ts';

const now = 1_000_000;
const live = [1, 0, 1];

const facts = (more: Partial<Facts> = {}): Facts => ({
  issuer: 0,
  keyId: 0,
  expSeconds: now + 60,
  nbfSeconds: -Infinity,
  iatSeconds: -Infinity,
  audiences: [1],
  scopes: [0],
  tokenType: 0,
  subject: null,
  certificate: null,
  claims: [],
  ...more,
});

function codeOf(
  route: Route,
  path: string,
  token: Facts | null,
  nowSeconds = now,
  shown: string | null = null,
): string {
  const verdict = decide(route, path, token, live, nowSeconds, shown);
  return isDenial(verdict) ? verdict.code : 'permit';
}

function only(node: RouteSource, more: Parameters<typeof policyOf>[1] = {}): Route {
  return policyOf([{ upstream: 'app', ...node }], more).routes[0]!;
}

test('a public route asks for nothing', () => {
  const route = only({ path: '/a', public: true });
  expect(decide(route, '/a', null, [], now)).toEqual({ facts: null });
});

test('a protected route without a token is a 401', () => {
  expect(codeOf(only({ path: '/a' }), '/a', null)).toBe('credentials_missing');
});

test('a permit carries the facts that it was given for', () => {
  const token = facts();
  expect(decide(only({ path: '/a' }), '/a', token, live, now)).toEqual({ facts: token });
});

describe('the time window has exact edges', () => {
  const route = only({ path: '/a' });

  test.each([
    ['exp just within the leeway', { expSeconds: now - 9.999 }, 'permit'],
    ['exp = now - leeway', { expSeconds: now - 10 }, 'token_expired'],
    ['exp past the leeway', { expSeconds: now - 10.001 }, 'token_expired'],
    ['nbf = now + leeway', { nbfSeconds: now + 10 }, 'permit'],
    ['nbf past the leeway', { nbfSeconds: now + 10.001 }, 'token_not_yet_valid'],
    ['iat = now + leeway', { iatSeconds: now + 10 }, 'permit'],
    ['iat past the leeway', { iatSeconds: now + 10.001 }, 'token_issued_in_future'],
  ])('%s', (_, times, code) => {
    expect(codeOf(route, '/a', facts(times))).toBe(code);
  });

  test('facts hold no verdict: the same ones expire while the clock goes on', () => {
    const token = facts({ expSeconds: now + 1 });
    expect(codeOf(route, '/a', token, now)).toBe('permit');
    expect(codeOf(route, '/a', token, now + 11)).toBe('token_expired');
  });

  test('the leeway is that of the token’s issuer', () => {
    const issuers = { strict: { ...main, leewaySeconds: 0 }, lax: { ...main, leewaySeconds: 60 } };
    const both = only({ path: '/a', issuers: ['strict', 'lax'] }, { issuers });
    const old = { expSeconds: now - 30 };
    expect(codeOf(both, '/a', facts({ issuer: 0, ...old }))).toBe('token_expired');
    expect(codeOf(both, '/a', facts({ issuer: 1, ...old }))).toBe('permit');
  });
});

test('K4: a token whose key left its set is refused, and so is one of an unknown key', () => {
  const route = only({ path: '/a' });
  expect(codeOf(route, '/a', facts({ keyId: 1 }))).toBe('token_withdrawn');
  expect(codeOf(route, '/a', facts({ keyId: 3 }))).toBe('token_withdrawn');
  expect(codeOf(route, '/a', facts({ keyId: 2 }))).toBe('permit');
});

test('tokens of an issuer that the route does not name are refused', () => {
  const route = only({ path: '/a', issuer: 'b' }, { issuers: { a: main, b: main } });
  expect(codeOf(route, '/a', facts({ issuer: 0 }))).toBe('token_issuer');
  expect(codeOf(route, '/a', facts({ issuer: 1 }))).toBe('permit');
  expect(codeOf(route, '/a', facts({ issuer: 7 }))).toBe('token_issuer');
});

describe('audiences', () => {
  const issuers = { a: { audiences: ['x', 'y'], leewaySeconds: 0 } };

  test('one of the issuer’s must be there', () => {
    const route = only({ path: '/a' }, { issuers });
    expect(codeOf(route, '/a', facts({ audiences: [0b10] }))).toBe('permit');
    expect(codeOf(route, '/a', facts({ audiences: [0] }))).toBe('token_audience');
  });

  test('a route narrows them', () => {
    const policy = policyOf(
      [{ prefix: '/', upstream: 'app', routes: [{ path: '/a', id: 'a', audiences: ['y'] }] }],
      { issuers },
    );
    expect(policy.vocabulary.audiences).toEqual(['x', 'y']);
    expect(codeOf(routeNamed(policy, 'a'), '/a', facts({ audiences: [0b01] }))).toBe('token_audience');
    expect(codeOf(routeNamed(policy, 'a'), '/a', facts({ audiences: [0b10] }))).toBe('permit');
  });

  test('where the issuer has none, they are not looked at', () => {
    const route = only({ path: '/a' }, { issuers: { a: { audiences: [], leewaySeconds: 0 } } });
    expect(codeOf(route, '/a', facts({ audiences: [0] }))).toBe('permit');
  });
});

describe('the subject is bound to a path parameter as raw text', () => {
  const route = only({ path: '/ti/{id}/run', subject: { param: 'id' } });

  test.each([
    ['/ti/abc/run', 'abc', 'permit'],
    ['/ti/ABC/run', 'abc', 'subject_mismatch'],
    ['/ti/abcd/run', 'abc', 'subject_mismatch'],
    ['/ti/ab/run', 'abc', 'subject_mismatch'],
    ['/ti/%61bc/run', 'abc', 'subject_mismatch'],
    ['/ti/%61bc/run', '%61bc', 'permit'],
    ['/ti/abc/run', null, 'subject_mismatch'],
    ['/ti/abc/run', '', 'subject_mismatch'],
  ])('%s with the subject %s', (path, subject, code) => {
    expect(codeOf(route, path, facts({ subject }))).toBe(code);
  });

  test('wherever the parameter stands', () => {
    const last = only({ prefix: '/ti/{id}', subject: { param: 'id' } });
    for (const path of ['/ti/s', '/ti/s/', '/ti/s/x/y'])
      expect(codeOf(last, path, facts({ subject: 's' }))).toBe('permit');
    const greedy = only({ path: '/x/{key*}/item/{id}', subject: { param: 'id' } });
    expect(codeOf(greedy, '/x/s/t/item/9', facts({ subject: '9' }))).toBe('permit');
    expect(codeOf(greedy, '/x/9/t/item/s', facts({ subject: '9' }))).toBe('subject_mismatch');
    const whole = only({ path: '/x/{a}/{key*}/end', subject: { param: 'key' } });
    expect(codeOf(whole, '/x/1/s/t/end', facts({ subject: 's/t' }))).toBe('permit');
  });

  test('every parameter is found in a path that its route matches', () => {
    const value = fc.stringMatching(/^[a-z0-9]{1,4}$/);
    fc.assert(
      fc.property(value, value, fc.array(value, { minLength: 1, maxLength: 3 }), value, (a, b, key, c) => {
        const { params } = only({ path: '/r/{a}/{b}/{key*}/at/{c}', public: true });
        const path = `/r/${a}/${b}/${key.join('/')}/at/${c}`;
        expect(params.map((param) => paramText(path, param))).toEqual([a, b, key.join('/'), c]);
      }),
    );
  });
});

test('token types come before scopes and subject', () => {
  const issuers = {
    a: { audiences: [], leewaySeconds: 0, tokenTypes: { values: ['e', 'w'], default: 'e' } },
  };
  const route = only({ path: '/{id}', scopes: { all: ['s'] }, subject: { param: 'id' } }, { issuers });
  expect(codeOf(route, '/1', facts({ tokenType: 2 }))).toBe('token_type_not_allowed');
  expect(codeOf(route, '/1', facts({ tokenType: 1 }))).toBe('scope_insufficient');
  expect(codeOf(route, '/1', facts({ tokenType: 1, scopes: [1] }))).toBe('subject_mismatch');
  expect(codeOf(route, '/1', facts({ tokenType: 1, scopes: [1], subject: '1' }))).toBe('permit');
});

// ---------------------------------------------------------------- scopes against sets of names

/** Facts as a worker makes them: unknown names set no bit, implied scopes are folded in. */
function scopesOf(policy: Policy, names: Iterable<string>): number[] {
  const { scopes, implied } = policy.vocabulary;
  const bits = [...names].flatMap((name) => implied[scopes.indexOf(name)] ?? []);
  return maskOf(bits, scopes.length);
}

describe('Z1, Z2: scope masks decide as sets of names would', () => {
  test.each([5, 33, 64, 65, 1500])('with %i scopes', (size) => {
    const names = Array.from({ length: size }, (_, i) => `s${i}`);
    const some = (maxLength: number) => fc.uniqueArray(fc.constantFrom(...names), { maxLength });
    const few = (maxLength: number) => fc.uniqueArray(fc.constantFrom(...names), { minLength: 1, maxLength });
    const levelOf = fc.record({
      all: fc.option(few(3), { nil: undefined }),
      any: fc.option(few(4), { nil: undefined }),
    });
    fc.assert(
      fc.property(
        fc.array(levelOf, { minLength: 1, maxLength: 3 }),
        fc.dictionary(fc.constantFrom(...names), few(3), { maxKeys: 5 }),
        some(8),
        (levels, implies, carried) => {
          // Every name gets a bit by a route of its own, so that words beyond the first are in use.
          const [first, ...inner] = levels;
          const tested = inner.reduceRight<RouteSource>(
            (child, scopes, depth) => ({ prefix: `/l${depth}`, closed: true, scopes, routes: [child] }),
            { path: '/it', id: 'it', upstream: 'app' },
          );
          const policy = policyOf(
            [
              { path: '/all', upstream: 'app', scopes: { all: names } },
              { prefix: '/g', closed: true, scopes: first, routes: [tested] },
            ],
            { scopes: { implies } },
          );
          const route = routeNamed(policy, 'it');

          const granted = new Set(carried);
          for (const name of granted) for (const more of implies[name] ?? []) granted.add(more);
          const wanted = levels.every(
            ({ all, any }) =>
              (all ?? []).every((name) => granted.has(name)) &&
              (any === undefined || any.some((name) => granted.has(name))),
          );
          const unknown = ['__proto__', 'constructor', '-1', 'NaN', 'S1', 's', 's1 ', `s${size}`];
          const token = facts({ scopes: scopesOf(policy, [...unknown, ...carried]) });
          expect(codeOf(route, '/g/it', token)).toBe(wanted ? 'permit' : 'scope_insufficient');
        },
      ),
      { numRuns: size > 1000 ? 30 : 200 },
    );
  });
});

// ---------------------------------------------------------------- certificates (RFC 8705)

describe('a token that is bound to a certificate', () => {
  const bound = facts({ certificate: 'one' });

  test.each([
    ['passes on a connection that showed it', bound, 'one', 'permit'],
    ['is refused where another was shown', bound, 'other', 'token_certificate'],
    ['is refused where none was shown, or nobody looked', bound, null, 'token_certificate'],
    ['is not what a bearer token is: that one passes whatever was shown', facts(), 'other', 'permit'],
  ])('%s', (_, token, shown, code) => {
    expect(codeOf(only({ path: '/a' }), '/a', token, now, shown)).toBe(code);
  });

  test('is all that passes where the route or the issuer asks for it', () => {
    const byRoute = only({ path: '/a', certificateBound: true });
    const byIssuer = only({ path: '/a' }, { issuers: { main: { ...main, certificateBound: true } } });
    const not = only(
      { path: '/a', certificateBound: false },
      { issuers: { main: { ...main, certificateBound: true } } },
    );
    for (const route of [byRoute, byIssuer, not]) {
      expect(codeOf(route, '/a', bound, now, 'one')).toBe('permit');
      expect(codeOf(route, '/a', facts(), now, 'one')).toBe('token_unbound');
    }
  });
});

// ---------------------------------------------------------------- explain

test('checksOf tells what decide does: the first check that fails is the denial', () => {
  const typed = { audiences: ['x', 'y'], leewaySeconds: 5, tokenTypes: { values: ['e', 'w'], default: 'e' } };
  const policy = policyOf(
    [
      { path: '/open', public: true, upstream: 'app' },
      {
        path: '/a/{id}',
        issuers: ['typed', 'plain'],
        upstream: 'app',
        scopes: { all: ['r'], any: ['u', 'v'] },
        subject: { param: 'id' },
      },
      { path: '/b', issuer: 'typed', tokenTypes: ['w'], audiences: ['y'], upstream: 'app' },
      { path: '/c', issuer: 'plain', certificateBound: true, upstream: 'app' },
    ],
    { issuers: { typed, plain: { audiences: [], leewaySeconds: 0 } } },
  );
  const near = fc.constantFrom(now - 60, now - 5, now, now + 5, now + 60);
  const token = fc.record<Facts>({
    issuer: fc.constantFrom(0, 1, 2),
    keyId: fc.constantFrom(0, 0, 0, 1, 9),
    expSeconds: fc.oneof({ weight: 4, arbitrary: fc.constant(now + 60) }, near),
    nbfSeconds: fc.oneof({ weight: 4, arbitrary: fc.constant(-Infinity) }, near),
    iatSeconds: fc.oneof({ weight: 4, arbitrary: fc.constant(-Infinity) }, near),
    audiences: fc.constantFrom([0], [1], [2], [3]),
    scopes: fc.constantFrom([0], [1], [3], [5], [7]),
    tokenType: fc.constantFrom(1, 2),
    subject: fc.constantFrom(null, '1', '2'),
    certificate: fc.constantFrom(null, null, null, 'one', 'other'),
    claims: fc.constant([]),
  });
  const seen = new Set<string>();
  fc.assert(
    fc.property(
      token,
      fc.constantFrom(...policy.routes),
      fc.constantFrom(null, 'one'),
      (carried, route, shown) => {
        const path = route.pattern.replace('{id}', '1');
        const code = codeOf(route, path, carried, now, shown);
        const failed = checksOf(route, path, carried, live, now, shown).find(({ passed }) => !passed);
        seen.add(code);
        expect(failed?.code ?? 'permit').toBe(code);
      },
    ),
    { numRuns: 5000, seed: 7 },
  );
  expect([...seen].toSorted()).toEqual([
    'permit', 'scope_insufficient', 'subject_mismatch', 'token_audience', 'token_certificate', 'token_expired',
    'token_issued_in_future', 'token_issuer', 'token_not_yet_valid', 'token_type_not_allowed', 'token_unbound',
    'token_withdrawn',
  ]); // prettier-ignore
});
