/** What a verdict is to whoever asked for it: the fields for the upstream, or a refusal with a status. Counted once here. */
import type { Clock } from '../core/clock.ts';
import { type Refusal, refusals } from '../core/errors.ts';
import { isDenial, type Verdict } from '../core/verdict.ts';
import { identityFields, lifetimeSeconds, upstreamFor } from '../decision/answer.ts';
import type { DecisionMode, DecisionOutcome } from '../decision/mode.ts';
import { type DecisionMount, statusFor } from '../decision/mounts.ts';
import { defaultErrorProfile } from '../route/error-profile.ts';
import type { Route } from '../route/policy.ts';
import type { Arrival } from './arrival.ts';
import type { RequestObserver } from './request.ts';
import { profileFor, type Told } from './respond.ts';

export interface ConclusionParts {
  readonly clock: Clock;
  readonly observer: RequestObserver;
  readonly count: (mode: DecisionMode, outcome: DecisionOutcome) => void;
}

export type Conclusion =
  | Told
  | {
      readonly refusal: null;
      readonly route: Route;
      /** For the upstream: name, value, name, value. */
      readonly fields: string[];
      /** How long it may be kept. */
      readonly seconds: number;
    };

/** `upstream`: the tag of where the asker will send the request; null when it goes by the answer. */
export type Conclude = (
  asked: Arrival,
  mount: DecisionMount,
  verdict: Verdict,
  authorization: string,
  upstream: string | null,
) => Conclusion;

export function createConclude({ clock, observer, count }: ConclusionParts): Conclude {
  function deny(asked: Arrival, mount: DecisionMount, refusal: Refusal): Conclusion {
    // Whoever sends a batch reads codes; a proxy hands its caller what it is told.
    const profile = mount.mode === 'batch' ? defaultErrorProfile : profileFor(refusal, asked);
    const status = statusFor(mount, refusal, profile);
    observer.decided(asked, refusal);
    count(mount.mode, status === 503 ? 'failed' : 'denied');
    return { refusal, status, profile };
  }

  return function conclude(asked, mount, verdict, authorization, upstream) {
    if (isDenial(verdict)) return deny(asked, mount, verdict);
    const route = asked.route!;
    if (upstream !== null && upstream !== upstreamFor(route))
      return deny(asked, mount, refusals.decision_upstream_mismatch);
    const fields = identityFields(route, verdict, authorization);
    if (isDenial(fields)) return deny(asked, mount, fields);
    observer.decided(asked, null);
    count(mount.mode, 'allowed');
    const { cacheMaxSeconds } = asked.serving.decisions!;
    const seconds = lifetimeSeconds(verdict, cacheMaxSeconds, clock.nowMs() / 1000);
    return { refusal: null, route, fields, seconds };
  };
}
