/** Routes that serve logins. */
import { describe, expect, it } from 'vitest';
import type { PolicySource, RouteSource } from '../../gateway/route/source.ts';
import { policyOf, problemsOf } from './policies.ts';

const logins: Partial<PolicySource> = { oauth: { providers: { idp: {} } } };
const page = { serve: 'page', account: 'team', open: false } as const;

describe('a route that serves logins', () => {
  it('has its mount compiled: kind, base, account', () => {
    const [route] = policyOf([{ prefix: '/login', public: true, oauth: page }], logins).routes;
    expect(route).toMatchObject({
      pattern: '/login/*',
      upstream: null,
      respond: null,
      oauth: { kind: 'page', base: '/login', account: 'team', open: false },
    });
  });

  it('asks for a token like any other route, whose subject is the account then', () => {
    const [route] = policyOf([{ prefix: '/me', oauth: { serve: 'json', open: false } }], logins).routes;
    expect(route!.oauth).toMatchObject({ kind: 'json', account: null });
    expect(route!.access).not.toBeNull();
  });

  it('is inherited, and lost to a nearer place to go', () => {
    const routes: RouteSource[] = [
      {
        prefix: '/a',
        public: true,
        oauth: page,
        routes: [{ path: '/health', respond: { status: 204, headers: {}, body: '' } }],
      },
    ];
    const [outer, inner] = policyOf(routes, logins).routes;
    expect(outer!.oauth).not.toBeNull();
    expect(inner!.oauth).toBeNull();
    expect(inner!.respond).not.toBeNull();
  });

  it('can have endpoints that are routes of their own, with a policy of their own', () => {
    const scopes = { all: ['logins:start'] };
    const routes: RouteSource[] = [
      {
        prefix: '/a',
        oauth: { ...page, serve: 'json' },
        routes: [{ path: '/start', methods: ['POST'], scopes }],
      },
    ];
    const [rest, start] = policyOf(routes, logins).routes;
    expect(start!.oauth).toEqual(rest!.oauth);
    expect(start!.access!.challengeScope).toBe('logins:start');
    expect(rest!.access!.challengeScope).toBe('');
  });

  it('at the root has an empty base', () => {
    expect(policyOf([{ prefix: '/', public: true, oauth: page }], logins).routes[0]!.oauth!.base).toBe('');
  });

  it.each<[string, RouteSource, Partial<PolicySource>]>([
    [
      'routes[0].oauth: there are no logins to serve: the section `oauth` is missing',
      { prefix: '/login', public: true, oauth: page },
      {},
    ],
    [
      'routes[0].oauth: logins are served below a `prefix` without parameters',
      { path: '/login', public: true, oauth: page },
      logins,
    ],
    [
      'routes[0].oauth: logins are served below a `prefix` without parameters',
      { prefix: '/{team}/login', public: true, oauth: page },
      logins,
    ],
    [
      'routes[0].oauth: whose logins are these? A public route has no subject: give `account`',
      { prefix: '/login', public: true, oauth: { serve: 'page', open: false } },
      logins,
    ],
    [
      'routes[0].routes[0]: whose logins are these? A public route has no subject: give `account`',
      {
        prefix: '/login',
        oauth: { serve: 'json', open: false },
        routes: [{ path: '/callback', public: true }],
      },
      logins,
    ],
    [
      'routes[0].oauth: `open` is for `serve: onboarding` on a public route',
      { prefix: '/login', public: true, oauth: { ...page, open: true } },
      logins,
    ],
    [
      'routes[0].oauth: `respond` and `oauth` exclude each other',
      { prefix: '/login', public: true, oauth: page, respond: { status: 204, headers: {}, body: '' } },
      logins,
    ],
  ])('%s', (problem, route, more) => {
    expect(problemsOf([route], more)).toContain(problem);
  });
});
