import { once } from 'node:events';
import { Worker } from 'node:worker_threads';
import { describe, expect, it } from 'vitest';
import { Allowance, createAllowanceMemory } from '../../gateway/oauth/allowance.ts';
import { built } from '../support/built.ts';
import type { AllowanceThreadData } from './allowance-thread.ts';

const secret = Buffer.alloc(32, 7);

class Hand {
  nowMs = 1000;
  readonly #memory = createAllowanceMemory();

  /** As one thread has it. */
  open(burst = 3): Allowance {
    return new Allowance({ memory: this.#memory, secret, burst, perMinute: 6, nowMs: () => this.nowMs });
  }
}

const takes = (allowance: Allowance, count: number): boolean[] =>
  Array.from({ length: count }, () => allowance.take('ada'));

describe('an allowance', () => {
  it('is so many in a row, and comes back one by one', () => {
    const hand = new Hand();
    const allowance = hand.open();
    expect(takes(allowance, 4)).toEqual([true, true, true, false]);
    hand.nowMs += 9999;
    expect(takes(allowance, 1)).toEqual([false]);
    hand.nowMs += 1;
    expect(takes(allowance, 2)).toEqual([true, false]);
    hand.nowMs += 3_600_000;
    expect(takes(allowance, 4)).toEqual([true, true, true, false]);
  });

  it('of one is not that of another, and a look takes nothing', () => {
    const allowance = new Hand().open();
    takes(allowance, 3);
    expect([allowance.has('ada'), allowance.has('bob'), allowance.has('bob')]).toEqual([false, true, true]);
  });

  it('is one for all threads of the process', () => {
    const hand = new Hand();
    const [first, second] = [hand.open(), hand.open()];
    expect([...takes(first, 2), ...takes(second, 2)]).toEqual([true, true, true, false]);
    expect(first.has('ada')).toBe(false);
  });

  it('is granted exactly so often to threads that take at the same time', async () => {
    const gate = new SharedArrayBuffer(4);
    const burst = 5000;
    const data: AllowanceThreadData = {
      memory: createAllowanceMemory(),
      secret,
      burst,
      perMinute: 60,
      gate,
      takes: 4000,
    };
    const threads = Array.from(
      { length: 3 },
      () => new Worker(built('test/oauth/allowance-thread.js'), { workerData: data }),
    );
    await Promise.all(threads.map((thread) => once(thread, 'message')));
    const granted = threads.map(async (thread) => Number((await once(thread, 'message'))[0]));
    Atomics.store(new Int32Array(gate), 0, 1);
    Atomics.notify(new Int32Array(gate), 0);
    const counts = await Promise.all(granted);
    expect(counts.reduce((sum, count) => sum + count, 0)).toBe(burst);
  });

  it('is remembered while others start, in a memory that does not grow', () => {
    const hand = new Hand();
    const allowance = hand.open();
    takes(allowance, 3);
    for (let key = 0; key < 1000; key++) allowance.take(`key ${key}`);
    expect(allowance.has('ada')).toBe(false);
    // With more keys than it has words for, those go first that are back soonest.
    for (let key = 0; key < 100_000; key++) allowance.take(`key ${key}`);
    hand.nowMs += 30_000;
    expect(takes(allowance, 4)).toEqual([true, true, true, false]);
  });
});
