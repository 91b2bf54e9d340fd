// How a run of the simulator ends, for scripts. The worst finding decides.

import type { Violation } from './invariants/invariant.ts';

export const exitCode = {
  ok: 0,
  /** An invariant is broken. */
  violation: 10,
  /** Somebody waits for ever, or never comes to an end. */
  stuck: 11,
  /** The source behaves differently on equal inputs: nothing else that was found can be trusted. */
  nondeterminism: 12,
  /** A trace file no longer fits the code. */
  stale: 13,
  /** A mutant survived, or died of another invariant than the one it names. */
  mutant: 14,
  /** Something was cut short, or a situation that must occur never did. */
  incomplete: 15,
} as const;

export type ExitCode = (typeof exitCode)[keyof typeof exitCode];

const bySeverity: readonly ExitCode[] = [
  exitCode.nondeterminism,
  exitCode.violation,
  exitCode.stuck,
  exitCode.mutant,
  exitCode.stale,
  exitCode.incomplete,
];

export function worst(codes: readonly ExitCode[]): ExitCode {
  return bySeverity.find((code) => codes.includes(code)) ?? exitCode.ok;
}

export function codeOf(violation: Violation): ExitCode {
  return violation.invariant === 'I12' ? exitCode.stuck : exitCode.violation;
}

/** A stale trace says nothing about the code, and is told apart from a violation. */
export function codeOfChecks(checks: readonly { readonly ok: boolean; readonly stale: boolean }[]): ExitCode {
  if (checks.some((one) => one.stale)) return exitCode.stale;
  return checks.every((one) => one.ok) ? exitCode.ok : exitCode.violation;
}
