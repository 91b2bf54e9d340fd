/** How logins end: cancelled before and during storage, expired in spite of a late success, and readable afterwards. */
import { describe, expect, it } from 'vitest';
import { pending, tokens } from './fake-issuer.ts';
import type { PlainStore } from './plain-store.ts';
import { ada, Stage } from './stage.ts';

/** Makes the writes of a store wait at one place. `reached` resolves there, `go` lets them go on. */
function gate(
  store: PlainStore,
  place: 'beforeWrite' | 'afterWrite',
): { reached: Promise<void>; go: () => void } {
  let go = (): void => {};
  let arrive = (): void => {};
  const opened = new Promise<void>((resolve) => (go = resolve));
  const reached = new Promise<void>((resolve) => (arrive = resolve));
  store[place] = () => {
    arrive();
    return opened;
  };
  return { reached, go };
}

describe('a cancel', () => {
  it('H2: on another thread stops the poller at once, and nothing is stored', async () => {
    const stage = new Stage();
    const { flow } = await stage.start();
    await stage.pass(6000);
    expect(stage.issuer.callsTo('/token')).toHaveLength(1);
    expect(await stage.second.cancel(flow.id, ada)).toMatchObject({ state: 'cancelled' });
    stage.issuer.always('/token', tokens('late'));
    await stage.pass(60_000);
    expect(stage.issuer.callsTo('/token')).toHaveLength(1);
    expect(stage.shelf.written).toEqual([]);
    expect(stage.heard.ended).toMatchObject([{ state: 'cancelled' }]);
  });

  it('test 11: during a poll that is about to be granted leaves nothing behind', async () => {
    const stage = new Stage();
    const { flow } = await stage.start();
    stage.issuer.next('/token', tokens('late'));
    const answer = stage.issuer.hold('/token');
    await stage.pass(5000);
    expect(await stage.second.cancel(flow.id, ada)).toMatchObject({ state: 'cancelled' });
    answer();
    await stage.pass(60_000);
    expect(await stage.stateOf(flow)).toBe('cancelled');
    expect(stage.shelf.written).toEqual([]);
  });

  it.each(['beforeWrite', 'afterWrite'] as const)(
    'H5: during storage (%s) takes the credential back, and is told so',
    async (place) => {
      const stage = new Stage();
      const { reached, go } = gate(stage.stores[0]!, place);
      const { flow } = await stage.start();
      stage.issuer.next('/token', tokens('unwanted'));
      await stage.pass(5000);
      await reached;
      const cancelling = stage.second.cancel(flow.id, ada);
      await stage.pass(0);
      go();
      await stage.pass(2000);
      expect(await cancelling).toMatchObject({ state: 'cancelled' });
      expect(await stage.stateOf(flow)).toBe('cancelled');
      expect(stage.stored()).toBeNull();
      expect(stage.heard.ended).toMatchObject([{ state: 'cancelled' }]);
    },
  );

  it('H5: during storage puts back what was stored before', async () => {
    const stage = new Stage();
    await stage.start();
    stage.issuer.next('/token', tokens('first'));
    await stage.pass(10_000);
    expect(stage.stored()).toBe('access-first');
    const { reached, go } = gate(stage.stores[0]!, 'afterWrite');
    const { flow } = await stage.start();
    stage.issuer.next('/token', tokens('second'));
    await stage.pass(5000);
    await reached;
    const cancelling = stage.first.cancel(flow.id, ada);
    await stage.pass(0);
    go();
    await stage.pass(2000);
    expect(await cancelling).toMatchObject({ state: 'cancelled' });
    expect(stage.stored()).toBe('access-first');
  });

  it('of a login that ended answers how it ended', async () => {
    const stage = new Stage();
    const { flow } = await stage.start();
    stage.issuer.next('/token', tokens('a'));
    await stage.pass(5000);
    expect(await stage.second.cancel(flow.id, ada)).toMatchObject({ state: 'success' });
    expect(stage.stored()).toBe('access-a');
  });

  it.each(['', 'x', '0'.repeat(32), 'A'.repeat(32)])('of %j is of nothing', async (id) => {
    const stage = new Stage();
    expect(await stage.first.cancel(id, ada)).toMatchObject({ code: 'oauth_flow_unknown', status: 404 });
  });

  it('frees the key for the next login', async () => {
    const stage = new Stage();
    const { flow } = await stage.start();
    await stage.first.cancel(flow.id, ada);
    const next = await stage.start(stage.second);
    expect([next.role, next.flow.id === flow.id]).toEqual(['leader', false]);
    expect(await stage.stateOf(flow)).toBe('cancelled');
  });
});

