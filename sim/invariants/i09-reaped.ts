import { isLive } from '../../gateway/flight/control-word.ts';
import { threadAddress } from '../../gateway/flight/layout.ts';
import { THREAD_FREE, threadState } from '../../gateway/flight/reaper.ts';
import type { History, Word } from '../world/history.ts';
import type { Invariant } from './invariant.ts';

export const reaped: Invariant = {
  id: 'I9',
  title: 'when a thread record is freed, no live slot is owned by it',
  check,
};

function check(history: History): ReturnType<Invariant['check']> {
  const { layout } = history.world;
  for (const change of history.changes) {
    const place = change.address - threadAddress(layout, 0);
    if (place < 0 || place >= layout.threads || threadState(change.after) !== THREAD_FREE) continue;
    const slot = owned(history, place, change.step);
    if (slot !== undefined) {
      return {
        invariant: 'I9',
        step: change.step,
        why: `thread ${place} was reaped, and slot ${slot} is still its own`,
      };
    }
  }
  // Whoever was reaped takes its children with it.
  for (const { step, note } of history.said) {
    if (note.what !== 'reaped' || note.slot === undefined) continue;
    for (const [child, parent] of Object.entries(history.world.plan.parents ?? {})) {
      if (parent !== note.slot) continue;
      const slot = owned(history, Number(child), step);
      if (slot !== undefined) {
        const why = `thread ${note.slot} was reaped, and its child ${child} still owns slot ${slot}`;
        return { invariant: 'I9', step, why };
      }
    }
  }
  return undefined;
}

function owned(history: History, place: number, step: number): number | undefined {
  for (let slot = 0; slot < history.world.layout.slots; slot++) {
    let word: Word = history.initial(slot);
    for (const turn of history.turns) if (turn.slot === slot && turn.step <= step) word = turn.after;
    if (isLive(word.state) && word.owner === place) return slot;
  }
  return undefined;
}
