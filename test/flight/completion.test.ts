import { beforeEach, describe, expect, it } from 'vitest';
import { complete } from '../../gateway/flight/completion.ts';
import type { Context } from '../../gateway/flight/context.ts';
import {
  CANCELLED,
  COMMITTING,
  EXPIRED,
  FAILED,
  ownerOf,
  pack,
  PENDING,
  stateOf,
  SUCCESS,
} from '../../gateway/flight/control-word.ts';
import type { Hold } from '../../gateway/flight/effects.ts';
import { abort, sweep, view } from '../../gateway/flight/expiry.ts';
import { controlAddress } from '../../gateway/flight/layout.ts';
import type { PlainCells } from './plain-cells.ts';
import { context as newContext, play, TERMS } from './play.ts';

let cells: PlainCells;
let context: Context;
let control: number;
let flow: Hold;
const word = (): bigint => cells.words[control]!;
const put = (...fields: Parameters<typeof pack>): bigint => (cells.words[control] = pack(...fields));
const slept = (): string => 'timed-out';
const approved = { kind: 'approved' };
const persisted = { kind: 'persisted' };

beforeEach(() => {
  ({ cells, context } = newContext());
  control = controlAddress(context.layout, 0);
  flow = { slot: 0, word: put(PENDING, 7, 1, 3600) };
});

describe('a followed flow', () => {
  it('is polled at the pace the provider asks for, then stored under COMMITTING, then done', () => {
    const waits: number[] = [];
    const answers = [{ kind: 'pending', waitMs: 7000 }, { kind: 'pending', waitMs: 0 }, approved];
    const played = play(complete(context, flow, 5000), cells, {
      waitSlot: ({ timeoutMs }) => {
        waits.push(timeoutMs);
        return 'timed-out';
      },
      poll: () => answers.shift(),
      persist: ({ hold, timeoutMs }) => {
        expect(stateOf(word())).toBe(COMMITTING);
        expect(hold.word).toBe(word());
        expect(timeoutMs).toBe((TERMS.commitTicks - TERMS.marginTicks) * 250);
        return persisted;
      },
    });
    expect(waits).toEqual([5000, 7000, 250]);
    expect(played).toMatchObject({ outcome: { kind: 'succeeded' }, counted: ['successes'] });
    expect(stateOf(word())).toBe(SUCCESS);
  });

  it('that can be completed at once does not wait', () => {
    const played = play(complete(context, flow, 0), cells, {
      poll: () => approved,
      persist: () => persisted,
    });
    expect(played.asked).toEqual(['poll', 'persist']);
  });

  it('stops at once when it is cancelled, and polls no more', () => {
    const played = play(complete(context, flow, 5000), cells, {
      waitSlot: () => {
        put(CANCELLED, 7, 1, 0);
        return 'woken';
      },
    });
    expect(played).toMatchObject({ outcome: { kind: 'stopped' }, asked: ['waitSlot'] });
  });

  it('does not poll early because it was woken for nothing', () => {
    const wakes = ['woken', 'woken', 'timed-out'];
    const played = play(complete(context, flow, 5000), cells, {
      waitSlot: () => wakes.shift(),
      poll: () => ({ kind: 'failed', code: 70, coolDownTicks: 1 }),
    });
    expect(played.asked).toEqual(['waitSlot', 'waitSlot', 'waitSlot', 'poll']);
  });

  it('that was cancelled during the poll is never stored', () => {
    const played = play(complete(context, flow, 5000), cells, {
      waitSlot: slept,
      poll: () => {
        put(CANCELLED, 7, 1, 0);
        return approved;
      },
    });
    expect(played).toMatchObject({ outcome: { kind: 'stopped' }, asked: ['waitSlot', 'poll'] });
    expect(stateOf(word())).toBe(CANCELLED);
  });

  it('past its deadline expires, also when its approval was on the way', () => {
    const late = play(complete(context, flow, 5000), cells, {
      waitSlot: slept,
      poll: () => {
        cells.now = 3600;
        return approved;
      },
    });
    expect(late).toMatchObject({ outcome: { kind: 'stopped' }, asked: ['waitSlot', 'poll'] });
    expect(stateOf(word())).toBe(EXPIRED);
    put(PENDING, 7, 1, 3600);
    const idle = play(complete(context, flow, 5000), cells, { waitSlot: slept });
    expect(idle).toMatchObject({ outcome: { kind: 'stopped' }, asked: ['waitSlot'], counted: ['expiries'] });
  });

  it('fails with the reason of the provider, or of the store', () => {
    const denied = play(complete(context, flow, 5000), cells, {
      waitSlot: slept,
      poll: () => ({ kind: 'failed', code: 70, coolDownTicks: 4 }),
    });
    expect(denied.outcome).toEqual({ kind: 'failed', code: 70 });
    expect([stateOf(word()), ownerOf(word())]).toEqual([FAILED, 70]);
    put(PENDING, 7, 1, 3600);
    const unstored = play(complete(context, flow, 0), cells, {
      poll: () => approved,
      persist: () => ({ kind: 'failed', code: 9, coolDownTicks: 1 }),
    });
    expect(unstored.outcome).toEqual({ kind: 'failed', code: 9 });
  });

  it('whose commit lease was lost does not report a success', () => {
    const played = play(complete(context, flow, 0), cells, {
      poll: () => approved,
      persist: () => {
        put(FAILED, 7, 6, 0);
        return persisted;
      },
    });
    expect(played).toMatchObject({ outcome: { kind: 'stopped' }, counted: ['fenced'] });
  });
});

describe('view, abort and sweep', () => {
  it('a poll after the deadline reports the flow as expired, every time until its retention is over', () => {
    cells.now = 3600;
    for (let polls = 0; polls < 3; polls++) {
      const { outcome } = play(view(context, 0, 7), cells, {});
      expect(outcome.kind === 'seen' && stateOf(outcome.word)).toBe(EXPIRED);
    }
    cells.now = 3600 + TERMS.retentionTicks;
    expect(play(sweep(context), cells, {})).toMatchObject({ outcome: 1, counted: ['purges'] });
    expect(play(view(context, 0, 7), cells, {}).outcome).toEqual({ kind: 'unknown' });
  });

  it('a cancel after the deadline finds the flow expired', () => {
    cells.now = 3600;
    const { outcome } = play(abort(context, 0, 7), cells, {});
    expect(outcome.kind).toBe('ended');
    expect(stateOf(word())).toBe(EXPIRED);
  });

  it('a cancel in time is counted', () => {
    expect(play(abort(context, 0, 7), cells, {})).toMatchObject({
      outcome: { kind: 'cancelled' },
      counted: ['cancels'],
    });
  });

  it('a sweep expires what has lapsed, purges what was kept long enough, and leaves the rest', () => {
    const slot = (index: number): number => controlAddress(context.layout, index);
    cells.words[slot(1)] = pack(SUCCESS, 1, 1, 100);
    cells.words[slot(3)] = pack(CANCELLED, 1, 1, 3500);
    cells.now = 3600;
    const played = play(sweep(context), cells, {});
    expect(played).toMatchObject({ outcome: 3, counted: ['expiries', 'purges'] });
    expect([0, 1, 3].map((index) => stateOf(cells.words[slot(index)]!))).toEqual([EXPIRED, 0, CANCELLED]);
  });
});
