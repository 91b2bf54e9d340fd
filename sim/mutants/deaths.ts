// Mistakes in cleaning up after the dead.

import {
  after,
  FAILED,
  generationOf,
  isLive,
  ownerOf,
  pack,
  stateOf,
} from '../../gateway/flight/control-word.ts';
import type { Cells } from '../../gateway/flight/cells.ts';
import { FAILURES } from '../../gateway/flight/failure.ts';
import { controlAddress, threadAddress, type Layout } from '../../gateway/flight/layout.ts';
import { operations } from '../../gateway/flight/operations.ts';
import { packThread, THREAD_FREE, threadIncarnation } from '../../gateway/flight/reaper.ts';
import type { Mutant } from './mutant.ts';

type End = (cells: Cells, control: number, word: bigint, next: bigint) => void;

const byExchange: End = (cells, control, word, next) => {
  if (cells.compareExchange(control, word, next) === word) cells.notify(control);
};

function endFlights(cells: Cells, layout: Layout, owner: number, end: End): void {
  for (let slot = 0; slot < layout.slots; slot++) {
    const control = controlAddress(layout, slot);
    const word = cells.load(control);
    if (!isLive(stateOf(word)) || ownerOf(word) !== owner) continue;
    end(
      cells,
      control,
      word,
      pack(FAILED, generationOf(word), FAILURES['owner-died'], after(cells.tick(), 0)),
    );
  }
}

function release(cells: Cells, layout: Layout, thread: number): void {
  const address = threadAddress(layout, thread);
  const next = threadIncarnation(cells.load(address)) + 1n;
  cells.store(address, packThread(THREAD_FREE, 0, next));
}

const reaped = { threads: 1, flights: 0, blocks: 0 };

export const deaths: readonly Mutant[] = [
  {
    name: 'no-reap',
    title: 'free the record of a dead thread; its leases will run out',
    scenario: 'crash-2',
    kills: 'I9',
    operations: {
      reap(cells, layout, dead) {
        release(cells, layout, dead.thread);
        return reaped;
      },
    },
  },
  {
    name: 'reap-by-store',
    title: 'end the flights of the dead by a plain store',
    scenario: 'reap-takeover',
    kills: 'I10',
    operations: {
      reap(cells, layout, dead) {
        endFlights(cells, layout, dead.thread, (door, control, _word, next) => {
          door.store(control, next);
          door.notify(control);
        });
        release(cells, layout, dead.thread);
        return reaped;
      },
    },
  },
  {
    name: 'reap-silently',
    title: 'end the flights of the dead and tell nobody',
    scenario: 'crash-untimed',
    kills: 'I12',
    operations: {
      reap(cells, layout, dead) {
        endFlights(cells, layout, dead.thread, (door, control, word, next) => {
          door.compareExchange(control, word, next);
        });
        release(cells, layout, dead.thread);
        return reaped;
      },
    },
  },
  {
    name: 'reap-anybody',
    title: 'reap by index: who has it now is dead',
    scenario: 'reap-twice',
    kills: 'I9',
    operations: {
      reap(cells, layout, dead) {
        endFlights(cells, layout, dead.thread, byExchange);
        release(cells, layout, dead.thread);
        return reaped;
      },
    },
  },
  {
    name: 'free-record-first',
    title: 'give the record back, then end the flights',
    scenario: 'reap-twice',
    kills: 'I9',
    operations: {
      reap(cells, layout, dead) {
        release(cells, layout, dead.thread);
        endFlights(cells, layout, dead.thread, byExchange);
        return reaped;
      },
    },
  },
  {
    name: 'orphans-stay',
    title: 'reap the dead thread, not its children',
    scenario: 'reap-family',
    kills: 'I9',
    operations: {
      reap: (cells, layout, dead) => operations.reap(cells, { ...layout, threads: dead.thread + 1 }, dead),
    },
  },
];
