import { IDLE, isTerminal, nextGeneration, RESERVED } from '../../gateway/flight/control-word.ts';
import type { History } from '../world/history.ts';
import type { Invariant } from './invariant.ts';

export const terminal: Invariant = {
  id: 'I8',
  title: 'an ended generation is left only by the claim of the next one or by a purge',
  check,
};

function check(history: History): ReturnType<Invariant['check']> {
  for (const { step, thread, slot, before, after } of history.turns) {
    const idle = before.state === IDLE;
    if (!isTerminal(before.state) && !idle) continue;
    if (after.state === RESERVED && after.generation === nextGeneration(before.generation)) continue;
    if (!idle && after.state === IDLE && after.generation === before.generation) continue;
    return {
      invariant: 'I8',
      step,
      why: `thread ${thread} moved slot ${slot} from state ${before.state} of generation ${before.generation} to state ${after.state} of generation ${after.generation}`,
    };
  }
  return undefined;
}
