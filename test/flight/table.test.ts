import { beforeEach, describe, expect, it } from 'vitest';
import { FAILURES } from '../../gateway/flight/failure.ts';
import { createBuffer, RealCells } from '../../gateway/flight/real-cells.ts';
import { NO_PARENT, enrol } from '../../gateway/flight/reaper.ts';
import { layoutOf } from '../../gateway/flight/layout.ts';
import { createTable, FlightTable } from '../../gateway/flight/table.ts';
import type { StartOptions } from '../../gateway/flight/answer.ts';
import { FlightFailure } from '../../gateway/flight/work.ts';
import type { Call, Creation, Work } from '../../gateway/flight/work.ts';
import { HandTimers, settled } from './hand-timers.ts';
import { TERMS } from './play.ts';

const SHAPE = { slots: 16, threads: 8, blocks: 8, blockWords: 32 };
const KEY = { provider: 'example', account: 'alice' };
const OPTIONS: StartOptions = { until: 'published', payload: true, waitMs: 10_000, leases: 1 };

let timers: HandTimers;
let first: FlightTable;
let second: FlightTable;
let buffer: SharedArrayBuffer;

/** Two threads of one table, in one thread: the memory cannot tell. */
beforeEach(() => {
  timers = new HandTimers();
  buffer = createBuffer(SHAPE, 0);
  const secret = new Uint8Array(32).fill(3);
  const cells = new RealCells(buffer, () => timers.nowMs);
  const open = (parent: number): FlightTable => {
    const seat = enrol(cells, layoutOf(SHAPE), parent)!;
    return new FlightTable(
      { buffer, secret, terms: TERMS, seat },
      timers,
      new RealCells(buffer, () => timers.nowMs),
    );
  };
  first = open(NO_PARENT);
  second = open(0);
});

interface Double {
  readonly work: Work;
  readonly calls: string[];
  release(creation?: Partial<Creation>): void;
  refuse(error: Error): void;
  call: Call | null;
}

/** Work whose provider answers when the test says so. */
function provider(more: Partial<Work> = {}): Double {
  let resolve: (creation: Creation) => void = () => {};
  let reject: (error: Error) => void = () => {};
  const double: Double = {
    calls: [],
    call: null,
    release: (creation) =>
      resolve({ payload: Buffer.from('WXYZ-1234'), flowMs: 900_000, pollMs: 5000, ...creation }),
    refuse: (error) => reject(error),
    work: {
      create: (call) => {
        double.calls.push('create');
        double.call = call;
        return new Promise((yes, no) => {
          resolve = yes;
          reject = no;
        });
      },
      poll: () => Promise.resolve({ kind: 'pending', waitMs: 5000 }),
      persist: () => Promise.resolve(void double.calls.push('persist')),
      discard: () => void double.calls.push('discard'),
      ended: (completion) => void double.calls.push(completion.kind),
      ...more,
    },
  };
  return double;
}

