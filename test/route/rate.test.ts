import { describe, expect, it } from 'vitest';
import type { RateSource } from '../../gateway/route/source.ts';
import { policyOf, problemsOf, routeNamed, up } from './policies.ts';

const rate = (more: Partial<RateSource> = {}): { rate: RateSource } => ({
  rate: { requests: 10, perSeconds: 60, by: 'subject', ...more },
});

describe('the rate of a route', () => {
  it('is that of the nearest node, by whose name it is counted, and none where a node says so', () => {
    const policy = policyOf([
      {
        prefix: '/a', issuer: 'main', ...up, limits: rate(),
        routes: [
          { path: '/b' },
          { path: '/c', limits: rate({ requests: 5, burst: 2, by: 'route' }) },
          { path: '/d', limits: { rate: 'none' } },
          { path: '/e', limits: {} },
        ],
      },
    ]); // prettier-ignore
    const inherited = { name: '/a/*', requests: 10, perSeconds: 60, burst: 10, by: { kind: 'subject' } };
    expect(routeNamed(policy, '/a/*').rate).toEqual(inherited);
    expect(routeNamed(policy, '/a/b').rate).toEqual(inherited);
    expect(routeNamed(policy, '/a/c').rate).toEqual({
      name: '/a/c',
      requests: 5,
      perSeconds: 60,
      burst: 2,
      by: { kind: 'route' },
    });
    expect(routeNamed(policy, '/a/d').rate).toBeNull();
    expect(routeNamed(policy, '/a/e').rate).toEqual(inherited);
    expect(routeNamed(policy, '/a/b').origin.from['limits.rate']).toEqual([['routes', 0]]);
  });

  it('by claims makes the claim one that facts hold', () => {
    const policy = policyOf([
      { path: '/a', issuer: 'main', ...up, limits: rate({ by: { claim: 'tenant' } }) },
    ]);
    expect(policy.routes[0]?.rate?.by).toEqual({ kind: 'claim', projection: 0 });
    expect(policy.vocabulary.projections).toHaveLength(1);
  });

  it('needs somebody to count on a public route, unless it is inherited: then it means nothing there', () => {
    const at = 'routes[0].limits.rate';
    const publicRate = (limits: { rate: RateSource }): string[] =>
      problemsOf([{ path: '/a', public: true, ...up, limits }]);
    expect(publicRate(rate())).toEqual([
      `${at}: who is it? A public route has no token: say \`by: address\` or \`by: route\``,
    ]);
    expect(publicRate(rate({ by: { claim: 'tenant' } }))).toHaveLength(1);
    expect(publicRate(rate({ by: 'address' }))).toEqual([]);
    expect(publicRate(rate({ by: 'route' }))).toEqual([]);
    const policy = policyOf([
      { prefix: '/a', issuer: 'main', ...up, limits: rate(), routes: [{ path: '/b', public: true }] },
    ]);
    expect(routeNamed(policy, '/a/b').rate).toBeNull();
  });

  it('comes back within a day', () => {
    const limits = rate({ requests: 1, perSeconds: 3600, burst: 25 });
    expect(problemsOf([{ path: '/a', issuer: 'main', ...up, limits }])).toEqual([
      'routes[0].limits.rate.burst: a whole burst would take more than a day to come back',
    ]);
  });
});
