import type { History } from '../world/history.ts';
import type { Invariant } from './invariant.ts';

export const binding: Invariant = { id: 'I14', title: 'a binding is written once and never undone', check };

function check(history: History): ReturnType<Invariant['check']> {
  const { layout } = history.world;
  for (const { step, thread, address, before } of history.changes) {
    if (address < layout.slotBase || address >= layout.blockBase) continue;
    const offset = (address - layout.slotBase) % 8;
    if (offset > 1 || before === 0n) continue;
    const slot = Math.floor((address - layout.slotBase) / 8);
    return {
      invariant: 'I14',
      step,
      why: `thread ${thread} overwrote K${offset + 1} of slot ${slot}, which was bound`,
    };
  }
  return undefined;
}
