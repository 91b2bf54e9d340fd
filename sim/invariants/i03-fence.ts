import { newer, RESERVED } from '../../gateway/flight/control-word.ts';
import type { History } from '../world/history.ts';
import type { Invariant } from './invariant.ts';

export const fence: Invariant = {
  id: 'I3',
  title: 'generations never go back, and each has one claimant',
  check,
};

function check(history: History): ReturnType<Invariant['check']> {
  for (const { step, thread, slot, before, after } of history.turns) {
    if (newer(before.generation, after.generation)) {
      const why = `thread ${thread} took slot ${slot} back from generation ${before.generation} to ${after.generation}`;
      return { invariant: 'I3', step, why };
    }
    const sameHolder = before.state === RESERVED && before.owner === after.owner;
    if (after.state === RESERVED && after.generation === before.generation && !sameHolder) {
      const why = `thread ${thread} claimed generation ${after.generation} of slot ${slot}, which thread ${before.owner} had claimed`;
      return { invariant: 'I3', step, why };
    }
  }
  return undefined;
}
