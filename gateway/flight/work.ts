/**
 * What a caller brings to a start: how to do the work that must be done once. Only the leader's is ever used. Secrets
 * stay in the closures of these functions, on the leader's thread.
 */
import { assert } from '../core/assert.ts';
import { OWNER_MAX } from './control-word.ts';
import { CALLER_CODES } from './failure.ts';
import type { Completion } from './completion.ts';
import type { Polled } from './effects.ts';

/** One call on behalf of a flow. */
export interface Call {
  /** The public id of the flow. */
  readonly flowId: string;
  /** Grows with each claim of the key: whoever stores for this flow refuses a smaller one than it has seen. */
  readonly fence: bigint;
  /** Aborted when the answer is no longer wanted. */
  readonly signal: AbortSignal;
}

/** What the provider made. */
export interface Creation {
  /** What joiners are shown: public, and at most as long as a payload block. */
  readonly payload: Uint8Array | null;
  /** How long the flow may stay pending. */
  readonly flowMs: number;
  /** When to poll first; 0 for a flow that can be completed at once. */
  readonly pollMs: number;
}

export interface Work {
  /** Starts the flow at the provider. Errors: whatever it throws fails the flight; a FlightFailure says how. */
  create(call: Call): Promise<Creation>;
  /** Asks once whether the flow is approved. Absent: it is, from the start. */
  poll?(call: Call): Promise<Polled>;
  /** Stores what was granted. Absent: there is nothing to store. */
  persist?(call: Call): Promise<void>;
  /** Told when the flow was made but is not wanted: the lease was lost, or the flow cannot be led. */
  discard?(call: Call): void;
  /** Told how a published flow ended, as its leader saw it. Drop the secrets here. */
  ended?(completion: Completion): void;
}

/** A failure with a code of the caller's, from `CALLER_CODES` to 4095, and how long new starts are answered with it. */
export class FlightFailure extends Error {
  override readonly name = 'FlightFailure';
  readonly flightCode: number;
  readonly coolDownMs: number;

  constructor(flightCode: number, coolDownMs: number, message: string, options?: ErrorOptions) {
    super(message, options);
    assert(
      flightCode >= CALLER_CODES && flightCode <= OWNER_MAX,
      `a caller's failure code, not ${flightCode}`,
    );
    this.flightCode = flightCode;
    this.coolDownMs = coolDownMs;
  }
}
