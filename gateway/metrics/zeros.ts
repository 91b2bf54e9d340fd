/**
 * The series that are known before the first request, so that a rate over the first refusal is not blind to it
 * (https://prometheus.io/docs/practices/instrumentation/#avoid-missing-metrics).
 */
import { refusals, type RefusalCode } from '../core/errors.ts';
import { methodIndex } from '../core/methods.ts';
import type { Access, Route } from '../route/policy.ts';
import { noRoute, otherRoute } from './ordinals.ts';
import { decisionKey, requestKey, type SeriesTable } from './series.ts';

const permit = -1;

/** Refusals of requests that match no route. */
const unmatched: readonly RefusalCode[] = ['route_not_found', 'method_not_allowed'];

/** Refusals that every route with tokens can give. */
const anyToken: readonly RefusalCode[] = [
  'credentials_missing',
  'credentials_ambiguous',
  'credentials_malformed',
  'token_too_large',
  'token_malformed',
  'token_header_invalid',
  'token_algorithm',
  'token_key_unknown',
  'token_signature',
  'token_claims_invalid',
  'token_expired',
  'token_not_yet_valid',
  'token_issued_in_future',
  'token_issuer',
  'token_audience',
  'token_withdrawn',
  'token_certificate',
  'token_confirmation',
  'verifier_full',
  'verifier_timeout',
  'verifier_failed',
  'keys_unavailable',
];

function refusalsOf(access: Access): RefusalCode[] {
  const codes = [...anyToken];
  if (access.all.length > 0 || access.any.length > 0) codes.push('scope_insufficient');
  if (access.tokenTypes.some((bits) => bits !== 0)) codes.push('token_type_not_allowed');
  if (access.certificateBound.includes(true)) codes.push('token_unbound');
  if (access.subjectParam >= 0) codes.push('subject_mismatch');
  return codes;
}

/**
 * Claims the zeros of a configuration: first what every route has, then its successes, then its refusals.
 * They may take half of what is free, so that with thousands of routes there is room left for what really happens.
 */
export function claimZeros(table: SeriesTable, routes: readonly Route[], ordinals: readonly number[]): void {
  for (const route of [noRoute, otherRoute]) {
    for (const code of unmatched) table.claim(decisionKey(route, refusals[code].index), true);
    table.claim(decisionKey(route, permit), true);
  }
  const floor = table.free / 2;
  const claim = (key: number): void => {
    if (table.free > floor) table.claim(key, false);
  };
  routes.forEach((_, index) => claim(decisionKey(ordinals[index]!, permit)));
  routes.forEach((route, index) => {
    const status = route.respond?.status ?? 200;
    for (const method of route.methods ?? ['GET'])
      claim(requestKey(ordinals[index]!, methodIndex(method), status));
  });
  routes.forEach((route, index) => {
    if (route.rate !== null) claim(decisionKey(ordinals[index]!, refusals.rate_limited.index));
    if (route.access === null) return;
    for (const code of refusalsOf(route.access)) claim(decisionKey(ordinals[index]!, refusals[code].index));
  });
}
