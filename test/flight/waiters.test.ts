import { beforeEach, describe, expect, it } from 'vitest';
import { createBuffer, RealCells } from '../../gateway/flight/real-cells.ts';
import { Waiters } from '../../gateway/flight/waiters.ts';
import { HandTimers, settled } from './hand-timers.ts';

const ADDRESS = 40;

let buffer: SharedArrayBuffer;
let cells: RealCells;
let timers: HandTimers;
let waiters: Waiters;

beforeEach(() => {
  buffer = createBuffer({ slots: 4, threads: 1, blocks: 1, blockWords: 4 });
  cells = new RealCells(buffer);
  timers = new HandTimers();
  waiters = new Waiters(cells, timers);
});

const change = (value: bigint): number => {
  cells.store(ADDRESS, value);
  return cells.notify(ADDRESS);
};

describe('waiters', () => {
  it('wake all callers of a word with one native wait', async () => {
    const woken = Promise.all([1, 2, 3].map(() => waiters.wait(ADDRESS, 0n, 250)));
    expect([waiters.natives, waiters.sleeping]).toEqual([1, 3]);
    expect(change(1n)).toBe(1);
    expect(await woken).toEqual(['woken', 'woken', 'woken']);
    expect([waiters.natives, waiters.sleeping, timers.pending]).toEqual([0, 0, 0]);
  });

  it('do not sleep on a word that has changed already', async () => {
    change(1n);
    expect(await waiters.wait(ADDRESS, 0n, 250)).toBe('woken');
    expect([waiters.natives, timers.pending]).toEqual([0, 0]);
  });

  it('give up at their time and use the native wait again', async () => {
    const first = waiters.wait(ADDRESS, 0n, 250);
    await timers.pass(250);
    expect(await first).toBe('timed-out');
    const second = waiters.wait(ADDRESS, 0n, 250);
    expect(waiters.natives).toBe(1);
    expect(change(1n)).toBe(1);
    expect(await second).toBe('woken');
  });

  it('on a newer value are not woken by nothing, and leave none behind', async () => {
    const old = waiters.wait(ADDRESS, 0n, 250);
    cells.store(ADDRESS, 1n);
    const next = waiters.wait(ADDRESS, 1n, 250);
    change(2n);
    expect(await Promise.all([old, next])).toEqual(['woken', 'woken']);
    await settled();
    expect([waiters.natives, waiters.sleeping]).toEqual([0, 0]);
  });

  it('that missed the notify are woken although the native wait is an old one', async () => {
    const first = waiters.wait(ADDRESS, 0n, 10);
    await timers.pass(10);
    await first;
    cells.store(ADDRESS, 1n);
    expect(await waiters.wait(ADDRESS, 0n, 250)).toBe('woken');
  });

  describe('where the platform has no asynchronous wait', () => {
    beforeEach(() => {
      cells = new RealCells(buffer, () => 0, false);
      waiters = new Waiters(cells, timers);
    });

    it('look at the word until it changes', async () => {
      const woken = waiters.wait(ADDRESS, 0n, 250);
      await timers.pass(100);
      change(1n);
      await timers.pass(20);
      expect(await woken).toBe('woken');
    });

    it('give up at their time', async () => {
      const woken = waiters.wait(ADDRESS, 0n, 250);
      await timers.pass(249);
      expect(waiters.sleeping).toBe(1);
      await timers.pass(1);
      expect(await woken).toBe('timed-out');
    });
  });
});

describe('real cells', () => {
  it('count ticks of 250 ms from the epoch, modulo 2^24', () => {
    const tickAt = (nowMs: number): number =>
      new RealCells(
        createBuffer({ slots: 1, threads: 1, blocks: 0, blockWords: 4 }, 1000),
        () => nowMs,
      ).tick();
    expect([tickAt(1000), tickAt(1249), tickAt(1250), tickAt(1000 + 250 * 2 ** 24 + 500)]).toEqual([
      0, 0, 1, 2,
    ]);
    expect(tickAt(999)).toBe(0xffffff);
  });

  it('exchange words with the top bit set', () => {
    cells.store(ADDRESS, -1n);
    expect(cells.compareExchange(ADDRESS, -1n, -(2n ** 63n))).toBe(-1n);
    expect(cells.load(ADDRESS)).toBe(-(2n ** 63n));
    expect(cells.add(ADDRESS, 1n)).toBe(-(2n ** 63n));
  });
});
