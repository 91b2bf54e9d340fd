import { CANCELLED, COMMITTING, EXPIRED } from '../../gateway/flight/control-word.ts';
import type { History } from '../world/history.ts';
import type { Invariant } from './invariant.ts';

export const persist: Invariant = {
  id: 'I7',
  title: 'credentials are persisted once, under COMMITTING, and never for a flow reported cancelled or expired',
  check,
};

function check(history: History): ReturnType<Invariant['check']> {
  const stored = new Set<string>();
  for (const { step, thread, note } of history.said) {
    if (note.what !== 'persist') continue;
    const flow = `generation ${note.fence} of slot ${note.slot}`;
    const key = `${note.slot}:${note.fence}`;
    if (stored.has(key)) return { invariant: 'I7', step, why: `the credentials of ${flow} were persisted twice` };
    stored.add(key);
    for (const turn of history.turns) {
      if (turn.slot !== note.slot || turn.after.generation !== note.fence) continue;
      if (turn.after.state === CANCELLED || turn.after.state === EXPIRED) {
        const end = turn.after.state === CANCELLED ? 'cancelled' : 'expired';
        const why = `${flow} was ${end}, and thread ${thread} persisted its credentials`;
        return { invariant: 'I7', step: Math.max(step, turn.step), why };
      }
    }
    const before = history.turns.findLast((turn) => turn.slot === note.slot && turn.step <= step)?.after;
    if ((before ?? history.initial(note.slot ?? 0)).state !== COMMITTING && !lapsed(history, note.slot, note.fence, step)) {
      return { invariant: 'I7', step, why: `thread ${thread} persisted the credentials of ${flow}, which was not committing` };
    }
  }
  return undefined;
}

/** A leader that stalled in its commit may store late: the store's own fence decides then. */
function lapsed(history: History, slot: number | undefined, fence: number | undefined, step: number): boolean {
  return history.turns.some(
    (turn) =>
      turn.slot === slot && turn.before.generation === fence && turn.before.state === COMMITTING && turn.step <= step,
  );
}
