/** What joiners are told of a flow: as bytes in the flight table, and as the flow that a caller sees. Nothing is secret. */
import type { Standing } from '../flight/answer.ts';
import { failureOf, reasonOf } from './failure.ts';
import type { Flow, FlowDetails, FlowStep } from './flow.ts';

/** The largest payload, in bytes: two addresses of 1 KiB and the rest. */
export const detailsBytesMax = 2560;

export function encodeDetails(details: FlowDetails): Uint8Array {
  return Buffer.from(JSON.stringify(details), 'utf8');
}

export function decodeDetails(bytes: Uint8Array): FlowDetails {
  return JSON.parse(Buffer.from(bytes).toString('utf8')) as FlowDetails;
}

/** A flow as its owner sees it. `state`: of the authorization request, bound to the owner's browser. */
export function flowOf(
  id: string,
  standing: Pick<Standing, 'state' | 'code'>,
  payload: Uint8Array | null,
  state: () => string,
): Flow {
  const details = payload === null ? null : decodeDetails(payload);
  const told = details === null ? null : { ...details, step: stepFor(details.step, state) };
  switch (standing.state) {
    case 'idle':
    case 'reserved':
    case 'pending':
    case 'committing':
      return { id, state: 'pending', failure: null, details: told };
    case 'success':
    case 'expired':
    case 'cancelled':
      return { id, state: standing.state, failure: null, details: told };
    case 'failed': {
      const reason = reasonOf(standing.code);
      if (reason === 'cancelled' || reason === 'expired')
        return { id, state: reason, failure: null, details: told };
      return { id, state: 'error', failure: failureOf(reason), details: told };
    }
  }
}

function stepFor(step: FlowStep, state: () => string): FlowStep {
  if (step.kind !== 'code') return step;
  const address = new URL(step.authorizationUri);
  address.searchParams.set('state', state());
  return { kind: 'code', authorizationUri: address.href };
}
