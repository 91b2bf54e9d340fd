import { expect, it } from 'vitest';
import { settled } from './hand-timers.ts';
import { KEY, OPTIONS, provider, twins } from './twins.ts';

function listed<T>(work: Generator<void, T>): T {
  for (;;) {
    const step = work.next();
    if (step.done === true) return step.value;
  }
}

it('a listing has flights of all threads with what joiners are shown, those under way first', async () => {
  const { first, second } = twins();
  expect(listed(first.list(10))).toEqual({ rows: [], leftOut: 0 });
  const [begun, pending] = [provider(), provider()];
  const start = first.start(KEY, pending.work, OPTIONS);
  void second.start({ ...KEY, account: 'other' }, begun.work, OPTIONS);
  await settled();
  pending.release();
  const answer = await start;
  const { rows } = listed(second.list(10));
  expect(rows.map(({ state }) => state).toSorted()).toEqual(['pending', 'reserved']);
  const row = rows.find(({ state }) => state === 'pending')!;
  expect(Buffer.from(row.payload!).toString()).toBe('WXYZ-1234');
  expect(row.key).toMatch(/^[0-9a-f]{8}$/);
  expect(row.expiresInMs).toBeGreaterThan(0);
  expect(rows.find(({ state }) => state === 'reserved')!.payload).toBeNull();
  await first.cancel(answer.kind === 'flow' ? answer.flowId : '');
  const after = listed(first.list(10)).rows;
  expect(after.map(({ state }) => state)).toEqual(['reserved', 'cancelled']);
  expect(after[1]!.expiresInMs).toBe(0);
  const short = listed(first.list(1));
  expect(short.rows.map(({ state }) => state)).toEqual(['reserved']);
  expect(short.leftOut).toBe(1);
});
