/** What the scripts of the driver know of their table and thread, and the lengths of time that all threads share. */
import type { Layout } from './layout.ts';
import type { Operations } from './operations.ts';

/** The lengths of time that all threads of a table share, in ticks. */
export interface Terms {
  /** How long a leader may take from claim to publish before others may take over. */
  readonly reserveTicks: number;
  /** How long it may take to persist. */
  readonly commitTicks: number;
  /** How long before the end of either lease the leader gives up by itself. */
  readonly marginTicks: number;
  /** How long a terminal flow stays readable. */
  readonly retentionTicks: number;
  /** How long a failure of the table's own making is shared with new starts. */
  readonly coolDownTicks: number;
}

/** What a script needs to know of its thread and table. */
export interface Context {
  readonly layout: Layout;
  readonly operations: Operations;
  /** The index of this thread's record. */
  readonly me: number;
  readonly terms: Terms;
}

/** The longest length of time, in ticks: a quarter of what a deadline can express, so that no sum of two wraps. */
export const TERM_TICKS_MAX = 0x400000;

/** Refuses lengths of time that contradict each other. Errors: RangeError. */
export function checkTerms(terms: Terms): Terms {
  for (const [name, ticks] of Object.entries(terms)) {
    if (!Number.isInteger(ticks) || ticks < 1 || ticks > TERM_TICKS_MAX) {
      throw new RangeError(
        `flight terms: ${name} must be a whole number of ticks from 1 to ${TERM_TICKS_MAX}, not ${ticks}`,
      );
    }
  }
  if (terms.marginTicks >= terms.reserveTicks || terms.marginTicks >= terms.commitTicks) {
    throw new RangeError('flight terms: marginTicks must be shorter than reserveTicks and commitTicks');
  }
  return terms;
}
