import { PENDING, RESERVED } from '../../gateway/flight/control-word.ts';
import type { History } from '../world/history.ts';
import type { Invariant } from './invariant.ts';

export const publisher: Invariant = { id: 'I4', title: 'only the latest claimant publishes', check };

function check(history: History): ReturnType<Invariant['check']> {
  const claimants = new Map<number, { thread: number; generation: number }>();
  for (const { step, thread, slot, before, after } of history.turns) {
    if (
      after.state === RESERVED &&
      !(before.state === RESERVED && before.generation === after.generation && before.owner === after.owner)
    ) {
      claimants.set(slot, { thread, generation: after.generation });
    }
    if (after.state !== PENDING || before.state === PENDING) continue;
    const latest = claimants.get(slot);
    if (latest !== undefined && latest.thread === thread && latest.generation === after.generation) continue;
    const claim =
      latest === undefined
        ? 'nobody had claimed it'
        : `thread ${latest.thread} had claimed generation ${latest.generation}`;
    return {
      invariant: 'I4',
      step,
      why: `thread ${thread} published generation ${after.generation} of slot ${slot}, although ${claim}`,
    };
  }
  return undefined;
}
