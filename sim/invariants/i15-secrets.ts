import type { History } from '../world/history.ts';
import { SECRET } from '../world/world.ts';
import type { Invariant } from './invariant.ts';

export const secrets: Invariant = { id: 'I15', title: 'no secret is ever in shared memory', check };

function check(history: History): ReturnType<Invariant['check']> {
  for (const { step, thread, site, after } of history.changes) {
    if (after !== SECRET) continue;
    return {
      invariant: 'I15',
      step,
      why: `thread ${thread} put its device code into shared memory (${site})`,
    };
  }
  return undefined;
}