describe('expiry', () => {
  it('test 12: comes with the code of the provider, and the poller stops', async () => {
    const stage = new Stage();
    const { flow } = await stage.start();
    await stage.pass(599_000);
    expect(await stage.stateOf(flow)).toBe('pending');
    const calls = stage.issuer.callsTo('/token').length;
    await stage.pass(2000);
    expect(await stage.stateOf(flow)).toBe('expired');
    await stage.pass(60_000);
    expect(stage.issuer.callsTo('/token')).toHaveLength(calls);
    expect(stage.heard.ended).toMatchObject([{ state: 'expired' }]);
  });

  it('comes after 900 seconds, whatever the provider promises', async () => {
    const stage = new Stage();
    const code = { device_code: 'd', user_code: 'C', verification_uri: 'https://issuer.example/a' };
    stage.issuer.next('/device', { json: { ...code, expires_in: 86_400 } });
    const { flow } = await stage.start();
    await stage.pass(899_000);
    expect(await stage.stateOf(flow)).toBe('pending');
    await stage.pass(2000);
    expect(await stage.stateOf(flow)).toBe('expired');
  });

  it('wins over a success that comes late', async () => {
    const stage = new Stage();
    const { flow } = await stage.start();
    stage.issuer.always('/token', pending);
    await stage.pass(594_000);
    stage.issuer.always('/token', tokens('late'));
    const answer = stage.issuer.hold('/token');
    await stage.pass(8000);
    answer();
    await stage.pass(60_000);
    expect(await stage.stateOf(flow)).toBe('expired');
    expect(stage.shelf.written).toEqual([]);
  });

  it.each([
    ['success', (stage: Stage) => stage.issuer.next('/token', tokens('a'))],
    ['expired', () => {}],
    [
      'error',
      (stage: Stage) => stage.issuer.next('/token', { status: 400, json: { error: 'access_denied' } }),
    ],
  ] as const)(
    'H4: a login that ended as %s is told for 300 seconds, and then is unknown',
    async (end, prepare) => {
      const stage = new Stage();
      const { flow } = await stage.start();
      prepare(stage);
      await stage.pass(end === 'expired' ? 601_000 : 5250);
      expect(await stage.stateOf(flow)).toBe(end);
      await stage.pass(295_000);
      expect(await stage.stateOf(flow)).toBe(end);
      // The next login of the key does not hide it either.
      await stage.start();
      expect(await stage.stateOf(flow)).toBe(end);
      await stage.pass(6000);
      expect(await stage.stateOf(flow)).toBe('oauth_flow_unknown');
    },
  );
});

describe('a watcher', () => {
  it('is told at once when the login ends, on whichever thread', async () => {
    const stage = new Stage();
    const { flow } = await stage.start();
    const watching = stage.second.watch(flow.id, ada, 30_000);
    stage.issuer.next('/token', tokens('a'));
    await stage.pass(5000);
    expect(await watching).toMatchObject({ state: 'success' });
    expect(stage.heard.waiting).toBe(0);
  });

  it('is told that nothing happened when its time is over', async () => {
    const stage = new Stage();
    const { flow } = await stage.start();
    const watching = stage.second.watch(flow.id, ada, 12_000);
    await stage.pass(13_000);
    expect(await watching).toMatchObject({ state: 'pending' });
    expect(stage.heard.waiting).toBe(0);
  });
});

describe('a store that fails', () => {
  it('ends the login as failed, and the next one may succeed', async () => {
    const stage = new Stage();
    stage.stores[0]!.beforeWrite = () => Promise.reject(new Error('ENOSPC'));
    const { flow } = await stage.start();
    stage.issuer.always('/token', tokens('a'));
    await stage.pass(6000);
    expect(await stage.second.poll(flow.id, ada)).toMatchObject({ state: 'error', failure: 'store_failed' });
    expect(stage.heard.storeErrors).toBe(1);
    await stage.start(stage.second);
    await stage.pass(6000);
    expect(stage.stored()).toBe('access-a');
  });
});
