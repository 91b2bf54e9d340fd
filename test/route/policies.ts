/** Policies for tests: one issuer and one upstream unless told otherwise. */
import { expect } from 'vitest';
import { compilePolicy } from '../../gateway/route/compile.ts';
import type { Policy, Route } from '../../gateway/route/policy.ts';
import { showPath } from '../../gateway/route/problem.ts';
import type { PolicySource, RouteSource } from '../../gateway/route/source.ts';

export const main = { audiences: ['orders'], leewaySeconds: 10 };

export const up = { upstream: 'app' } as const;
export const two = { issuers: { a: main, b: { ...main, audiences: ['b1', 'b2'] } } };
export const typed: Partial<PolicySource> = {
  issuers: {
    main: { ...main, tokenTypes: { values: ['execution', 'workload', 'callback'], default: 'execution' } },
  },
};

export function sourceOf(routes: readonly RouteSource[], more: Partial<PolicySource> = {}): PolicySource {
  return {
    issuers: { main },
    upstreams: { app: {} },
    scopes: { implies: {} },
    identityHeaders: [],
    accessHooks: {},
    routes,
    ...more,
  };
}

export function policyOf(routes: readonly RouteSource[], more: Partial<PolicySource> = {}): Policy {
  const compiled = compilePolicy(sourceOf(routes, more));
  expect(compiled.ok ? [] : compiled.problems).toEqual([]);
  if (!compiled.ok) throw new Error('unreachable');
  return compiled.policy;
}

/** `path: message` of everything that is wrong. */
export function problemsOf(routes: readonly RouteSource[], more: Partial<PolicySource> = {}): string[] {
  const compiled = compilePolicy(sourceOf(routes, more));
  return compiled.ok ? [] : compiled.problems.map(({ path, message }) => `${showPath(path)}: ${message}`);
}

export function routeNamed(policy: Policy, id: string): Route {
  const route = policy.routes.find((candidate) => candidate.id === id);
  expect(route, `a route ${id}`).toBeDefined();
  return route!;
}
