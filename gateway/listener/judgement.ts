/** The verdict on a request whose facts are known: what the policy says of it, and then whether its caller comes too often. */
import type { Clock } from '../core/clock.ts';
import { refusals } from '../core/errors.ts';
import { isDenial, type Verdict } from '../core/verdict.ts';
import { decide } from '../route/decide.ts';
import type { Route } from '../route/policy.ts';
import type { Verifier } from '../token/verifier.ts';
import type { Arrival } from './arrival.ts';

/** `address`: who comes, where the route counts addresses. Requests that the policy refuses are not counted. */
export type Judge = (arrival: Arrival, route: Route, address: string) => Verdict;

export function createJudge(verifier: Verifier, clock: Clock): Judge {
  return function judge(arrival, route, address) {
    const { path, facts, certificate } = arrival;
    const verdict = decide(route, path, facts, verifier.liveKeys, clock.nowMs() / 1000, certificate);
    if (route.rate === null || isDenial(verdict)) return verdict;
    arrival.counted = arrival.serving.limiter.take(route, facts, address);
    return arrival.counted.conforms ? verdict : refusals.rate_limited;
  };
}
