import { beforeEach, describe, expect, it } from 'vitest';
import {
  CANCELLED,
  COMMITTING,
  deadlineOf,
  EXPIRED,
  FAILED,
  GENERATION_MASK,
  generationOf,
  IDLE,
  ownerOf,
  pack,
  PENDING,
  RESERVED,
  stateOf,
  SUCCESS,
  TICK_MASK,
} from '../../gateway/flight/control-word.ts';
import type { State } from '../../gateway/flight/control-word.ts';
import { FAILURES } from '../../gateway/flight/failure.ts';
import { controlAddress } from '../../gateway/flight/layout.ts';
import type { Layout } from '../../gateway/flight/layout.ts';
import {
  beginCommit,
  cancel,
  expire,
  fail,
  finish,
  look,
  renew,
  survey,
  tryStart,
} from '../../gateway/flight/slot.ts';
import { smallTable } from './plain-cells.ts';
import type { PlainCells } from './plain-cells.ts';

let cells: PlainCells;
let layout: Layout;
let control: number;

beforeEach(() => {
  ({ cells, layout } = smallTable());
  control = controlAddress(layout, 0);
});

const put = (state: State, generation = 7, owner = 1, deadline = 100): bigint =>
  (cells.words[control] = pack(state, generation, owner, deadline));
const attempt = (awaited: number | null = null) => tryStart(cells, layout, 0, 2, awaited, 120);
const word = (): bigint => cells.words[control]!;

describe('tryStart', () => {
  it('claims an idle slot with the next generation and wakes the waiters', () => {
    cells.now = 10;
    expect(attempt()).toEqual({ kind: 'won', word: pack(RESERVED, 1, 2, 130), now: 10, takeover: false });
    expect(word()).toBe(pack(RESERVED, 1, 2, 130));
    expect(cells.notified).toEqual([control]);
  });

  it.each([SUCCESS, CANCELLED, EXPIRED] as const)('claims from ended state %i at once', (state) => {
    put(state);
    expect(attempt().kind).toBe('won');
    expect(generationOf(word())).toBe(8);
  });

  it('shares a failure until its cool-down is over, then claims', () => {
    put(FAILED, 7, FAILURES['provider-failed'], 100);
    cells.now = 99;
    expect(attempt().kind).toBe('settled');
    cells.now = 100;
    expect(attempt().kind).toBe('won');
  });

  it.each([SUCCESS, FAILED, CANCELLED, EXPIRED] as const)(
    'shares the end %i of the generation that was awaited',
    (state) => {
      const ended = put(state, 7, 9);
      cells.now = 1000;
      expect(attempt(7)).toEqual({ kind: 'settled', word: ended, now: 1000 });
      expect(attempt(6).kind).toBe('won');
    },
  );

  it('starts anew instead of sharing the death of a leader', () => {
    put(FAILED, 7, FAILURES['owner-died']);
    expect(attempt(7).kind).toBe('won');
  });

  it('waits for a leader within its lease and takes over from one past it, with a newer generation', () => {
    const reserved = put(RESERVED);
    cells.now = 99;
    expect(attempt()).toEqual({ kind: 'wait', word: reserved, now: 99 });
    cells.now = 100;
    expect(attempt()).toMatchObject({ kind: 'won', takeover: true });
    expect(generationOf(word())).toBe(8);
  });

  it.each([PENDING, COMMITTING] as const)(
    'joins live state %i and asks to expire it past its deadline',
    (state) => {
      const live = put(state);
      cells.now = 99;
      expect(attempt()).toEqual({ kind: 'join', word: live, now: 99 });
      cells.now = 100;
      expect(attempt()).toEqual({ kind: 'lapsed', word: live, now: 100 });
      expect(word()).toBe(live);
    },
  );

  it('retries when another thread changed the word in between', () => {
    cells.between.set(3, () => put(RESERVED, 1, 3));
    expect(attempt().kind).toBe('retry');
    expect(word()).toBe(pack(RESERVED, 1, 3, 100));
    expect(cells.notified).toEqual([]);
  });

  it('judges deadlines across the wrap of the clock', () => {
    put(RESERVED, 7, 1, 5);
    cells.now = TICK_MASK - 5;
    expect(attempt().kind).toBe('wait');
    cells.now = 6;
    expect(attempt().kind).toBe('won');
  });

  it('goes on after the last generation with the first', () => {
    put(SUCCESS, GENERATION_MASK);
    attempt();
    expect(generationOf(word())).toBe(0);
  });
});

