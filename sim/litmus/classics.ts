// The smallest programs that tell memory models and schedulers apart. They pin what the model promises: every
// execution is an interleaving (sequential consistency), and every interleaving is an execution.

import type { Model } from '../engine/model.ts';
import { Wake, type Door } from '../engine/program.ts';

const X = 0;
const Y = 1;
const CLOCK = 2;

/** Each thread writes its own word and reads the other's. Both reading 0 would be a reordered store. */
export const storeBuffer: Model = {
  words: 3,
  clock: CLOCK,
  threads: [writeThenRead('t0', X, Y), writeThenRead('t1', Y, X)],
};

function writeThenRead(name: string, mine: number, theirs: number): Model['threads'][number] {
  return {
    name,
    body(door: Door) {
      door.store(mine, 1n);
      return door.load(theirs);
    },
  };
}

/** Data, then flag. A reader that sees the flag sees the data. */
export const messagePassing: Model = {
  words: 3,
  clock: CLOCK,
  threads: [
    {
      name: 'writer',
      body(door: Door) {
        door.store(X, 42n);
        door.store(Y, 1n);
      },
    },
    { name: 'reader', body: (door: Door) => [door.load(Y), door.load(X)] },
  ],
};

/** A counter incremented by compare-exchange: no increment is lost. */
export function counter(threads: number): Model {
  return {
    words: 3,
    clock: CLOCK,
    threads: Array.from({ length: threads }, (_, t) => ({ name: `t${t}`, body: increment })),
  };
}

function increment(door: Door): void {
  for (;;) {
    const found = door.load(X);
    if (door.compareExchange(X, found, found + 1n) === found) return;
  }
}

/** A waiter that is woken, finds the value changed already, or (with `lost`) sleeps for ever. */
export function sleeper(lost: boolean): Model {
  return {
    words: 3,
    clock: CLOCK,
    threads: [
      {
        name: 'setter',
        body(door: Door) {
          if (lost) door.notify(X);
          door.store(X, 1n);
          if (!lost) door.notify(X);
        },
      },
      { name: 'sleeper', body: (door: Door) => (door.wait(X, 0n) === Wake.notEqual ? 'changed' : 'woken') },
    ],
  };
}
