import { beforeEach, describe, expect, it } from 'vitest';
import {
  COMMITTING,
  FAILED,
  ownerOf,
  pack,
  PENDING,
  RESERVED,
  stateOf,
  SUCCESS,
} from '../../gateway/flight/control-word.ts';
import type { State } from '../../gateway/flight/control-word.ts';
import { FAILURES } from '../../gateway/flight/failure.ts';
import { blockAddress, BLOCK_FREE, controlAddress, threadAddress } from '../../gateway/flight/layout.ts';
import type { Layout } from '../../gateway/flight/layout.ts';
import { publish, takeBlock } from '../../gateway/flight/payload.ts';
import {
  enrol,
  NO_PARENT,
  packThread,
  reap,
  threadIncarnation,
  threadParent,
  threadState,
  THREAD_ALIVE,
  THREAD_REAPING,
} from '../../gateway/flight/reaper.ts';
import { smallTable } from './plain-cells.ts';
import type { PlainCells } from './plain-cells.ts';

let cells: PlainCells;
let layout: Layout;

beforeEach(() => {
  ({ cells, layout } = smallTable());
});

const put = (slot: number, state: State, owner: number): bigint =>
  (cells.words[controlAddress(layout, slot)] = pack(state, 3, owner, 100));
const word = (slot: number): bigint => cells.words[controlAddress(layout, slot)]!;

describe('thread records', () => {
  it('round-trip, with incarnations up to 50 bits', () => {
    const record = packThread(THREAD_ALIVE, 4094, (1n << 50n) - 1n);
    expect([threadState(record), threadParent(record), threadIncarnation(record)]).toEqual([
      THREAD_ALIVE,
      4094,
      (1n << 50n) - 1n,
    ]);
  });

  it('are given to one thread each, until there are no more', () => {
    const seats = [1, 2, 3, 4, 5].map(() => enrol(cells, layout, NO_PARENT)?.thread ?? null);
    expect(seats).toEqual([0, 1, 2, 3, null]);
  });

  it('go to the next free place when another thread was faster', () => {
    cells.between.set(2, () => enrol(cells, layout, NO_PARENT));
    expect(enrol(cells, layout, NO_PARENT)?.thread).toBe(1);
  });
});

describe('reap', () => {
  it('ends the live flights of the dead, each with its reason, and wakes who waits for them', () => {
    enrol(cells, layout, NO_PARENT);
    const dead = enrol(cells, layout, 0)!;
    put(0, RESERVED, 1);
    put(1, PENDING, 1);
    put(2, COMMITTING, 1);
    expect(reap(cells, layout, dead)).toEqual({ threads: 1, flights: 3, blocks: 0 });
    expect([0, 1, 2].map((slot) => [stateOf(word(slot)), ownerOf(word(slot))])).toEqual([
      [FAILED, FAILURES['owner-died']],
      [FAILED, FAILURES['owner-died']],
      [FAILED, FAILURES['commit-unknown']],
    ]);
    expect(cells.notified).toEqual([0, 1, 2].map((slot) => controlAddress(layout, slot)));
  });

  it('leaves the flights of the living and what has ended', () => {
    enrol(cells, layout, NO_PARENT);
    const dead = enrol(cells, layout, 0)!;
    const before = [put(0, RESERVED, 0), put(1, SUCCESS, 1), put(2, PENDING, 2)];
    reap(cells, layout, dead);
    expect([0, 1, 2].map(word)).toEqual(before);
  });

  it('happens once for each death, also when the place was taken by a newcomer', () => {
    const dead = enrol(cells, layout, NO_PARENT)!;
    expect(reap(cells, layout, dead).threads).toBe(1);
    const newcomer = enrol(cells, layout, NO_PARENT)!;
    expect(newcomer).toEqual({ thread: dead.thread, incarnation: dead.incarnation + 1n });
    const flight = put(0, RESERVED, newcomer.thread);
    expect(reap(cells, layout, dead)).toEqual({ threads: 0, flights: 0, blocks: 0 });
    expect(word(0)).toBe(flight);
  });

  it('does not touch a flight that was taken over in between', () => {
    const dead = enrol(cells, layout, NO_PARENT)!;
    put(0, RESERVED, dead.thread);
    // load THREAD, exchange THREAD, load CTL, tick, and then the takeover
    cells.between.set(cells.accesses + 5, () => put(0, RESERVED, 3));
    expect(reap(cells, layout, dead).flights).toBe(0);
    expect(ownerOf(word(0))).toBe(3);
  });

  it('takes the descendants along, whose own exit handlers died with their parent', () => {
    enrol(cells, layout, NO_PARENT);
    const child = enrol(cells, layout, 0)!;
    enrol(cells, layout, child.thread);
    enrol(cells, layout, 2);
    put(0, PENDING, 3);
    expect(reap(cells, layout, child)).toEqual({ threads: 3, flights: 1, blocks: 0 });
    expect(stateOf(word(0))).toBe(FAILED);
    expect([1, 2, 3].map((thread) => threadState(cells.words[threadAddress(layout, thread)]!))).toEqual([
      0, 0, 0,
    ]);
  });

  it('finishes the reap that the dead thread had begun', () => {
    enrol(cells, layout, NO_PARENT);
    const child = enrol(cells, layout, 0)!;
    cells.words[threadAddress(layout, 2)] = packThread(THREAD_REAPING, child.thread, 6n);
    put(0, PENDING, 2);
    expect(reap(cells, layout, child)).toMatchObject({ threads: 2, flights: 1 });
    expect(cells.words[threadAddress(layout, 2)]).toBe(packThread(0, 0, 7n));
  });

  it('frees the blocks that the dead never linked, and keeps those that are still readable', () => {
    const dead = enrol(cells, layout, NO_PARENT)!;
    const linked = put(0, RESERVED, dead.thread);
    const kept = takeBlock(cells, layout, 0, linked);
    publish(cells, layout, 0, linked, kept, 40);
    const lost = takeBlock(cells, layout, 1, put(1, RESERVED, dead.thread));
    expect(reap(cells, layout, dead)).toEqual({ threads: 1, flights: 2, blocks: 1 });
    expect(cells.words[blockAddress(layout, lost)]).toBe(BLOCK_FREE);
    expect(cells.words[blockAddress(layout, kept)]).not.toBe(BLOCK_FREE);
  });
});
