/** What the flight table's callers ask for, and what they are told. */
import { TICK_MS } from './cells.ts';
import { deadlineOf, FAILED, isLive, ownerOf, stateName, stateOf, ticksUntil } from './control-word.ts';
import type { StateName } from './control-word.ts';

export interface StartOptions {
  readonly until: 'published' | 'settled';
  /** Whether joiners are shown a payload. */
  readonly payload: boolean;
  readonly waitMs: number;
  /** How many leases the provider call may take. */
  readonly leases: number;
}

/** The answer to a start. */
export type Answer =
  | {
      readonly kind: 'flow';
      /** Whether this caller's work made it. */
      readonly led: boolean;
      readonly flowId: string;
      readonly state: StateName;
      readonly payload: Uint8Array | null;
      /** How long a pending flow still lives. */
      readonly expiresInMs: number;
    }
  | { readonly kind: 'failed'; readonly code: number; readonly shared: boolean }
  | { readonly kind: 'full' | 'waited-out' | 'contended' }
  /** This thread is leaving the table. */
  | { readonly kind: 'closed' };

/** How a flow stands. */
export interface Standing {
  readonly state: StateName;
  /** Why it failed; 0 otherwise. */
  readonly code: number;
  readonly expiresInMs: number;
}

/** The answer to a shared start: to the caller whose work it was given, and to the others of its thread. */
export interface Answers {
  readonly first: Answer;
  readonly others: Answer;
}

export function answersOf(first: Answer): Answers {
  if (first.kind === 'flow') return { first, others: { ...first, led: false } };
  return { first, others: first.kind === 'failed' ? { ...first, shared: true } : first };
}

/** Reads a control word for a caller, at a tick. */
export function standing(word: bigint, now: number): Standing {
  const live = isLive(stateOf(word));
  return {
    state: stateName(word),
    code: stateOf(word) === FAILED ? ownerOf(word) : 0,
    expiresInMs: live ? ticksUntil(now, deadlineOf(word)) * TICK_MS : 0,
  };
}