describe('a burst of starts', () => {
  it('makes one call at the provider, and gives everyone on every thread the same flow and payload', async () => {
    const works = Array.from({ length: 50 }, () => provider());
    const starts = works.map(({ work }, index) =>
      (index % 2 === 0 ? first : second).start(KEY, work, OPTIONS),
    );
    await settled();
    works[0]!.release();
    const answers = await Promise.all(starts);
    expect(works.flatMap(({ calls }) => calls)).toEqual(['create']);
    const ids = new Set(answers.map((answer) => (answer.kind === 'flow' ? answer.flowId : answer.kind)));
    expect([...ids]).toEqual([works[0]!.call!.flowId]);
    for (const answer of answers) {
      expect(answer).toMatchObject({ kind: 'flow', state: 'pending', expiresInMs: 900_000 });
      expect(answer.kind === 'flow' && Buffer.from(answer.payload!).toString()).toBe('WXYZ-1234');
    }
    expect(answers.filter((answer) => answer.kind === 'flow' && answer.led)).toHaveLength(1);
    expect(first.counters()).toMatchObject({ claims: 1n, published: 1n });
  });

  it('shares the failure of the one call, and its code', async () => {
    const works = Array.from({ length: 20 }, () => provider());
    const starts = works.map(({ work }, index) =>
      (index % 2 === 0 ? first : second).start(KEY, work, OPTIONS),
    );
    await settled();
    works[0]!.refuse(new FlightFailure(99, 2000, 'refused'));
    const answers = await Promise.all(starts);
    expect(works.flatMap(({ calls }) => calls)).toEqual(['create']);
    expect(answers.filter((answer) => answer.kind === 'failed' && answer.code === 99)).toHaveLength(20);
    expect(answers.filter((answer) => answer.kind === 'failed' && !answer.shared)).toHaveLength(1);
    expect(await second.start(KEY, provider().work, OPTIONS)).toEqual({
      kind: 'failed',
      code: 99,
      shared: true,
    });
    await timers.pass(2000);
    const retry = provider();
    const again = second.start(KEY, retry.work, OPTIONS);
    await settled();
    retry.release();
    expect(await again).toMatchObject({ kind: 'flow', led: true });
  });

  it('on other keys is not held up', async () => {
    const slow = provider();
    void first.start(KEY, slow.work, OPTIONS);
    const quick = provider();
    const other = first.start({ ...KEY, account: 'bob' }, quick.work, OPTIONS);
    quick.release();
    expect(await other).toMatchObject({ kind: 'flow', led: true });
    slow.release();
  });
});

describe('a caller', () => {
  it('gives up at its own deadline, and the leader still publishes for the others', async () => {
    const lead = provider();
    const impatient = first.start(KEY, lead.work, { ...OPTIONS, waitMs: 100 });
    const patient = first.start(KEY, provider().work, OPTIONS);
    await timers.pass(100);
    expect(await impatient).toEqual({ kind: 'waited-out' });
    lead.release();
    expect(await patient).toMatchObject({ kind: 'flow', led: false });
  });

  it('leaves no timer behind when its answer came', async () => {
    const lead = provider({ poll: undefined, persist: undefined } as unknown as Partial<Work>);
    const answer = first.start(KEY, lead.work, OPTIONS);
    lead.release({ pollMs: 0 });
    await answer;
    await settled();
    expect(timers.pending).toBe(0);
  });
});

describe('a leader', () => {
  it('aborts a provider that is too slow before its lease ends, and discards what comes late', async () => {
    const slow = provider();
    const answer = first.start(KEY, slow.work, { ...OPTIONS, waitMs: 60_000 });
    await timers.pass((TERMS.reserveTicks - TERMS.marginTicks) * 250);
    expect(await answer).toEqual({ kind: 'failed', code: FAILURES['provider-timeout'], shared: false });
    expect(slow.call!.signal.aborted).toBe(true);
    slow.release();
    await settled();
    expect(slow.calls).toEqual(['create', 'discard']);
  });

  it('follows its flow to the store, with a fence that grows with each claim', async () => {
    const fences: bigint[] = [];
    for (let round = 0; round < 2; round++) {
      const lead = provider({
        poll: () => Promise.resolve({ kind: 'approved' }),
        persist: (call) => Promise.resolve(void fences.push(call.fence)),
      });
      const starting = first.start(KEY, lead.work, OPTIONS);
      lead.release();
      const answer = await starting;
      await timers.pass(5000);
      expect(lead.calls).toEqual(['create', 'succeeded']);
      expect(answer.kind === 'flow' && (await second.view(answer.flowId))).toMatchObject({
        state: 'success',
      });
    }
    expect(fences[1]! > fences[0]!).toBe(true);
  });

  it('reports a store that fails, throws or hangs', async () => {
    const cases: [Work['persist'], number][] = [
      [() => Promise.reject(new Error('disk')), FAILURES['persist-failed']],
      [() => Promise.reject(new FlightFailure(80, 0, 'stale')), 80],
      [() => new Promise(() => {}), FAILURES['commit-unknown']],
    ];
    for (const [persist, code] of cases) {
      const lead = provider({ persist: persist!, poll: () => Promise.resolve({ kind: 'approved' }) });
      const starting = first.start({ ...KEY, account: `account ${code}` }, lead.work, OPTIONS);
      lead.release({ pollMs: 0 });
      const answer = await starting;
      await timers.pass(20_000);
      expect(answer.kind === 'flow' && (await first.view(answer.flowId))).toMatchObject({
        state: 'failed',
        code,
      });
    }
  });

  it('outlives a poll that fails to answer', async () => {
    let polls = 0;
    const lead = provider({
      poll: () => (++polls === 1 ? new Promise(() => {}) : Promise.resolve({ kind: 'approved' })),
    });
    const starting = first.start(KEY, lead.work, OPTIONS);
    lead.release();
    await starting;
    await timers.pass(40_000);
    expect(lead.calls).toEqual(['create', 'persist', 'succeeded']);
  });
});

