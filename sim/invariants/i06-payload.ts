import { isTerminal, type State } from '../../gateway/flight/control-word.ts';
import type { History } from '../world/history.ts';
import { payloadWord } from '../world/world.ts';
import type { Invariant } from './invariant.ts';

export const payload: Invariant = {
  id: 'I6',
  title: 'a payload is exactly what the leader of its generation got from the provider',
  check,
};

function check(history: History): ReturnType<Invariant['check']> {
  for (const { step, thread, note } of history.said) {
    if (note.what !== 'joined' || note.value === undefined || note.slot === undefined) continue;
    const leader = leaderOf(history, note.slot, note.fence ?? 0);
    const expected = leader === undefined ? undefined : String(payloadWord(leader, note.fence ?? 0));
    if (note.value === expected) continue;
    // Nobody reads a payload that he did not ask for, and that of a flow that has ended may have been given up.
    if (note.value === 'none' && (!asks(history, thread) || isTerminal((note.code ?? 0) as State))) continue;
    return {
      invariant: 'I6',
      step,
      why: `thread ${thread} joined generation ${note.fence} and read payload ${note.value} instead of ${expected}`,
    };
  }
  return undefined;
}

function leaderOf(history: History, slot: number, generation: number): number | undefined {
  for (const { thread, note } of history.said) {
    if (note.what === 'create' && note.slot === slot && note.fence === generation)
      return placeOf(history, thread);
  }
  const first = history.initial(slot);
  return first.generation === generation ? first.owner : undefined;
}

/** The thread record that a virtual thread acts under: its own index, unless it enrolled. */
function placeOf(history: History, thread: number): number {
  const enrolled = history.said.find((said) => said.thread === thread && said.note.what === 'enrolled');
  return enrolled?.note.slot ?? thread;
}

function asks(history: History, thread: number): boolean {
  const plan = history.world.plan.threads[thread];
  return plan?.does === 'start' && plan.payload === true;
}
