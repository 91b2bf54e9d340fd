/**
 * Decides about a request that is not here: a proxy or a program asks about it. The steps are those of `request.ts`, from
 * the method to the verdict, by the same functions on the same facts.
 */
import type { Clock } from '../core/clock.ts';
import { type Refusal, refusals } from '../core/errors.ts';
import { type Facts, isBound } from '../core/facts.ts';
import { methodIndex } from '../core/methods.ts';
import { isDenial, type Verdict } from '../core/verdict.ts';
import { readTarget } from '../route/path.ts';
import type { Route } from '../route/policy.ts';
import { thumbprintInField } from '../tls/thumbprint.ts';
import { readBearer } from '../token/bearer.ts';
import type { Waiter } from '../token/pending.ts';
import type { Verifier } from '../token/verifier.ts';
import type { Arrival } from './arrival.ts';
import { createJudge } from './judgement.ts';

export interface Credentials {
  /** The first Authorization field; empty when there is none. */
  readonly authorization: string;
  readonly count: number;
}

type Settle = (verdict: Verdict) => void;

export interface RulingParts {
  readonly verifier: Verifier;
  readonly targetBytesMax: number;
  /** Proxies tell the certificates of their callers (RFC 9440). */
  readonly trustCertificateField: boolean;
  readonly clock: Clock;
}

/**
 * Rules on `asked`, whose route and facts are filled in on the way. `settle` is called once: at once, and then null is
 * returned; or when the token is verified, unless the waiter that is returned is withdrawn before.
 */
export type Rule = (
  asked: Arrival,
  credentials: Credentials,
  clientAddress: string | null,
  settle: (verdict: Verdict) => void,
) => Waiter | null;

export function createRule({ verifier, targetBytesMax, clock, trustCertificateField }: RulingParts): Rule {
  function findRoute(asked: Arrival): Route | Refusal {
    if (asked.method === -1) return refusals.method_not_supported;
    const target = readTarget(asked.target, targetBytesMax);
    if (isDenial(target)) return target;
    const { matcher } = asked.serving;
    const route = matcher.match(target.path, asked.method);
    if (route === null)
      return matcher.allowed(target.path) === 0 ? refusals.route_not_found : refusals.method_not_allowed;
    asked.route = route;
    return (target.oddities & ~route.pathAllowance) === 0 ? route : refusals.path_not_canonical;
  }

  const judge = createJudge(verifier, clock);

  /** Settles at once unless the route's access hook has to be asked. */
  function ruleOn(asked: Arrival, route: Route, facts: Facts | null, address: string, settle: Settle): void {
    asked.facts = facts;
    if (trustCertificateField && facts !== null && isBound(facts))
      asked.certificate = thumbprintInField(asked.fields);
    const verdict = judge(asked, route, address);
    if (isDenial(verdict) || route.hook === null) return settle(verdict);
    asked.serving.askHook(route, asked, facts!, (refusal) => settle(refusal ?? verdict));
  }

  /** Null when that settled it. The waiter that is returned else waits for the hook, and the verifier knows nothing of it. */
  function ruleNow(
    asked: Arrival,
    route: Route,
    known: Facts | Refusal,
    address: string,
    settle: Settle,
    waiter: Waiter,
  ): Waiter | null {
    if ('code' in known) return (settle(known), null);
    let isSettled = false;
    ruleOn(asked, route, known, address, (verdict) => {
      isSettled = true;
      settle(verdict);
    });
    return isSettled ? null : waiter;
  }

  return function rule(asked, { authorization, count }, clientAddress, settle) {
    const route = findRoute(asked);
    const address = clientAddress ?? '';
    if (isDenial(route)) return (settle(route), null);
    if (route.access === null) return (ruleOn(asked, route, null, address, settle), null);
    const token = readBearer(authorization, count);
    if (typeof token !== 'string') return (settle(token), null);
    const known = verifier.lookup(token);
    const waiter: Waiter = {
      settle: (outcome, work) => {
        asked.trace?.verified(asked.startedMs, outcome, work);
        if ('code' in outcome) settle(outcome);
        else ruleOn(asked, route, outcome, address, settle);
      },
    };
    if (known !== undefined) return ruleNow(asked, route, known, address, settle, waiter);
    verifier.verify(token, clientAddress, waiter);
    return waiter;
  };
}

/** The request that is asked about, in the place of the one that asks. */
export function askedOf(arrival: Arrival, methodName: string, target: string): Arrival {
  const queryAt = target.indexOf('?');
  return {
    ...arrival,
    methodName,
    method: methodIndex(methodName),
    target,
    path: queryAt === -1 ? target : target.slice(0, queryAt),
    route: null,
    facts: null,
    certificate: null,
    counted: null,
    decision: null,
    trace: null,
  };
}
