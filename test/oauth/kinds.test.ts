/** The kinds of logins that no RFC has: a device code with the server's PKCE verifier, and credentials kept by others. */
import { describe, expect, it } from 'vitest';
import { refusal, tokens } from './fake-issuer.ts';
import { ada, oauthConfig, Stage, stepOf } from './stage.ts';

describe('device_pkce', () => {
  const config = oauthConfig(`    codex:
      flow: device_pkce
      issuer: https://issuer.example
      client_id: app_1
      endpoints:
        device_authorization: https://issuer.example/usercode
        device_token: https://issuer.example/device-token
        token: https://issuer.example/token
      redirect_uri: https://issuer.example/deviceauth/callback
      verification_uri: https://issuer.example/codex/device`);
  const codes = { device_auth_id: 'auth-secret', user_code: 'WXYZ-1', interval: '5', expires_in: 900 };
  const start = async (
    reply: unknown = codes,
  ): Promise<Awaited<ReturnType<Stage['start']>> & { stage: Stage }> => {
    const stage = new Stage(config);
    stage.issuer.next('/usercode', { json: reply });
    return { stage, ...(await stage.start(stage.first, 'home', ada, 'codex')) };
  };

  it('asks in JSON, and shows the configured address', async () => {
    const { stage, flow } = await start();
    expect(stepOf(flow, 'device')).toEqual({
      kind: 'device',
      userCode: 'WXYZ-1',
      verificationUri: 'https://issuer.example/codex/device',
      verificationUriComplete: null,
    });
    expect(JSON.parse(stage.issuer.callsTo('/usercode')[0]!.body)).toEqual({ client_id: 'app_1' });
    expect(JSON.stringify(flow)).not.toContain('auth-secret');
  });

  it.each([403, 404])('%i is "not yet"; a code and verifier are exchanged for tokens', async (status) => {
    const { stage, flow } = await start();
    stage.issuer.next(
      '/device-token',
      { status, json: {} },
      { json: { authorization_code: 'code', code_verifier: 'v'.repeat(43) } },
    );
    stage.issuer.always('/token', tokens('a'));
    await stage.pass(11_000);
    expect(stage.issuer.callsTo('/device-token').map(({ body }) => JSON.parse(body) as unknown)).toEqual(
      Array.from({ length: 2 }, () => ({ device_auth_id: 'auth-secret', user_code: 'WXYZ-1' })),
    );
    expect(Object.fromEntries(stage.issuer.callsTo('/token')[0]!.form)).toEqual({
      grant_type: 'authorization_code',
      code: 'code',
      code_verifier: 'v'.repeat(43),
      redirect_uri: 'https://issuer.example/deviceauth/callback',
      client_id: 'app_1',
    });
    expect(await stage.stateOf(flow)).toBe('success');
    expect(stage.stored('home', 'codex')).toBe('access-a');
  });

  it('N13: a fault between approval and exchange costs a pause, not the login', async () => {
    const { stage, flow } = await start();
    stage.issuer.next('/device-token', {
      json: { authorization_code: 'code', code_verifier: 'v'.repeat(43) },
    });
    stage.issuer.next('/token', { status: 503, json: {} }, tokens('a'));
    await stage.pass(20_000);
    expect(await stage.stateOf(flow)).toBe('success');
    expect(stage.issuer.callsTo('/device-token')).toHaveLength(1);
  });

  it.each([
    ['no device_auth_id', { ...codes, device_auth_id: undefined }],
    ['an empty user code', { ...codes, user_code: '' }],
    ['a list', []],
  ])('%s is refused', async (_, reply) => {
    const stage = new Stage(config);
    stage.issuer.next('/usercode', { json: reply });
    const started = stage.first.start({ provider: 'codex', account: 'home', owner: ada });
    await stage.pass(0);
    expect(await started).toMatchObject({ code: 'oauth_provider_invalid' });
  });

  it('any other status ends the login', async () => {
    const { stage, flow } = await start();
    stage.issuer.next('/device-token', refusal('nonsense'));
    await stage.pass(6000);
    expect(await stage.first.poll(flow.id, ada)).toMatchObject({
      state: 'error',
      failure: 'provider_invalid',
    });
  });
});

describe('linked', () => {
  const config = oauthConfig(`    anthropic:
      flow: linked
      aliases: [claude, claude-code]
      linked:
        file: /home-of-user/.claude/.credentials.json
        access_token: [claudeAiOauth, accessToken]
        refresh_token: [claudeAiOauth, refreshToken]
        expires_at: [claudeAiOauth, expiresAt]
        instruction: Run claude login on the host.`);
  const file = '/home-of-user/.claude/.credentials.json';
  const credential = (expiresAt: number, refreshToken?: string): string =>
    JSON.stringify({ claudeAiOauth: { accessToken: 'host-token', refreshToken, expiresAt } });
  const future = Date.UTC(2027, 0, 1);

  it('test 15: a credential that is there is linked at once, and no secret is copied', async () => {
    const stage = new Stage(config);
    stage.files.set(file, credential(future));
    const { flow } = await stage.start(stage.first, 'home', ada, 'claude-code');
    expect(flow).toMatchObject({ state: 'success', details: { provider: 'anthropic' } });
    expect(JSON.stringify([...stage.shelf.kept.values()].map((kept) => kept.credential))).not.toContain(
      'host-token',
    );
    expect(await stage.second.credential('anthropic', 'home')).toEqual({
      value: 'host-token',
      expiresAtMs: future,
    });
  });

  it('H3: concurrent starts with a credential present link once', async () => {
    const stage = new Stage(config);
    stage.files.set(file, credential(future));
    const starts = Array.from({ length: 500 }, (_, index) =>
      stage.brokers[index % 2]!.start({ provider: 'anthropic', account: 'home', owner: ada }),
    );
    await stage.pass(0);
    const ids = new Set(
      (await Promise.all(starts)).map((answer) => ('code' in answer ? '' : answer.flow.id)),
    );
    expect(ids.size).toBe(1);
    expect(stage.shelf.written).toHaveLength(1);
  });

  it('tests 1, 2, 16: without one the user is told what to do, and the login ends when it is there', async () => {
    const stage = new Stage(config);
    const { flow } = await stage.start(stage.first, 'home', ada, 'claude');
    const again = await stage.start(stage.second, 'home', ada, 'anthropic');
    expect([again.flow.id, again.role]).toEqual([flow.id, 'joiner']);
    expect(stepOf(flow, 'linked').instruction).toBe('Run claude login on the host.');
    stage.files.set(file, '{ "claudeAiOauth": null }');
    await stage.pass(6000);
    expect(await stage.stateOf(flow)).toBe('pending');
    stage.files.set(file, credential(0, 'renewable'));
    await stage.pass(6000);
    expect(await stage.stateOf(flow)).toBe('success');
  });

  it('one that has expired and cannot be renewed by its keeper is no credential', async () => {
    const stage = new Stage(config);
    stage.files.set(file, credential(0));
    const { flow } = await stage.start(stage.first, 'home', ada, 'anthropic');
    await stage.pass(6000);
    expect(await stage.stateOf(flow)).toBe('pending');
    expect(await stage.first.credential('anthropic', 'home')).toMatchObject({ code: 'credential_absent' });
  });
});