describe('a flow', () => {
  it('is cancelled from any thread, at once, and its end stays readable after the next start', async () => {
    const lead = provider();
    const starting = first.start(KEY, lead.work, OPTIONS);
    lead.release();
    const answer = await starting;
    if (answer.kind !== 'flow') throw new Error(answer.kind);
    const changed = second.changed(answer.flowId, 60_000);
    expect(await second.cancel(answer.flowId)).toMatchObject({ state: 'cancelled' });
    await changed;
    await settled();
    expect(lead.calls).toEqual(['create', 'stopped']);
    const next = provider();
    const again = second.start(KEY, next.work, OPTIONS);
    next.release();
    expect(await again).toMatchObject({ kind: 'flow', led: true });
    expect(await first.view(answer.flowId)).toMatchObject({ state: 'cancelled' });
    expect(await first.cancel(answer.flowId)).toMatchObject({ state: 'cancelled' });
  });

  it('of an id that was never given out is unknown', async () => {
    expect(await first.view('0'.repeat(32))).toBeNull();
    expect(await first.cancel('nonsense')).toBeNull();
    await first.changed('nonsense', 1000);
  });

  it('expires at its deadline, stays readable for its retention, and is purged then', async () => {
    const stop = second.keepSwept(1000);
    const lead = provider();
    const starting = first.start(KEY, lead.work, OPTIONS);
    lead.release({ flowMs: 60_000 });
    const answer = await starting;
    const view = () => (answer.kind === 'flow' ? second.view(answer.flowId) : null);
    await timers.pass(60_000);
    expect(await view()).toEqual({ state: 'expired', code: 0, expiresInMs: 0 });
    expect(lead.calls).toEqual(['create', 'stopped']);
    await timers.pass(299_000);
    expect(await view()).not.toBeNull();
    await timers.pass(3000);
    expect(await view()).toBeNull();
    expect(first.counters()).toMatchObject({ expiries: 1n, purges: 1n });
    stop();
  });
});

