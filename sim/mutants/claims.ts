// Mistakes in starting: who may claim, and how.

import {
  after,
  COMMITTING,
  deadlineOf,
  FAILED,
  generationOf,
  isTerminal,
  nextGeneration,
  pack,
  passed,
  PENDING,
  RESERVED,
  stateOf,
} from '../../gateway/flight/control-word.ts';
import type { Cells } from '../../gateway/flight/cells.ts';
import { controlAddress, type Layout } from '../../gateway/flight/layout.ts';
import { operations } from '../../gateway/flight/operations.ts';
import type { Attempt } from '../../gateway/flight/slot.ts';
import type { Mutant } from './mutant.ts';

/** Claims by `claim`, whenever `startable` says so; else what the shipped operation does. */
function startWith(
  startable: (word: bigint, now: number) => boolean,
  claim: (cells: Cells, control: number, word: bigint, me: number, until: number) => bigint | undefined,
): typeof operations.tryStart {
  return (cells, layout, slot, me, _awaited, reserveTicks): Attempt => {
    const control = controlAddress(layout, slot);
    const word = cells.load(control);
    const now = cells.tick();
    const state = stateOf(word);
    if (!startable(word, now)) {
      if (isTerminal(state)) return { kind: 'settled', word, now };
      if (state === RESERVED) return { kind: 'wait', word, now };
      return { kind: passed(now, deadlineOf(word)) ? 'lapsed' : 'join', word, now };
    }
    const claimed = claim(cells, control, word, me, after(now, reserveTicks));
    if (claimed === undefined) return { kind: 'retry', now };
    return { kind: 'won', word: claimed, now, takeover: state === RESERVED };
  };
}

const usual = (word: bigint, now: number): boolean => {
  const state = stateOf(word);
  if (state === RESERVED) return passed(now, deadlineOf(word));
  if (state === FAILED) return passed(now, deadlineOf(word));
  return state !== PENDING && state !== COMMITTING;
};

const exchange = (
  cells: Cells,
  control: number,
  word: bigint,
  me: number,
  until: number,
): bigint | undefined => {
  const next = pack(RESERVED, nextGeneration(generationOf(word)), me, until);
  if (cells.compareExchange(control, word, next) !== word) return undefined;
  cells.notify(control);
  return next;
};

function insertByStore(cells: Cells, layout: Layout, slot: number, word: bigint, flowTicks: number): bigint {
  const control = controlAddress(layout, slot);
  const next = pack(
    PENDING,
    generationOf(word),
    Number((word >> 3n) & 0xfffn),
    after(cells.tick(), flowTicks),
  );
  cells.store(control, next);
  cells.notify(control);
  return next;
}

/** Publishes without an exchange while the lease has time left: who but the holder could have changed the word? */
const publishWhileLeased: typeof operations.publish = (cells, layout, slot, word, block, flowTicks) => {
  if (passed(cells.tick(), deadlineOf(word)))
    return operations.publish(cells, layout, slot, word, block, flowTicks);
  return insertByStore(cells, layout, slot, word, flowTicks);
};

