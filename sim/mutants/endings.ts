// Mistakes in ending a flight: publishing, failing, committing, cancelling, expiring, purging.

import {
  after,
  CANCELLED,
  COMMITTING,
  EXPIRED,
  FAILED,
  generationOf,
  IDLE,
  ownerOf,
  pack,
  passed,
  PENDING,
  RESERVED,
  stateOf,
  SUCCESS,
  deadlineOf,
} from '../../gateway/flight/control-word.ts';
import type { Cells } from '../../gateway/flight/cells.ts';
import { controlAddress, k1Address, k2Address, type Layout } from '../../gateway/flight/layout.ts';
import { operations } from '../../gateway/flight/operations.ts';
import type { Mutant } from './mutant.ts';

function put(cells: Cells, layout: Layout, slot: number, next: bigint): bigint {
  cells.store(controlAddress(layout, slot), next);
  cells.notify(controlAddress(layout, slot));
  return next;
}

export const endings: readonly Mutant[] = [
  {
    name: 'publish-by-store',
    title: 'publish by a plain store: the reservation is ours',
    scenario: 'slow-leader-2',
    kills: 'I2',
    operations: {
      publish: (cells, layout, slot, word, _block, flowTicks) =>
        put(
          cells,
          layout,
          slot,
          pack(PENDING, generationOf(word), ownerOf(word), after(cells.tick(), flowTicks)),
        ),
    },
  },
  {
    name: 'publish-any-generation',
    title: 'publish whatever is reserved now',
    scenario: 'slow-leader-2',
    kills: 'I4',
    operations: {
      publish(cells, layout, slot, word, _block, flowTicks) {
        const control = controlAddress(layout, slot);
        const found = cells.load(control);
        if (stateOf(found) !== RESERVED) return null;
        const next = pack(PENDING, generationOf(found), ownerOf(word), after(cells.tick(), flowTicks));
        if (cells.compareExchange(control, found, next) !== found) return null;
        cells.notify(control);
        return next;
      },
    },
  },
  {
    name: 'no-rollback',
    title: 'a failure needs no word of its own: the lease will run out',
    scenario: 'untimed-failure',
    kills: 'I12',
    operations: { fail: (_cells, _layout, _slot, word) => word },
  },
  {
    name: 'fail-by-store',
    title: 'fail by a plain store',
    scenario: 'slow-failure',
    kills: 'I2',
    operations: {
      fail: (cells, layout, slot, word, code, coolDownTicks) =>
        put(cells, layout, slot, pack(FAILED, generationOf(word), code, after(cells.tick(), coolDownTicks))),
    },
  },
  {
    name: 'commit-by-check',
    title: 'check that the flow is still pending, then persist (the upstream fix)',
    scenario: 'cancel-persist',
    kills: 'I7',
    operations: {
      beginCommit(cells, layout, slot, word) {
        return cells.load(controlAddress(layout, slot)) === word ? word : null;
      },
      finish: (cells, layout, slot, word) =>
        put(cells, layout, slot, pack(SUCCESS, generationOf(word), ownerOf(word), cells.tick())),
    },
  },
  {
    name: 'cancel-by-store',
    title: 'a cancel is final: store it',
    scenario: 'cancel-persist',
    kills: 'I7',
    operations: {
      cancel(cells, layout, slot, generation) {
        const word = cells.load(controlAddress(layout, slot));
        if (generationOf(word) !== generation || stateOf(word) !== PENDING) return { kind: 'ended', word };
        const next = pack(CANCELLED, generation, ownerOf(word), cells.tick());
        return { kind: 'cancelled', word: put(cells, layout, slot, next) };
      },
    },
  },
  {
    name: 'cancel-commit',
    title: 'a commit can be cancelled too',
    scenario: 'cancel-persist',
    kills: 'I7',
    operations: {
      cancel(cells, layout, slot, generation) {
        const control = controlAddress(layout, slot);
        const word = cells.load(control);
        if (stateOf(word) !== COMMITTING) return operations.cancel(cells, layout, slot, generation);
        const next = pack(CANCELLED, generation, ownerOf(word), cells.tick());
        if (cells.compareExchange(control, word, next) !== word) return { kind: 'unknown' };
        cells.notify(control);
        return { kind: 'cancelled', word: next };
      },
    },
  },
  {
    name: 'cancel-any-generation',
    title: 'a cancel ends whatever flow the key has',
    scenario: 'cancel-late',
    kills: 'I16',
    operations: {
      cancel(cells, layout, slot) {
        const control = controlAddress(layout, slot);
        const word = cells.load(control);
        if (stateOf(word) !== PENDING) return { kind: 'ended', word };
        const next = pack(CANCELLED, generationOf(word), ownerOf(word), cells.tick());
        if (cells.compareExchange(control, word, next) !== word) return { kind: 'unknown' };
        cells.notify(control);
        return { kind: 'cancelled', word: next };
      },
    },
  },
  {
    name: 'finish-by-store',
    title: 'success by a plain store: nobody touches a commit',
    scenario: 'commit-lapse',
    kills: 'I8',
    operations: {
      finish: (cells, layout, slot, word) =>
        put(cells, layout, slot, pack(SUCCESS, generationOf(word), ownerOf(word), cells.tick())),
    },
  },
  {
    name: 'expire-by-store',
    title: 'expire by a plain store',
    scenario: 'expire-start',
    kills: 'I2',
    operations: {
      expire(cells, layout, slot, word, now) {
        if (stateOf(word) !== PENDING || !passed(now, deadlineOf(word))) return null;
        return put(cells, layout, slot, pack(EXPIRED, generationOf(word), ownerOf(word), now));
      },
    },
  },
  {
    name: 'expire-commit',
    title: 'a flow past its deadline is expired, committing or not',
    scenario: 'commit-lapse',
    kills: 'I7',
    operations: {
      expire(cells, layout, slot, word, now) {
        const control = controlAddress(layout, slot);
        if (!passed(now, deadlineOf(word))) return null;
        const next = pack(EXPIRED, generationOf(word), ownerOf(word), now);
        if (cells.compareExchange(control, word, next) !== word) return null;
        cells.notify(control);
        return next;
      },
    },
  },
  {
    name: 'purge-by-store',
    title: 'purge by a plain store',
    scenario: 'purge-start',
    kills: 'I2',
    operations: {
      purge(cells, layout, slot, word, now, retentionTicks) {
        if (!passed(now, after(deadlineOf(word), retentionTicks))) return false;
        put(cells, layout, slot, pack(IDLE, generationOf(word), 0, 0));
        return true;
      },
    },
  },
  {
    name: 'purge-resets',
    title: 'a purged slot begins again at generation 0',
    scenario: 'purge-start',
    kills: 'I3',
    operations: {
      purge(cells, layout, slot, word) {
        const control = controlAddress(layout, slot);
        return cells.compareExchange(control, word, pack(IDLE, 0, 0, 0)) === word;
      },
    },
  },
  {
    name: 'purge-unbinds',
    title: 'a purge gives the slot back to any key',
    scenario: 'purge-start',
    kills: 'I14',
    operations: {
      purge(cells, layout, slot, word, ...rest) {
        if (!operations.purge(cells, layout, slot, word, ...rest)) return false;
        cells.store(k2Address(layout, slot), 0n);
        cells.store(k1Address(layout, slot), 0n);
        return true;
      },
    },
  },
  {
    name: 'renew-by-store',
    title: 'renew a lease by a plain store',
    scenario: 'renewal-late',
    kills: 'I2',
    operations: {
      renew: (cells, layout, slot, word, ticks) =>
        put(
          cells,
          layout,
          slot,
          pack(stateOf(word), generationOf(word), ownerOf(word), after(cells.tick(), ticks)),
        ),
    },
  },
];
