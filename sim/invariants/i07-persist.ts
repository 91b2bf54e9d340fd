import { CANCELLED, EXPIRED } from '../../gateway/flight/control-word.ts';
import type { History } from '../world/history.ts';
import type { Invariant } from './invariant.ts';

export const persist: Invariant = {
  id: 'I7',
  title: 'credentials are persisted once, and never for a flow reported cancelled or expired',
  check,
};

function check(history: History): ReturnType<Invariant['check']> {
  const stored = new Set<string>();
  for (const { step, thread, note } of history.said) {
    if (note.what !== 'persist') continue;
    const flow = `generation ${note.fence} of slot ${note.slot}`;
    const key = `${note.slot}:${note.fence}`;
    if (stored.has(key))
      return { invariant: 'I7', step, why: `the credentials of ${flow} were persisted twice` };
    stored.add(key);
    for (const turn of history.turns) {
      if (turn.slot !== note.slot || turn.after.generation !== note.fence) continue;
      if (turn.after.state === CANCELLED || turn.after.state === EXPIRED) {
        const end = turn.after.state === CANCELLED ? 'cancelled' : 'expired';
        const why = `${flow} was ${end}, and thread ${thread} persisted its credentials`;
        return { invariant: 'I7', step: Math.max(step, turn.step), why };
      }
    }
  }
  return undefined;
}