export const claims: readonly Mutant[] = [
  {
    name: 'seed',
    title: 'check for a flow, release, create one at the provider, then insert it',
    scenario: 'burst-2',
    kills: 'I11',
    without: ['I4', 'I8'], // it knows no claims
    operations: {
      tryStart: startWith(usual, (_cells, _control, word, me, until) =>
        pack(RESERVED, nextGeneration(generationOf(word)), me, until),
      ),
      publish: (cells, layout, slot, word, _block, flowTicks) =>
        insertByStore(cells, layout, slot, word, flowTicks),
    },
  },
  {
    name: 'check-then-store',
    title: 'reserve by a plain store, since the check came just before',
    scenario: 'burst-2',
    kills: 'I3',
    operations: {
      tryStart: startWith(usual, (cells, control, word, me, until) => {
        const next = pack(RESERVED, nextGeneration(generationOf(word)), me, until);
        cells.store(control, next);
        cells.notify(control);
        return next;
      }),
    },
  },
  {
    name: 'lost-claim-won',
    title: 'exchange, and never look whether it took place',
    scenario: 'burst-2',
    kills: 'I11',
    operations: {
      tryStart: startWith(usual, (cells, control, word, me, until) => {
        const next = pack(RESERVED, nextGeneration(generationOf(word)), me, until);
        cells.compareExchange(control, word, next);
        cells.notify(control);
        return next;
      }),
    },
  },
  {
    name: 'same-generation',
    title: 'a takeover keeps the generation: it is the same flight, after all',
    scenario: 'slow-leader-2',
    kills: 'I3',
    operations: {
      tryStart: startWith(usual, (cells, control, word, me, until) => {
        const generation =
          stateOf(word) === RESERVED ? generationOf(word) : nextGeneration(generationOf(word));
        const next = pack(RESERVED, generation, me, until);
        if (cells.compareExchange(control, word, next) !== word) return undefined;
        cells.notify(control);
        return next;
      }),
    },
  },
  {
    name: 'no-notify',
    title: 'nobody is told: the timers will do',
    scenario: 'untimed-2',
    kills: 'I12',
    operations: {
      publish: (cells, ...rest) => operations.publish({ ...cells, notify: () => 0 }, ...rest),
    },
  },
  {
    name: 'notify-first',
    title: 'wake the waiters, then publish',
    scenario: 'untimed-2',
    kills: 'I12',
    operations: {
      publish(cells, layout, slot, ...rest) {
        cells.notify(controlAddress(layout, slot));
        return operations.publish({ ...cells, notify: () => 0 }, layout, slot, ...rest);
      },
    },
  },
  {
    name: 'separate-flag',
    title: 'wait on a word of its own, which no transition changes',
    scenario: 'untimed-2',
    kills: 'I12',
    tamper: (effect) =>
      effect.type === 'waitSlot' ? { ...effect, address: effect.address + 5, word: 0n } : effect,
  },
  {
    name: 'impatient-takeover',
    title: 'a reservation may be taken over at any time',
    scenario: 'burst-2',
    kills: 'I11',
    operations: {
      tryStart: startWith((word, now) => stateOf(word) === RESERVED || usual(word, now), exchange),
    },
  },
  {
    name: 'plain-deadline',
    title: 'compare deadlines with >=',
    scenario: 'lease-across-wrap',
    kills: 'I11',
    operations: {
      tryStart: startWith((word, now) => {
        if (stateOf(word) === RESERVED) return now >= deadlineOf(word);
        return usual(word, now);
      }, exchange),
    },
  },
  {
    name: 'trust-the-clock',
    title: 'a leader whose lease has not run out need not compare',
    scenario: 'clock-adversary',
    kills: 'I13',
    operations: { publish: publishWhileLeased },
  },
  {
    name: 'claim-lapsed-flow',
    title: 'a flow past its deadline is as good as gone: claim over it',
    scenario: 'expire-start',
    kills: 'I2',
    operations: {
      tryStart: startWith(
        (word, now) => (stateOf(word) === PENDING ? passed(now, deadlineOf(word)) : usual(word, now)),
        exchange,
      ),
    },
  },
  {
    name: 'claim-over-commit',
    title: 'take over a leader that stalls in its commit',
    scenario: 'commit-lapse',
    kills: 'I2',
    operations: {
      tryStart: startWith(
        (word, now) => (stateOf(word) === COMMITTING ? passed(now, deadlineOf(word)) : usual(word, now)),
        exchange,
      ),
    },
  },
  {
    name: 'retry-storm',
    title: 'a joiner of a failed flight tries again by itself',
    scenario: 'failure-fan-out',
    kills: 'I11',
    operations: {
      tryStart: startWith((word, now) => stateOf(word) === FAILED || usual(word, now), exchange),
    },
  },
  {
    name: 'half-digest',
    title: 'compare half of the digest: 64 bits are plenty',
    scenario: 'collide-2',
    kills: 'I5',
    operations: {
      bind: (cells, layout, digest) => bindWith(cells, layout, digest, () => true),
    },
  },
  {
    name: 'unfinished-is-different',
    title: "a key without its second half is somebody else's",
    scenario: 'bind-2',
    kills: 'I1',
    operations: {
      bind: (cells, layout, digest) => bindWith(cells, layout, digest, (low) => low === digest.low),
    },
  },
];

/** Binds without helping: only who wrote the first half writes the second. */
function bindWith(
  cells: Cells,
  layout: Layout,
  digest: { readonly high: bigint; readonly low: bigint },
  same: (low: bigint) => boolean,
): number {
  let slot = Number(digest.high & BigInt(layout.slots - 1));
  for (let probe = 0; probe < layout.probes; probe++) {
    const k1 = layout.slotBase + slot * 8;
    const high = cells.compareExchange(k1, 0n, digest.high);
    if (high === 0n) {
      cells.store(k1 + 1, digest.low);
      return slot;
    }
    if (high === digest.high && same(cells.load(k1 + 1))) return slot;
    slot = (slot + 1) & (layout.slots - 1);
  }
  return -1;
}
