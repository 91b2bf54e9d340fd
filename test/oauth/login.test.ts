/** Logins by a device code: one for each key, polled as RFC 8628 section 3.5 asks for. */
import { describe, expect, it } from 'vitest';
import { broken, issuer, pending, refusal, tokens } from './fake-issuer.ts';
import { ada, bob, deviceProvider, oauthConfig, Stage, stepOf } from './stage.ts';

const secondsOf = (stage: Stage, path: string): number[] =>
  stage.issuer.callsTo(path).map(({ atMs }) => atMs / 1000);

describe('one login for each key', () => {
  it('B7: starts on two threads make one device code and share its answer', async () => {
    const stage = new Stage();
    const starts = [...stage.brokers, ...stage.brokers].map((broker) => stage.start(broker));
    await stage.pass(0);
    const started = await Promise.all(starts);
    expect(new Set(started.map(({ flow }) => JSON.stringify(flow))).size).toBe(1);
    expect(started.map(({ role }) => role).toSorted()).toEqual(['joiner', 'joiner', 'joiner', 'leader']);
    expect(stage.issuer.callsTo('/device')).toHaveLength(1);
    expect([stage.heard.started, stage.heard.joined]).toEqual([1, 3]);
  });

  it('accounts that are written alike in Unicode are one key', async () => {
    const stage = new Stage();
    const { flow } = await stage.start(stage.first, 'zo\u00eb');
    expect((await stage.start(stage.second, 'zoe\u0308')).flow.id).toBe(flow.id);
  });

  it.each(['', 'a\u0000b', 'x'.repeat(257), 'a\ud800'])('the account %j is refused', async (account) => {
    const stage = new Stage();
    expect(await stage.first.start({ provider: 'idp', account, owner: ada })).toMatchObject({
      code: 'oauth_account_invalid',
    });
    expect(stage.issuer.calls).toEqual([]);
  });

  it('H8: whoever joins from elsewhere gets an id of their own, and neither id serves the other', async () => {
    const stage = new Stage();
    const { flow } = await stage.start();
    const { flow: same, role } = await stage.start(stage.second, 'ada', bob);
    expect([role, same.id === flow.id]).toEqual(['joiner', false]);
    expect(same.details).toEqual(flow.details);
    expect(await stage.stateOf(flow, ada)).toBe('pending');
    expect(await stage.stateOf(same, bob)).toBe('pending');
    expect(await stage.stateOf(flow, bob)).toBe('oauth_flow_unknown');
    expect(await stage.stateOf(same, ada)).toBe('oauth_flow_unknown');
  });

  it('H1: starts against a provider that fails share one call, and later ones make another', async () => {
    const stage = new Stage();
    stage.issuer.always('/device', { status: 503, json: {} });
    const start = () => stage.first.start({ provider: 'idp', account: 'ada', owner: ada });
    const starts = [
      ...Array.from({ length: 19 }, start),
      stage.second.start({ provider: 'idp', account: 'ada', owner: ada }),
    ];
    await stage.pass(0);
    const codes = (await Promise.all(starts)).map((answer) => ('code' in answer ? answer.code : 'started'));
    expect(new Set(codes)).toEqual(new Set(['oauth_provider_unreachable']));
    expect(stage.issuer.callsTo('/device')).toHaveLength(1);
    await stage.pass(1500);
    await start();
    expect(stage.issuer.callsTo('/device')).toHaveLength(2);
  });

  it('H2: an account or caller that starts and cancels has an allowance, and gets it back with time', async () => {
    const stage = new Stage(oauthConfig(deviceProvider, '  limits: { starts: 3, starts_per_minute: 1 }'));
    for (let started = 0; started < 3; started++) {
      const { flow } = await stage.start();
      await stage.first.cancel(flow.id, ada);
      await stage.pass(1000);
    }
    const limited = await stage.first.start({ provider: 'idp', account: 'ada', owner: ada });
    expect(limited).toMatchObject({ code: 'oauth_starts_limited', status: 429 });
    // Of another caller, and on another thread.
    const byAnother = stage.second.start({ provider: 'idp', account: 'ada', owner: bob });
    await stage.pass(0);
    expect(await byAnother).toMatchObject({ code: 'oauth_starts_limited' });
    expect(stage.issuer.callsTo('/device')).toHaveLength(3);
    await stage.pass(61_000);
    expect((await stage.start()).role).toBe('leader');
  });

  it('H9: as many logins may be under way as the configuration says', async () => {
    const stage = new Stage(oauthConfig(deviceProvider, '  limits: { flows: 1 }'));
    await stage.start();
    const second = stage.second.start({ provider: 'idp', account: 'bob', owner: bob });
    await stage.pass(0);
    expect(await second).toMatchObject({ code: 'oauth_flows_full', status: 503 });
    expect(stage.issuer.callsTo('/device')).toHaveLength(1);
  });

  it('I15: no secret of a login lies in shared memory', async () => {
    const stage = new Stage();
    const { flow } = await stage.start();
    const memory = Buffer.from(stage.buffer).toString('latin1');
    expect(memory).toContain(stepOf(flow, 'device').userCode);
    expect(memory).not.toContain('device-secret');
  });

  it.each([
    ['an address that is not https', { verification_uri: 'http://issuer.example/activate' }],
    ['an address that is a script', { verification_uri: 'javascript:alert(1)' }],
    ['a user code with a line end', { user_code: 'A\nB' }],
    ['a user code of 65 characters', { user_code: 'A'.repeat(65) }],
    ['no device code', { device_code: undefined }],
  ])('B6: %s is refused', async (_, wrong) => {
    const stage = new Stage();
    const good = { device_code: 'd', user_code: 'C', verification_uri: `${issuer}/activate`, expires_in: 60 };
    stage.issuer.next('/device', { json: { ...good, ...wrong } });
    const start = stage.first.start({ provider: 'idp', account: 'ada', owner: ada });
    await stage.pass(0);
    expect(await start).toMatchObject({ code: 'oauth_provider_invalid' });
  });
});

