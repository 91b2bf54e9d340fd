import { describe, expect, it } from 'vitest';
import type { Refusal } from '../../gateway/core/errors.ts';
import type { Facts } from '../../gateway/core/facts.ts';
import { ExpiryWatch, leaseEnd, type Lease } from '../../gateway/listener/expiry-watch.ts';
import type { Route } from '../../gateway/route/policy.ts';
import { main, policyOf, up } from '../route/policies.ts';

const route: Route = policyOf([{ path: '/a', ...up }], { issuers: { main: { ...main, audiences: [] } } })
  .routes[0]!;
const factsUntil = (expSeconds: number, keyId = 0): Facts => ({
  issuer: 0, keyId, expSeconds, nbfSeconds: -Infinity, iatSeconds: -Infinity, audiences: [], scopes: [], tokenType: 0,
  subject: 'user-1', certificate: null, claims: [],
}); // prettier-ignore

function stage() {
  const state = { nowMs: 1_000_000, live: [1, 1] };
  const watch = new ExpiryWatch({ nowMs: () => state.nowMs, monotonicMs: () => 0 }, () => state.live);
  const ended: string[] = [];
  const open = (name: string, facts: Facts, certificate: string | null = null): Lease => {
    const lease: Lease = {
      route,
      path: '/a',
      facts,
      certificate,
      endSeconds: leaseEnd(facts, route, state.nowMs / 1000),
      expire: (refusal: Refusal) => ended.push(`${name} ${refusal.code}`),
    };
    watch.add(lease);
    return lease;
  };
  return { state, watch, ended, open };
}

describe('a lease', () => {
  it('ends at `exp`, not at `exp` and leeway', () => {
    const { state, watch, ended, open } = stage();
    open('a', factsUntil(1005));
    state.nowMs = 1_004_999;
    watch.look();
    expect(ended).toEqual([]);
    state.nowMs = 1_005_000;
    watch.look();
    watch.look();
    expect(ended).toEqual(['a token_expired']);
  });

  it('of a token that came within the leeway ends with that', () => {
    const { state, watch, ended, open } = stage();
    open('a', factsUntil(995));
    state.nowMs = 1_004_999;
    watch.look();
    expect(ended).toEqual([]);
    state.nowMs = 1_005_000;
    watch.look();
    expect(ended).toEqual(['a token_expired']);
  });

  it('ends when its key leaves the set, and only its own', () => {
    const { state, watch, ended, open } = stage();
    open('a', factsUntil(2000, 0));
    open('b', factsUntil(2000, 1));
    state.live = [0, 1];
    watch.look();
    expect(ended).toEqual(['a token_withdrawn']);
  });

  it('of a bound token goes on with the certificate that opened it, and without one ends (RFC 8705)', () => {
    const { watch, ended, open } = stage();
    const bound = { ...factsUntil(2000), certificate: 'one' };
    open('a', bound, 'one');
    open('b', bound);
    watch.look();
    expect(ended).toEqual(['b token_certificate']);
  });

  it('that was given back does not end', () => {
    const { state, watch, ended, open } = stage();
    watch.delete(open('a', factsUntil(1001)));
    state.nowMs = 2_000_000;
    watch.look();
    expect(ended).toEqual([]);
  });
});
