// The bug that this project began with, in its barest form: is there a flow? no: create one at the provider, then
// write it down. Two threads both find nothing and create two.

import type { Model } from '../engine/model.ts';
import type { Door } from '../engine/program.ts';

const FLOW = 0;
const CLOCK = 1;

export function checkThenInsert(threads: number): Model {
  return {
    words: 2,
    clock: CLOCK,
    nameOf: (address) => (address === FLOW ? 'FLOW' : 'CLK'),
    threads: Array.from({ length: threads }, (_, t) => ({
      name: `t${t}`,
      body(door: Door) {
        const found = door.load(FLOW);
        if (found !== 0n) return found;
        door.note({ what: 'create', key: 'k0', fence: t + 1 });
        door.store(FLOW, BigInt(t + 1));
        return BigInt(t + 1);
      },
    })),
  };
}
