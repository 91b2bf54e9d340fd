import { beforeEach, describe, expect, it } from 'vitest';
import type { StartOptions } from '../../gateway/flight/answer.ts';
import { FAILURES } from '../../gateway/flight/failure.ts';
import { createTable } from '../../gateway/flight/table.ts';
import type { FlightTable } from '../../gateway/flight/table.ts';
import { FlightFailure } from '../../gateway/flight/work.ts';
import type { Work } from '../../gateway/flight/work.ts';
import { settled } from './hand-timers.ts';
import type { HandTimers } from './hand-timers.ts';
import { TERMS } from './play.ts';
import { KEY, OPTIONS, provider, SHAPE, twins } from './twins.ts';
import type { Twins } from './twins.ts';

let timers: HandTimers;
let first: FlightTable;
let second: FlightTable;
let buffer: SharedArrayBuffer;
let open: Twins['open'];

beforeEach(() => {
  ({ timers, first, second, buffer, open } = twins());
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
    const third = open(seat.handle);
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

describe('a table that is too small', () => {
  const small = (shape: Partial<typeof SHAPE>) => createTable({ ...SHAPE, ...shape }, TERMS);
  const bob = { ...KEY, account: 'bob' };

  it('refuses a key without a slot, and asks its provider for nothing', async () => {
    const table = small({ slots: 1 });
    const [alice, other] = [provider(), provider()];
    const starting = table.start(KEY, alice.work, OPTIONS);
    alice.release();
    await starting;
    expect(await table.start(bob, other.work, OPTIONS)).toEqual({ kind: 'full' });
    expect(other.calls).toEqual([]);
    expect(table.counters()).toMatchObject({ full: 1n, claims: 1n });
    await table.close();
  });

  it('refuses a flow without a payload block, with a code of its own, and asks its provider for nothing', async () => {
    const table = small({ blocks: 1 });
    const [alice, other] = [provider(), provider()];
    const starting = table.start(KEY, alice.work, OPTIONS);
    alice.release();
    await starting;
    const code = FAILURES['no-payload-block'];
    expect(await table.start(bob, other.work, OPTIONS)).toEqual({ kind: 'failed', code, shared: false });
    expect(other.calls).toEqual([]);
    await table.close();
  });
});

describe('a start from within its own call at the provider', () => {
  it('gives up at its deadline instead of waiting for itself for ever', async () => {
    const inner: unknown[] = [];
    const work: Work = {
      async create() {
        inner.push(await first.start(KEY, work, { ...OPTIONS, waitMs: 1000 }));
        return { payload: null, flowMs: 60_000, pollMs: 5000 };
      },
    };
    const outer = first.start(KEY, work, OPTIONS);
    await timers.pass(1000);
    expect(inner).toEqual([{ kind: 'waited-out' }]);
    expect(await outer).toMatchObject({ kind: 'flow', led: true });
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

describe('a failure code of the work', () => {
  it('must be one of the caller, so that it cannot be taken for one of the table', () => {
    for (const code of [0, FAILURES['owner-died'], 63, 4096])
      expect(() => new FlightFailure(code, 0, 'x')).toThrow(/caller's failure code/);
    expect(new FlightFailure(64, 0, 'x').flightCode).toBe(64);
  });
});
