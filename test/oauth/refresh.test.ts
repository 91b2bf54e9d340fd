/** Credentials that requests use: renewed once, before they expire, and stored before anybody uses what was granted. */
import { describe, expect, it } from 'vitest';
import type { AccessToken } from '../../gateway/oauth/credentials.ts';
import type { Broker } from '../../gateway/oauth/broker.ts';
import { broken, refusal, tokens } from './fake-issuer.ts';
import { ada, bob, Stage } from './stage.ts';

/** A stage on which `ada` has logged in, with an access token for so many seconds. */
async function loggedIn(seconds: number): Promise<Stage> {
  const stage = new Stage();
  await stage.start();
  stage.issuer.next('/token', tokens('0', seconds));
  await stage.pass(5000);
  return stage;
}

const use = (broker: Broker): Promise<string> =>
  broker.credential('idp', 'ada').then((answer) => ('code' in answer ? answer.code : answer.value));

const refreshTokensSent = (stage: Stage): (string | null)[] =>
  stage.issuer.callsTo('/token').flatMap(({ form }) => form.getAll('refresh_token'));

describe('a credential', () => {
  it('is given out as it is while it is fresh', async () => {
    const stage = await loggedIn(3600);
    const answer = (await stage.second.credential('idp', 'ada')) as AccessToken;
    expect(answer.value).toBe('access-0');
    expect(answer.expiresAtMs).toBe(Date.UTC(2026, 0, 1) + 5_000 + 3_600_000);
    expect(refreshTokensSent(stage)).toEqual([]);
  });

  it('that nobody stored is refused', async () => {
    const stage = new Stage();
    expect(await use(stage.first)).toBe('credential_absent');
    expect(await stage.first.credential('other', 'ada')).toMatchObject({ code: 'oauth_provider_unknown' });
  });

  it('B8: is renewed by one refresh for all requests of all threads', async () => {
    const stage = await loggedIn(3600);
    await stage.pass(3_600_000);
    stage.issuer.always('/token', tokens('1'));
    const answer = stage.issuer.hold('/token');
    const uses = Array.from({ length: 100 }, (_, index) => use(stage.brokers[index % 2]!));
    await stage.pass(1000);
    answer();
    await stage.pass(1000);
    expect(new Set(await Promise.all(uses))).toEqual(new Set(['access-1']));
    expect(refreshTokensSent(stage)).toEqual(['refresh-0']);
    expect(stage.heard.refreshed.filter((role) => role === 'led ok')).toHaveLength(1);
    expect(stage.heard.waiting).toBe(0);
  });

  it('is renewed ahead of its expiry, while the old token still serves', async () => {
    const stage = await loggedIn(3600);
    await stage.pass(3_600_000 - 55_000);
    stage.issuer.always('/token', tokens('1'));
    expect(await use(stage.first)).toBe('access-0');
    await stage.pass(1000);
    expect(await use(stage.first)).toBe('access-1');
    expect(await use(stage.second)).toBe('access-1');
    expect(refreshTokensSent(stage)).toEqual(['refresh-0']);
  });

  it('lets a thread that ends wait for the refresh it leads', async () => {
    const stage = await loggedIn(3600);
    await stage.first.quiet();
    await stage.pass(3_600_000 - 55_000);
    stage.issuer.always('/token', tokens('1'));
    const answer = stage.issuer.hold('/token');
    expect(await use(stage.first)).toBe('access-0');
    let isQuiet = false;
    void stage.first.quiet().then(() => (isQuiet = true));
    await stage.pass(5000);
    expect(isQuiet).toBe(false);
    answer();
    await stage.pass(1000);
    expect([isQuiet, stage.stored()]).toEqual([true, 'access-1']);
  });

  it('that lives shorter than the margin is not renewed with every request', async () => {
    const stage = await loggedIn(40);
    expect([await use(stage.first), await use(stage.second)]).toEqual(['access-0', 'access-0']);
    await stage.pass(1000);
    expect(refreshTokensSent(stage)).toEqual([]);
  });

  it('is not renewed again by a thread that remembers it as it was', async () => {
    const stage = await loggedIn(3600);
    await stage.pass(3_600_000 - 61_000);
    expect(await use(stage.second)).toBe('access-0');
    stage.isDeaf = true;
    await stage.pass(2000);
    stage.issuer.always('/token', tokens('1'));
    void use(stage.first);
    await stage.pass(1000);
    // It knows no better, and learns in the flight that there is nothing left to do.
    await use(stage.second);
    await stage.pass(1000);
    expect(await use(stage.second)).toBe('access-1');
    expect(refreshTokensSent(stage)).toEqual(['refresh-0']);
  });

  it('is renewed with the latest refresh token each time', async () => {
    const stage = await loggedIn(3600);
    for (const generation of [1, 2, 3]) {
      await stage.pass(3_600_000);
      stage.issuer.always('/token', tokens(String(generation)));
      const used = use(stage.brokers[generation % 2]!);
      await stage.pass(1000);
      expect(await used).toBe(`access-${generation}`);
    }
    expect(refreshTokensSent(stage)).toEqual(['refresh-0', 'refresh-1', 'refresh-2']);
  });

  it('a provider that takes longer than a lease is still asked once', async () => {
    const stage = await loggedIn(3600);
    await stage.pass(3_600_000);
    stage.issuer.always('/token', tokens('1'));
    const answer = stage.issuer.hold('/token');
    const uses = [use(stage.first), use(stage.second)];
    // Leases are renewed every eight seconds.
    await stage.pass(9500);
    answer();
    await stage.pass(1000);
    expect(await Promise.all(uses)).toEqual(['access-1', 'access-1']);
    expect(refreshTokensSent(stage)).toEqual(['refresh-0']);
  });

  it('the rotated refresh token is stored before the new access token is used', async () => {
    const stage = await loggedIn(3600);
    await stage.pass(3_600_000);
    stage.issuer.always('/token', tokens('1'));
    let go = (): void => {};
    for (const store of stage.stores) store.beforeWrite = () => new Promise((resolve) => (go = resolve));
    let used = '';
    void use(stage.first).then((answer) => (used = answer));
    await stage.pass(2000);
    expect([used, stage.stored()]).toEqual(['', 'access-0']);
    go();
    await stage.pass(1000);
    expect([used, stage.stored()]).toEqual(['access-1', 'access-1']);
  });

  it('tokens that the store did not take are stored by the next refresh, whichever thread leads it', async () => {
    const stage = await loggedIn(3600);
    await stage.pass(3_600_000);
    stage.issuer.always('/token', tokens('1'));
    stage.stores[0]!.beforeWrite = () => Promise.reject(new Error('ENOSPC'));
    const failed = use(stage.first);
    await stage.pass(100);
    expect([await failed, stage.stored()]).toEqual(['credential_unavailable', 'access-0']);
    await stage.pass(2000);
    const used = use(stage.second);
    await stage.pass(1000);
    expect([await used, stage.stored()]).toEqual(['access-1', 'access-1']);
    expect(refreshTokensSent(stage)).toEqual(['refresh-0']);
  });

  it('a refresh that was refused is remembered, on every thread and in the store', async () => {
    const stage = await loggedIn(3600);
    await stage.pass(3_600_000);
    stage.issuer.always('/token', refusal('invalid_grant'));
    for (let round = 0; round < 3; round++) {
      const uses = stage.brokers.map(use);
      await stage.pass(60_000);
      expect(await Promise.all(uses)).toEqual(['credential_refused', 'credential_refused']);
    }
    expect(refreshTokensSent(stage)).toEqual(['refresh-0']);
    const listed = await stage.second.list('ada', ada);
    expect(listed).toMatchObject([{ provider: 'idp', credential: 'ended' }]);
  });

  it('a new login heals what was refused', async () => {
    const stage = await loggedIn(3600);
    await stage.pass(3_600_000);
    stage.issuer.always('/token', refusal('invalid_grant'));
    const used = use(stage.first);
    await stage.pass(1000);
    await used;
    stage.issuer.always('/token', tokens('new'));
    await stage.start();
    await stage.pass(6000);
    expect(await Promise.all(stage.brokers.map(use))).toEqual(['access-new', 'access-new']);
  });

  it('a fault that passes is no storm: one refresh, a pause, and another', async () => {
    const stage = await loggedIn(3600);
    await stage.pass(3_600_000);
    stage.issuer.always('/token', broken);
    for (let round = 0; round < 10; round++) {
      const uses = stage.brokers.map(use);
      await stage.pass(100);
      expect(new Set(await Promise.all(uses))).toEqual(new Set(['credential_unavailable']));
    }
    expect(refreshTokensSent(stage)).toEqual(['refresh-0']);
    await stage.pass(3000);
    stage.issuer.always('/token', tokens('1'));
    const uses = stage.brokers.map(use);
    await stage.pass(1000);
    expect(await Promise.all(uses)).toEqual(['access-1', 'access-1']);
  });

  it('a fault before the expiry costs nobody anything', async () => {
    const stage = await loggedIn(3600);
    stage.issuer.always('/token', broken);
    await stage.pass(3_600_000 - 7000);
    const used = use(stage.first);
    await stage.pass(1000);
    expect(await used).toBe('access-0');
  });

  it('a login that ends during a refresh is not overwritten by it', async () => {
    const stage = await loggedIn(3600);
    await stage.pass(3_600_000);
    stage.issuer.next('/token', tokens('old-renewed'));
    const answer = stage.issuer.hold('/token');
    const used = use(stage.second);
    await stage.pass(100);
    answer();
    let go = (): void => {};
    stage.stores[1]!.beforeWrite = () => new Promise((resolve) => (go = resolve));
    await stage.start();
    stage.issuer.next('/token', tokens('new-login'));
    await stage.pass(6000);
    expect(stage.stored()).toBe('access-new-login');
    go();
    await stage.pass(2000);
    expect(stage.stored()).toBe('access-new-login');
    await used;
    expect(await use(stage.second)).toBe('access-new-login');
  });

  it('is forgotten on all threads at once', async () => {
    const stage = await loggedIn(3600);
    expect(await Promise.all(stage.brokers.map(use))).toEqual(['access-0', 'access-0']);
    expect(await stage.first.forget('idp', 'ada')).toBe(true);
    await stage.pass(0);
    expect(await Promise.all(stage.brokers.map(use))).toEqual(['credential_absent', 'credential_absent']);
    expect(await stage.first.forget('idp', 'ada')).toBe(false);
  });

  it('a refresh that ends after the credential was forgotten does not bring it back', async () => {
    const stage = await loggedIn(3600);
    await stage.pass(3_600_000);
    stage.issuer.always('/token', tokens('1'));
    const answer = stage.issuer.hold('/token');
    const used = use(stage.first);
    await stage.pass(100);
    await stage.second.forget('idp', 'ada');
    answer();
    await stage.pass(2000);
    expect(await used).toBe('credential_unavailable');
    expect(stage.stored()).toBeNull();
  });
});

describe('the list', () => {
  it('tells of each provider what the account has there, and its flow under the id of who asks', async () => {
    const stage = await loggedIn(3600);
    expect(await stage.second.list('bob', bob)).toEqual([
      { provider: 'idp', kind: 'device', credential: 'none', expiresAtMs: null, flow: null },
    ]);
    const { flow } = await stage.start(stage.first, 'ada');
    expect(await stage.second.list('ada', ada)).toMatchObject([
      { provider: 'idp', kind: 'device', credential: 'valid', flow: { id: flow.id, state: 'pending' } },
    ]);
  });
});
