/**
 * The verify worker: a Piscina task that judges a batch of tokens, synchronously.
 *
 * It holds the last profile that it was sent, so that keys cross the thread boundary once and not with every batch. A
 * worker that does not have the task's version says so and is sent the task again, with the profile.
 */
import { isMainThread } from 'node:worker_threads';
import { judgeSafely } from '../gateway/token/judge.ts';
import type { VerifierProfile, VerifyReply, VerifyTask } from './messages.ts';
import { letListenersGoFirst } from './priority.ts';

if (!isMainThread) letListenersGoFirst();

let held: VerifierProfile | null = null;

/** Judges the tokens of one task; `outcomes[i]` belongs to `tokens[i]`. */
export function verifyBatch(task: VerifyTask): VerifyReply {
  if (task.profile !== null) held = task.profile;
  const profile = held;
  if (profile === null || profile.version !== task.version) return { kind: 'stale' };
  const start = process.hrtime.bigint();
  const outcomes = task.tokens.map((token) => judgeSafely(profile, token));
  return { kind: 'done', outcomes, nanoseconds: Number(process.hrtime.bigint() - start) };
}
