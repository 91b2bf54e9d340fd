/**
 * Why flights of the broker fail: as the number in a control word, as what the owner of a flow is told, and as the refusal
 * of a start. The one place where the three meet.
 */
import { type Refusal, refusals } from '../core/errors.ts';
import { CALLER_CODES, FAILURES } from '../flight/failure.ts';
import { FlightFailure } from '../flight/work.ts';
import { type FlowFailure, flowFailures } from './flow.ts';
import type { ProviderFault } from './provider-fault.ts';

/** Reasons that are no failure of a login: how it ended, or why nothing was refreshed. */
const endings = [
  /** Cancelled while its credential was being stored; the credential was taken back. */
  'cancelled',
  /** The provider said that the code has expired, before our own deadline. */
  'expired',
  /** There is no credential to refresh. */
  'credential_absent',
  /** The provider refused to renew: only a new login helps. */
  'credential_refused',
] as const;

export type FlightReason = FlowFailure | (typeof endings)[number];

const reasons: readonly FlightReason[] = [...flowFailures, ...endings];
const codes = new Map<FlightReason, number>(reasons.map((reason, index) => [reason, CALLER_CODES + index]));

/** How long a failure answers the next starts too: one provider call for a burst, not a cached verdict. */
const coolDownMs = 1000;
const coolDownMsMax = 60_000;

/** The number of a reason in a control word. */
export function codeOf(reason: FlightReason): number {
  return codes.get(reason)!;
}

/** What a fault of the provider means for a flight. */
export function reasonOfFault({ kind }: ProviderFault): FlowFailure {
  switch (kind) {
    case 'unreachable':
      return 'provider_unreachable';
    case 'invalid':
      return 'provider_invalid';
    case 'refused':
      return 'provider_refused';
    case 'callback':
      return 'callback_invalid';
  }
}

/** Makes the failure of a flight. `pauseMs`: how long the provider asked us to stay away. */
export function flightFailure(reason: FlightReason, pauseMs = coolDownMs, cause?: unknown): FlightFailure {
  const options = cause === undefined ? {} : { cause };
  return new FlightFailure(codeOf(reason), Math.min(pauseMs, coolDownMsMax), reason, options);
}

/** The reason behind the code of a failed flight, ours or the table's own. */
export function reasonOf(code: number): FlightReason {
  const own = reasons[code - CALLER_CODES];
  if (own !== undefined) return own;
  switch (code) {
    case FAILURES['provider-timeout']:
      return 'provider_timeout';
    case FAILURES['no-payload-block']:
      return 'flows_full';
    case FAILURES['payload-oversized']:
      return 'provider_invalid';
    case FAILURES['persist-failed']:
      return 'store_failed';
    case FAILURES['spawn-failed']:
    case FAILURES['owner-died']:
    case FAILURES['lease-lost']:
    case FAILURES['commit-unknown']:
      return 'interrupted';
    default:
      return 'internal';
  }
}

/** What is told of a flow that ended for this reason. */
export function failureOf(reason: FlightReason): FlowFailure {
  return (flowFailures as readonly string[]).includes(reason) ? (reason as FlowFailure) : 'internal';
}

/** The refusal of a start, or of a request for a credential, whose flight failed. */
export function refusalOf(reason: FlightReason): Refusal {
  switch (reason) {
    case 'starts_limited':
      return refusals.oauth_starts_limited;
    case 'flows_full':
      return refusals.oauth_flows_full;
    case 'provider_unreachable':
      return refusals.oauth_provider_unreachable;
    case 'provider_timeout':
      return refusals.oauth_provider_timeout;
    case 'provider_refused':
    case 'access_denied':
      return refusals.oauth_provider_refused;
    case 'provider_invalid':
      return refusals.oauth_provider_invalid;
    case 'store_failed':
      return refusals.oauth_store_unavailable;
    case 'shared_unavailable':
      return refusals.oauth_shared_unavailable;
    case 'credential_absent':
      return refusals.credential_absent;
    case 'credential_refused':
      return refusals.credential_refused;
    case 'callback_invalid':
    case 'cancelled':
    case 'expired':
    case 'interrupted':
    case 'internal':
      return refusals.oauth_interrupted;
  }
}
