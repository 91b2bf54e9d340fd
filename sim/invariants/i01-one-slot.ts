import { k1Address, k2Address } from '../../gateway/flight/layout.ts';
import type { History } from '../world/history.ts';
import type { Invariant } from './invariant.ts';

export const oneSlot: Invariant = { id: 'I1', title: 'a key is bound to at most one slot', check };

function check(history: History): ReturnType<Invariant['check']> {
  if (history.changes.length === 0) return undefined;
  const { layout } = history.world;
  let words: Map<number, bigint> | undefined;
  for (const { step, address, after } of history.changes) {
    if (address < layout.slotBase || address >= layout.blockBase) continue;
    const offset = (address - layout.slotBase) % 8;
    if (offset > 1) continue;
    words ??= new Map(history.world.initial);
    words.set(address, after);
    const slot = Math.floor((address - layout.slotBase) / 8);
    const high = words.get(k1Address(layout, slot)) ?? 0n;
    const low = words.get(k2Address(layout, slot)) ?? 0n;
    if (high === 0n || low === 0n) continue;
    for (let other = 0; other < layout.slots; other++) {
      if (other === slot) continue;
      if (words.get(k1Address(layout, other)) === high && words.get(k2Address(layout, other)) === low) {
        return { invariant: 'I1', step, why: `one key is bound to slot ${other} and to slot ${slot}` };
      }
    }
  }
  return undefined;
}