describe('the owner', () => {
  it('renews its lease, commits and finishes, waking the waiters each time', () => {
    const reserved = put(RESERVED);
    cells.now = 50;
    const renewed = renew(cells, layout, 0, reserved, 60)!;
    expect(deadlineOf(renewed)).toBe(110);
    const pending = put(PENDING);
    const committing = beginCommit(cells, layout, 0, pending, 30)!;
    expect([stateOf(committing), deadlineOf(committing)]).toEqual([COMMITTING, 80]);
    expect(stateOf(finish(cells, layout, 0, committing)!)).toBe(SUCCESS);
    expect(cells.notified).toHaveLength(3);
  });

  it('may not commit a flow past its deadline: expiry wins over a late success', () => {
    const pending = put(PENDING);
    cells.now = 100;
    expect(beginCommit(cells, layout, 0, pending, 30)).toBeNull();
    expect(word()).toBe(pending);
  });

  it.each([
    ['renew', (held: bigint) => renew(cells, layout, 0, held, 5)],
    ['beginCommit', (held: bigint) => beginCommit(cells, layout, 0, held, 5)],
    ['finish', (held: bigint) => finish(cells, layout, 0, held)],
    ['fail', (held: bigint) => fail(cells, layout, 0, held, 1, 5)],
  ])('%s is refused for a word that is no longer there, and wakes nobody', (_name, operation) => {
    const now = put(RESERVED, 8, 3);
    expect(operation(pack(RESERVED, 7, 1, 100))).toBeNull();
    expect(word()).toBe(now);
    expect(cells.notified).toEqual([]);
  });

  it('fails with a reason and a cool-down of one tick at least', () => {
    const reserved = put(RESERVED);
    cells.now = 20;
    const failed = fail(cells, layout, 0, reserved, 77, 0)!;
    expect([stateOf(failed), ownerOf(failed), deadlineOf(failed)]).toEqual([FAILED, 77, 21]);
  });
});

describe('cancel', () => {
  it('ends a pending flow and wakes its leader', () => {
    put(PENDING);
    expect(cancel(cells, layout, 0, 7).kind).toBe('cancelled');
    expect(stateOf(word())).toBe(CANCELLED);
    expect(cells.notified).toEqual([control]);
  });

  it.each([
    [RESERVED, 'starting'],
    [COMMITTING, 'too-late'],
    [SUCCESS, 'ended'],
    [EXPIRED, 'ended'],
    [IDLE, 'unknown'],
  ] as const)('leaves state %i as it is and says %s', (state, kind) => {
    const before = put(state);
    expect(cancel(cells, layout, 0, 7).kind).toBe(kind);
    expect(word()).toBe(before);
  });

  it('does not touch a newer generation, and remembers how the older one ended', () => {
    put(CANCELLED, 7);
    attempt();
    const answer = cancel(cells, layout, 0, 7);
    expect(answer).toMatchObject({ kind: 'ended' });
    expect(generationOf(word())).toBe(8);
    expect(cancel(cells, layout, 0, 3)).toEqual({ kind: 'unknown' });
  });

  it('is too late when the commit came in between', () => {
    put(PENDING);
    cells.between.set(2, () => put(COMMITTING));
    expect(cancel(cells, layout, 0, 7).kind).toBe('too-late');
  });
});

describe('expire', () => {
  it.each([
    [PENDING, EXPIRED, 1],
    [RESERVED, FAILED, FAILURES['lease-lost']],
    [COMMITTING, FAILED, FAILURES['commit-unknown']],
  ] as const)('turns live state %i into %i', (from, to, owner) => {
    const live = put(from);
    const ended = expire(cells, layout, 0, live, 100)!;
    expect([stateOf(ended), ownerOf(ended), generationOf(ended)]).toEqual([to, owner, 7]);
    expect(cells.notified).toEqual([control]);
  });

  it('leaves what has not lapsed, what has ended, and what has changed', () => {
    const live = put(PENDING);
    expect(expire(cells, layout, 0, live, 99)).toBeNull();
    expect(expire(cells, layout, 0, put(SUCCESS), 100)).toBeNull();
    put(RESERVED, 8);
    expect(expire(cells, layout, 0, live, 100)).toBeNull();
    expect(generationOf(word())).toBe(8);
  });
});

describe('look', () => {
  it('sees the current generation and says when it has lapsed', () => {
    const live = put(PENDING);
    cells.now = 99;
    expect(look(cells, layout, 0, 7, 1200)).toEqual({ kind: 'seen', word: live, now: 99, lapsed: false });
    cells.now = 100;
    expect(look(cells, layout, 0, 7, 1200)).toMatchObject({ lapsed: true });
  });

  it('sees the last four ended generations after newer claims, for their retention', () => {
    for (let generation = 1; generation <= 6; generation++) {
      put(CANCELLED, generation, 1, 100);
      attempt();
    }
    const states = [1, 2, 3, 4, 5, 6].map((generation) => look(cells, layout, 0, generation, 1200).kind);
    expect(states).toEqual(['unknown', 'unknown', 'seen', 'seen', 'seen', 'seen']);
    cells.now = 1300;
    expect(look(cells, layout, 0, 6, 1200)).toEqual({ kind: 'unknown' });
  });

  it('a late claimant cannot replace a newer memory by an older one', () => {
    put(CANCELLED, 1, 1, 100);
    // While the claimant of 2 sleeps, the key goes on to the end of generation 5, which shares its place.
    cells.between.set(4, () => {
      for (let generation = 1; generation <= 5; generation++) {
        put(CANCELLED, generation, 1, 100);
        attempt();
      }
    });
    expect(attempt().kind).toBe('retry');
    expect(look(cells, layout, 0, 5, 1200).kind).toBe('seen');
  });
});

describe('survey', () => {
  it('finds the slots in use, in order', () => {
    cells.words[controlAddress(layout, 1)] = pack(PENDING, 1, 1, 1);
    cells.words[controlAddress(layout, 3)] = pack(SUCCESS, 1, 1, 1);
    expect(survey(cells, layout, 0)?.slot).toBe(1);
    expect(survey(cells, layout, 2)?.slot).toBe(3);
    expect(survey(cells, layout, 4)).toBeNull();
  });
});
