// The example of the README: a lock that looks right, the interleaving that breaks it, and its fix.
//
// `take` differs; everything else is shared. The broken one asks whether the lock is free and then takes it, in two
// operations; the right one does both in one compare-exchange.

import type { Model } from '../engine/model.ts';
import type { Door } from '../engine/program.ts';

export const LOCK = 0;
export const INSIDE = 1;
const CLOCK = 2;

export type Take = (door: Door) => boolean;

export const takeBroken: Take = (door) => {
  if (door.load(LOCK) !== 0n) return false;
  door.store(LOCK, 1n);
  return true;
};

export const takeFixed: Take = (door) => door.compareExchange(LOCK, 0n, 1n) === 0n;

/** Threads that try to take the lock once, and note how many were inside together with them. */
export function lockModel(take: Take, threads: number): Model {
  return {
    words: 3,
    clock: CLOCK,
    nameOf: (address) => ['LOCK', 'INSIDE', 'CLK'][address] ?? `M[${address}]`,
    threads: Array.from({ length: threads }, (_, t) => ({
      name: `t${t}`,
      body(door: Door) {
        if (!take(door)) return 'busy';
        const others = door.add(INSIDE, 1n);
        door.note({ what: 'inside', value: String(others) });
        door.add(INSIDE, -1n);
        door.store(LOCK, 0n);
        return 'done';
      },
    })),
  };
}
