import { beforeEach, describe, expect, it } from 'vitest';
import { bind, FULL, homeSlot } from '../../gateway/flight/binding.ts';
import type { Digest } from '../../gateway/flight/binding.ts';
import { k1Address, k2Address } from '../../gateway/flight/layout.ts';
import type { Layout } from '../../gateway/flight/layout.ts';
import { smallTable } from './plain-cells.ts';
import type { PlainCells } from './plain-cells.ts';

let cells: PlainCells;
let layout: Layout;
const key = (high: number, low = high): Digest => ({ high: BigInt(high), low: BigInt(low) });

beforeEach(() => {
  ({ cells, layout } = smallTable());
});

describe('bind', () => {
  it('binds a key at home and finds it there again with two loads', () => {
    expect(bind(cells, layout, key(5))).toBe(1);
    const before = cells.accesses;
    expect(bind(cells, layout, key(5))).toBe(1);
    expect(cells.accesses - before).toBe(2);
  });

  it('gives keys with the same home, or the same high half, slots of their own', () => {
    expect([key(1), key(5), key(1, 9), key(9)].map((digest) => bind(cells, layout, digest))).toEqual([
      1, 2, 3, 0,
    ]);
  });

  it('is full when every slot belongs to another key, and changes nothing then', () => {
    for (const high of [4, 8, 12, 16]) bind(cells, layout, key(high));
    const before = [...cells.words];
    expect(bind(cells, layout, key(20))).toBe(FULL);
    expect(cells.words).toEqual(before);
    expect(bind(cells, layout, key(16))).toBe(3);
  });

  it('finishes the binding of a thread that died between the two halves', () => {
    cells.words[k1Address(layout, 1)] = 5n;
    expect(bind(cells, layout, key(5, 77))).toBe(1);
    expect(cells.words[k2Address(layout, 1)]).toBe(77n);
  });

  it('moves on when another key was faster at either half', () => {
    cells.between.set(2, () => (cells.words[k1Address(layout, 1)] = 9n));
    expect(bind(cells, layout, key(5))).toBe(2);
    cells.words[k1Address(layout, 3)] = 7n;
    cells.between.set(cells.accesses + 3, () => (cells.words[k2Address(layout, 3)] = 1n));
    expect(bind(cells, layout, key(7, 2))).toBe(0);
  });

  it('takes digests with the top bit set', () => {
    const digest = { high: -5n, low: -1n };
    const slot = bind(cells, layout, digest);
    expect(slot).toBe(homeSlot(layout, digest));
    expect(bind(cells, layout, digest)).toBe(slot);
  });
});
