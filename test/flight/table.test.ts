import { beforeEach, describe, expect, it } from 'vitest';
import { FAILURES } from '../../gateway/flight/failure.ts';
import type { FlightTable } from '../../gateway/flight/table.ts';
import { FlightFailure } from '../../gateway/flight/work.ts';
import type { Work } from '../../gateway/flight/work.ts';
import { settled } from './hand-timers.ts';
import type { HandTimers } from './hand-timers.ts';
import { TERMS } from './play.ts';
import { KEY, OPTIONS, provider, twins } from './twins.ts';

let timers: HandTimers;
let first: FlightTable;
let second: FlightTable;

beforeEach(() => {
  ({ timers, first, second } = twins());
});

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
