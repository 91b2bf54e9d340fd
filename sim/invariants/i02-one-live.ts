import { isLive, IDLE, RESERVED } from '../../gateway/flight/control-word.ts';
import type { History } from '../world/history.ts';
import type { Invariant } from './invariant.ts';

export const oneLive: Invariant = {
  id: 'I2',
  title: 'at most one generation of a key is live, and it ends before the next one begins',
  check,
};

function check(history: History): ReturnType<Invariant['check']> {
  for (const { step, thread, slot, before, after } of history.turns) {
    if (!isLive(before.state)) continue;
    if (after.generation === before.generation && after.state !== IDLE) continue;
    // The one way to displace a live generation: take over a reservation.
    if (before.state === RESERVED && after.state === RESERVED) continue;
    const why = `thread ${thread} replaced the live generation ${before.generation} of slot ${slot} by generation ${after.generation}`;
    return { invariant: 'I2', step, why };
  }
  return undefined;
}
