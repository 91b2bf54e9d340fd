/**
 * Which slot a key owns: found or fixed by two idempotent exchanges, and never changed again.
 *
 * Why a key has one slot at most: every thread tries the same slots in the same order; the two digest words are written
 * once; and a thread passes a slot only after it has seen a different key there, which will stay different.
 */
import type { Cells } from './cells.ts';
import type { Layout } from './layout.ts';
import { k1Address, k2Address } from './layout.ts';

/** A keyed 128-bit digest of a key. Neither half is 0, which means "not bound". */
export interface Digest {
  readonly high: bigint;
  readonly low: bigint;
}

/** What `bind` answers when all slots that the key may use belong to other keys. */
export const FULL = -1;

/** The slot at which the probe sequence of a digest begins. */
export function homeSlot(layout: Layout, digest: Digest): number {
  return Number(digest.high & 0x7fffffn) & (layout.slots - 1);
}

/** Finds the key's slot, or binds one. Returns FULL when there is none. Cost: two loads for a bound key at home. */
export function bind(cells: Cells, layout: Layout, digest: Digest): number {
  let slot = homeSlot(layout, digest);
  for (let probe = 0; probe < layout.probes; probe++) {
    let high = cells.load(k1Address(layout, slot));
    if (high === 0n) {
      high = cells.compareExchange(k1Address(layout, slot), 0n, digest.high);
      if (high === 0n) high = digest.high;
    }
    if (high === digest.high) {
      // An empty low half is unfinished, not different: anyone who shares the high half may finish it.
      let low = cells.load(k2Address(layout, slot));
      if (low === 0n) {
        low = cells.compareExchange(k2Address(layout, slot), 0n, digest.low);
        if (low === 0n) low = digest.low;
      }
      if (low === digest.low) return slot;
    }
    slot = (slot + 1) & (layout.slots - 1);
  }
  return FULL;
}

/** Finds the key's slot without binding one. Returns FULL when the key is not bound. */
export function find(cells: Cells, layout: Layout, digest: Digest): number {
  let slot = homeSlot(layout, digest);
  for (let probe = 0; probe < layout.probes; probe++) {
    const high = cells.load(k1Address(layout, slot));
    if (high === 0n) return FULL;
    if (high === digest.high && cells.load(k2Address(layout, slot)) === digest.low) return slot;
    slot = (slot + 1) & (layout.slots - 1);
  }
  return FULL;
}
