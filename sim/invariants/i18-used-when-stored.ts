import type { History } from '../world/history.ts';
import { storedVersions } from '../world/account.ts';
import type { Invariant } from './invariant.ts';

export const usedWhenStored: Invariant = {
  id: 'I18',
  title: 'no access token is used before its refresh token is stored',
  check,
};

function check(history: History): ReturnType<Invariant['check']> {
  if (history.world.plan.vault === undefined) return undefined;
  const stored = storedVersions(history);
  for (const { step, thread, note } of history.said) {
    if (note.what !== 'use') continue;
    if (stored.some((one) => one.step <= step && one.version === note.code)) continue;
    const why = `thread ${thread} uses token ${note.code}, which was never stored until then`;
    return { invariant: 'I18', step, why };
  }
  return undefined;
}