describe('a thread', () => {
  it('that ends frees its keys at once, and who waited leads the next flow', async () => {
    const seat = first.seat()!;
    const third = new FlightTable(seat.handle, timers, new RealCells(buffer, () => timers.nowMs));
    const dead = provider();
    void third.start(KEY, dead.work, OPTIONS);
    const heir = provider();
    const waiting = first.start(KEY, heir.work, OPTIONS);
    await settled();
    expect(heir.calls).toEqual([]);
    let exit: () => void = () => {};
    seat.watch({ once: (_event, listener) => (exit = listener) });
    exit();
    await settled();
    heir.release();
    expect(await waiting).toMatchObject({ kind: 'flow', led: true });
    expect(first.counters()).toMatchObject({ reaps: 1n, orphans: 1n });
    exit();
    expect(first.counters()).toMatchObject({ reaps: 1n });
  });

  it('that closes ends its flows and lets go of their work', async () => {
    const lead = provider();
    const starting = second.start(KEY, lead.work, OPTIONS);
    lead.release();
    const answer = await starting;
    const closed = second.close();
    await settled();
    await closed;
    expect(lead.calls).toEqual(['create', 'stopped']);
    expect(answer.kind === 'flow' && (await first.view(answer.flowId))).toMatchObject({
      state: 'failed',
      code: FAILURES['owner-died'],
    });
    expect(await second.start(KEY, provider().work, OPTIONS)).toEqual({ kind: 'closed' });
  });

  it('that closes during a call at the provider leads no flow any more', async () => {
    const lead = provider();
    void second.start(KEY, lead.work, OPTIONS);
    const heir = provider();
    const waiting = first.start(KEY, heir.work, OPTIONS);
    await settled();
    await second.close();
    await settled();
    heir.release();
    expect(await waiting).toMatchObject({ kind: 'flow', led: true });
    lead.release();
    await settled();
    expect(lead.calls).toEqual(['create', 'discard']);
  });

  it('gets no seat when all are taken, and one again when a seat is given back', () => {
    const seats = [1, 2, 3, 4, 5, 6].map(() => first.seat()!);
    expect(first.seat()).toBeNull();
    seats[0]!.leave();
    expect(first.seat()).not.toBeNull();
  });
});

describe('a refresh', () => {
  it('is answered with its end, to everyone, after it was stored', async () => {
    const options: StartOptions = { until: 'settled', payload: false, waitMs: 60_000, leases: 3 };
    const lead = provider({ poll: undefined } as unknown as Partial<Work>);
    const starts = [first, second, first, second].map((table) => table.start(KEY, lead.work, options));
    // Slower than one lease allows: the lease is renewed while the provider takes its time.
    await timers.pass(45_000);
    lead.release({ payload: null, pollMs: 0 });
    await timers.pass(300);
    const answers = await Promise.all(starts);
    expect(answers.map((answer) => answer.kind === 'flow' && answer.state)).toEqual(Array(4).fill('success'));
    expect(lead.calls).toEqual(['create', 'persist', 'succeeded']);
  });
});

describe('the shared memory', () => {
  it('never holds a secret: not the table secret, not the key, not what the work keeps', async () => {
    const secret = Buffer.from('device-code-9f27c1aa55');
    const lead = provider({ poll: () => Promise.resolve(secret && { kind: 'pending', waitMs: 5000 }) });
    const starting = first.start(
      { provider: 'provider-name-xyz', account: 'account-name-xyz' },
      lead.work,
      OPTIONS,
    );
    lead.release();
    await starting;
    const memory = Buffer.from(new Uint8Array(buffer));
    expect(memory.includes('WXYZ-1234')).toBe(true);
    for (const hidden of [secret, 'provider-name-xyz', 'account-name-xyz', Buffer.alloc(8, 3)]) {
      expect(memory.includes(hidden)).toBe(false);
    }
  });
});

describe('createTable', () => {
  it('seats its own thread first and works with the real clock', async () => {
    const table = createTable(SHAPE, TERMS);
    const work: Work = { create: () => Promise.resolve({ payload: null, flowMs: 1000, pollMs: 0 }) };
    const answer = await table.start(KEY, work, { ...OPTIONS, until: 'settled' });
    expect(answer).toMatchObject({ kind: 'flow', led: true, state: 'success', payload: null });
    await table.close();
  });

  it('refuses terms that contradict each other', () => {
    expect(() => createTable(SHAPE, { ...TERMS, marginTicks: 120 })).toThrow(/marginTicks/);
    expect(() => createTable(SHAPE, { ...TERMS, retentionTicks: 0 })).toThrow(/retentionTicks/);
    expect(() => createTable(SHAPE, { ...TERMS, coolDownTicks: 0.5 })).toThrow(/coolDownTicks/);
  });
});
