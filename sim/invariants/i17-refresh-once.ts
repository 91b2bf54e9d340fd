import type { History } from '../world/history.ts';
import { storedVersions } from '../world/account.ts';
import { isSuccessor } from '../world/vault.ts';
import type { Invariant } from './invariant.ts';

export const refreshOnce: Invariant = {
  id: 'I17',
  title: 'no refresh token is sent again while who has sent it lives and may hold its successor',
  check,
};

interface Sent {
  readonly version: number;
  readonly thread: number;
  answer: 'awaited' | 'told' | 'none';
}

/**
 * A leader that stalls past its lease cannot be known to live: where the plan says that one may, its successor must
 * only not send what had a stored successor when its flight began.
 */
function check(history: History): ReturnType<Invariant['check']> {
  const { plan } = history.world;
  if (plan.vault === undefined) return undefined;
  const stored = storedVersions(history);
  const sent: Sent[] = [];
  const began = new Map<number, number>();
  for (const { step, thread, note } of history.said) {
    if (note.what === 'create') began.set(thread, step);
    if (note.what === 'told' || note.what === 'unanswered') {
      const own = sent.findLast((one) => one.thread === thread);
      if (own !== undefined) own.answer = note.what === 'told' ? 'told' : 'none';
    }
    if (note.what !== 'send' || note.code === undefined) continue;
    const version = note.code;
    const known = stored.some(
      (one) => one.step < (began.get(thread) ?? 0) && isSuccessor(one.version, version),
    );
    const rival = sent.find(
      (one) =>
        one.version === version && one.answer !== 'none' && (history.deaths.get(one.thread) ?? step) >= step,
    );
    const isExcused = plan.vault.stalls === true && rival?.thread !== thread;
    if (known || (rival !== undefined && !isExcused)) {
      const former = rival === undefined ? 'its successor was stored' : `thread ${rival.thread} has sent it`;
      const why = `thread ${thread} sends refresh token ${version} although ${former}`;
      return { invariant: 'I17', step, why };
    }
    sent.push({ version, thread, answer: 'awaited' });
  }
  return undefined;
}
