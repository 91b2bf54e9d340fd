import { COMMITTING, PENDING } from '../../gateway/flight/control-word.ts';
import { k1Address, k2Address } from '../../gateway/flight/layout.ts';
import type { History, Said } from '../world/history.ts';
import type { Invariant } from './invariant.ts';

export const joinedLive: Invariant = {
  id: 'I5',
  title: 'a joiner is given a flow of its own key that was live during its call',
  check,
};

function check(history: History): ReturnType<Invariant['check']> {
  for (const said of history.said) {
    if (said.note.what !== 'joined') continue;
    const { slot, fence, key } = said.note;
    if (slot === undefined || fence === undefined || key === undefined) continue;
    if (!belongs(history, slot, Number(key.slice(1)))) {
      return {
        invariant: 'I5',
        step: said.step,
        why: `thread ${said.thread} asked for ${key} and joined a flow of slot ${slot}, which belongs to another key`,
      };
    }
    if (!wasLive(history, slot, fence, begun(history, said), said.step)) {
      return {
        invariant: 'I5',
        step: said.step,
        why: `thread ${said.thread} joined generation ${fence} of slot ${slot}, which was never live during its call`,
      };
    }
  }
  return undefined;
}

function belongs(history: History, slot: number, key: number): boolean {
  const { layout, digests } = history.world;
  const digest = digests[key];
  return (
    last(history, k1Address(layout, slot)) === digest?.high &&
    last(history, k2Address(layout, slot)) === digest?.low
  );
}

function last(history: History, address: number): bigint | undefined {
  return (
    history.changes.findLast((change) => change.address === address)?.after ??
    history.world.initial.get(address)
  );
}

function begun(history: History, reply: Said): number {
  let step = -1;
  for (const said of history.said) {
    if (said === reply) break;
    if (said.thread === reply.thread && said.note.what === 'start') step = said.step;
  }
  return step;
}

function wasLive(history: History, slot: number, generation: number, from: number, to: number): boolean {
  const first = history.initial(slot);
  let live = (first.state === PENDING || first.state === COMMITTING) && first.generation === generation;
  for (const turn of history.turns) {
    if (turn.slot !== slot) continue;
    if (turn.step > to) break;
    // Live at the moment the call began, or later.
    if (live && turn.step > from) return true;
    live =
      (turn.after.state === PENDING || turn.after.state === COMMITTING) &&
      turn.after.generation === generation;
  }
  return live;
}
