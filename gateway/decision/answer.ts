/** What a permitted request is told to the proxy that asked: the fields its upstream gets, the upstream, how long it holds. */
import type { Refusal } from '../core/errors.ts';
import type { Permit } from '../core/verdict.ts';
import { addIdentity } from '../route/identity.ts';
import type { Policy, Route } from '../route/policy.ts';
import { type DecisionMode, questionFields } from './mode.ts';
import { upstreamField, upstreamTag } from './tag.ts';

/** The tag of the upstream a proxy may send this route to; empty where the request has to pass through the gateway itself. */
export function upstreamFor({ upstream, credential, exchange }: Route): string {
  return upstream === null || credential !== null || exchange !== null ? '' : upstreamTag(upstream);
}

/**
 * The fields whose value is the gateway's to say, in lower case and as they are sent. A proxy takes them out of what its
 * caller sent, and puts in what the answer has of them.
 */
export function ownedFields({ identityHeaders, routes }: Policy): readonly string[] {
  const names = new Set<string>(['authorization', upstreamField]);
  for (const { forwarding } of routes) {
    for (const { name } of forwarding.claims) names.add(name);
    for (let i = 0; i < forwarding.set.length; i += 2) names.add(forwarding.set[i]!);
  }
  const spelled = new Set([...names].map((name) => name.replaceAll('_', '-')));
  for (const name of identityHeaders) if (!spelled.has(name)) names.add(name);
  return [...names];
}

/**
 * The fields for the upstream: name, value, name, value. `authorization` is the caller's own field, for routes that
 * forward it; empty when there is none.
 *
 * Errors: `claim_unforwardable`.
 */
export function identityFields(route: Route, permit: Permit, authorization: string): string[] | Refusal {
  const fields: string[] = [];
  const refusal = addIdentity(route.forwarding, permit.facts, fields);
  if (refusal !== null) return refusal;
  if (route.forwarding.authorization && authorization !== '') fields.push('authorization', authorization);
  const upstream = upstreamFor(route);
  if (upstream !== '') fields.push(upstreamField, upstream);
  return fields;
}

/**
 * Envoy adds what an answer has, and takes out what this field names: without it, what the caller sent would stay where
 * the answer has nothing to put in its place.
 * Source: Envoy, `x-envoy-auth-headers-to-remove` of the HTTP authorization service.
 */
export function removalFields(owned: readonly string[], fields: readonly string[]): string[] {
  const absent = owned.filter((name) => !fields.includes(name));
  return absent.length === 0 ? [] : ['x-envoy-auth-headers-to-remove', absent.join(',')];
}

/**
 * How many whole seconds an answer holds: until the token expires, and no longer than `maxSeconds`; not at all where the
 * certificate of the caller had a say, which no cache of a proxy looks at.
 */
export function lifetimeSeconds({ facts }: Permit, maxSeconds: number, nowSeconds: number): number {
  if (facts !== null && facts.certificate !== null) return 0;
  const left = facts === null ? maxSeconds : facts.expSeconds - nowSeconds;
  return Math.max(0, Math.floor(Math.min(left, maxSeconds)));
}

/** RFC 9111 section 5.2.2; RFC 9110 section 12.5.5: the fields that the answer was made of. */
export function cacheFields(mode: DecisionMode, seconds: number): string[] {
  if (seconds === 0) return ['cache-control', 'no-store'];
  const names = mode === 'batch' ? null : questionFields[mode];
  const used = names === null ? '' : `, ${names.method}, ${names.target}`;
  return ['cache-control', `private, max-age=${seconds}`, 'vary', `authorization${used}`];
}