describe('the poller', () => {
  it('there is one, and it stores what was granted', async () => {
    const stage = new Stage();
    const { flow } = await stage.start();
    await stage.start(stage.second);
    stage.issuer.next('/token', pending, pending, tokens('a'));
    await stage.pass(60_000);
    expect(secondsOf(stage, '/token')).toEqual([5, 10, 15]);
    expect(await stage.stateOf(flow)).toBe('success');
    expect(stage.stored()).toBe('access-a');
    expect(stage.heard.ended).toEqual([{ provider: 'idp', state: 'success', durationMs: 15_000 }]);
  });

  it('B6: each slow_down adds five seconds for good', async () => {
    const stage = new Stage();
    await stage.start();
    stage.issuer.next('/token', refusal('slow_down'), pending, refusal('slow_down'), pending, tokens('a'));
    await stage.pass(120_000);
    expect(secondsOf(stage, '/token')).toEqual([5, 15, 25, 40, 55]);
  });

  it.each([
    [0, 3],
    [1e9, 60],
    [undefined, 5],
  ])('an interval of %s is one of %i seconds', async (interval, seconds) => {
    const stage = new Stage();
    const code = {
      device_code: 'd',
      user_code: 'C',
      verification_uri: `${issuer}/activate`,
      expires_in: 600,
    };
    stage.issuer.next('/device', {
      json: interval === 0 ? { ...code, interval: 0.5 } : { ...code, interval },
    });
    const { flow } = await stage.start();
    await stage.pass(130_000);
    expect(flow.details?.intervalSeconds).toBe(seconds);
    expect(secondsOf(stage, '/token').slice(0, 2)).toEqual([seconds, 2 * seconds]);
  });

  it('N13: six faults in a row are borne, whatever they are, and an answer begins the count anew', async () => {
    const stage = new Stage();
    const { flow } = await stage.start();
    const faults = [
      broken,
      { status: 502, json: {} },
      broken,
      broken,
      refusal('temporarily_unavailable'),
      broken,
    ] as const;
    stage.issuer.next('/token', ...faults, pending, ...faults, tokens('a'));
    await stage.pass(599_000);
    // Twelve faults with their pauses take longer than this device code lives; the seventh in a row never came.
    expect(stage.heard.calls.filter((call) => call === 'device_token unreachable').length).toBeGreaterThan(6);
    expect(await stage.stateOf(flow)).toMatch(/^(pending|success)$/);
  });

  it('the seventh ends the login', async () => {
    const stage = new Stage();
    const { flow } = await stage.start();
    stage.issuer.always('/token', broken);
    await stage.pass(599_000);
    expect(stage.issuer.callsTo('/token')).toHaveLength(7);
    expect(await stage.second.poll(flow.id, ada)).toMatchObject({
      state: 'error',
      failure: 'provider_unreachable',
    });
  });

  it('Retry-After is honoured', async () => {
    const stage = new Stage();
    await stage.start();
    stage.issuer.next('/token', { status: 429, json: {}, headers: { 'retry-after': '40' } }, tokens('a'));
    await stage.pass(120_000);
    expect(secondsOf(stage, '/token')).toEqual([5, 45]);
  });

  it.each([
    ['access_denied', { state: 'error', failure: 'access_denied' }],
    ['expired_token', { state: 'expired', failure: null }],
    ['invalid_client', { state: 'error', failure: 'provider_refused' }],
  ])('%s ends the login', async (error, end) => {
    const stage = new Stage();
    const { flow } = await stage.start();
    stage.issuer.next('/token', refusal(error));
    await stage.pass(60_000);
    expect(await stage.second.poll(flow.id, ada)).toMatchObject(end);
    expect(stage.issuer.callsTo('/token')).toHaveLength(1);
    expect((await stage.start()).role).toBe('leader');
  });
});
