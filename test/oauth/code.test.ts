/** Logins in the browser: authorization code with PKCE, bound to the browser that began (RFC 9700). */
import { createHash } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { issuer, tokens } from './fake-issuer.ts';
import { ada, bob, oauthConfig, Stage, stepOf } from './stage.ts';

const config = oauthConfig(
  `    idp: { issuer: '${issuer}', client_id: cli, flow: code, scopes: [orders], redirect_uri: 'https://gw.example/login/callback', parameters: { prompt: consent } }`,
);

async function begun(): Promise<{ stage: Stage; flowId: string; address: URL }> {
  const stage = new Stage(config);
  const { flow } = await stage.start();
  return { stage, flowId: flow.id, address: new URL(stepOf(flow, 'code').authorizationUri) };
}

function answerTo(address: URL, more: Readonly<Record<string, string>> = {}): URLSearchParams {
  const state = address.searchParams.get('state')!;
  return new URLSearchParams({ code: 'good', state, iss: issuer, ...more });
}

describe('the authorization request', () => {
  it('B1, B2: asks for a code with PKCE S256 and a state', async () => {
    const { address } = await begun();
    expect(address.origin + address.pathname).toBe(`${issuer}/authorize`);
    expect(Object.fromEntries(address.searchParams)).toEqual({
      prompt: 'consent',
      scope: 'orders',
      response_type: 'code',
      client_id: 'cli',
      redirect_uri: 'https://gw.example/login/callback',
      code_challenge: expect.stringMatching(/^[\w-]{43}$/) as string,
      code_challenge_method: 'S256',
      state: expect.stringMatching(/^[0-9a-f]{32}$/) as string,
    });
  });

  it('has a nonce where an ID token will come', async () => {
    const openid = oauthConfig(
      `    idp: { issuer: '${issuer}', client_id: cli, flow: code, scopes: [openid], redirect_uri: 'https://gw.example/cb' }`,
    );
    const stage = new Stage(openid);
    const { flow } = await stage.start();
    const address = new URL(stepOf(flow, 'code').authorizationUri);
    expect(address.searchParams.get('nonce')).toMatch(/^[\w-]{43}$/);
    // An answer without an ID token is then no answer.
    stage.issuer.always('/token', tokens('a'));
    const ending = stage.first.callback(answerTo(address), ada);
    await stage.pass(5000);
    expect(await ending).toMatchObject({ state: 'error', failure: 'provider_invalid' });
  });

  it('B2: each browser that joins is sent off with a state of its own', async () => {
    const { stage, address } = await begun();
    const { flow } = await stage.start(stage.second, 'ada', bob);
    const other = new URL(stepOf(flow, 'code').authorizationUri);
    expect(other.searchParams.get('state')).not.toBe(address.searchParams.get('state'));
    other.searchParams.set('state', address.searchParams.get('state')!);
    expect(other.href).toBe(address.href);
  });
});

describe('the callback', () => {
  it('may come to any thread; its code is exchanged once, with the verifier of the challenge', async () => {
    const { stage, flowId, address } = await begun();
    stage.issuer.always('/token', tokens('a'));
    const both = [
      stage.second.callback(answerTo(address), ada),
      stage.first.callback(answerTo(address), ada),
    ];
    await stage.pass(1000);
    expect(await Promise.all(both)).toMatchObject([
      { id: flowId, state: 'success' },
      { id: flowId, state: 'success' },
    ]);
    const [exchange, ...more] = stage.issuer.callsTo('/token');
    expect(more).toEqual([]);
    const verifier = exchange!.form.get('code_verifier')!;
    expect(createHash('sha256').update(verifier).digest('base64url')).toBe(
      address.searchParams.get('code_challenge'),
    );
    expect(exchange!.form.get('code')).toBe('good');
    expect(stage.stored()).toBe('access-a');
  });

  it('B5: the first code counts, whatever comes after it', async () => {
    const { stage, address } = await begun();
    stage.issuer.always('/token', tokens('a'));
    const both = [
      stage.first.callback(answerTo(address), ada),
      stage.first.callback(answerTo(address, { code: 'injected' }), ada),
    ];
    await stage.pass(1000);
    await Promise.all(both);
    expect(stage.issuer.callsTo('/token').map(({ form }) => form.get('code'))).toEqual(['good']);
  });

  it('B5: a second one, after the end, is refused', async () => {
    const { stage, address } = await begun();
    stage.issuer.always('/token', tokens('a'));
    void stage.first.callback(answerTo(address), ada);
    await stage.pass(1000);
    expect(await stage.second.callback(answerTo(address), ada)).toMatchObject({
      code: 'oauth_callback_used',
    });
    expect(stage.issuer.callsTo('/token')).toHaveLength(1);
  });

  it.each([
    ['of another browser', (answer: URLSearchParams) => answer, bob],
    ['without a state', (answer: URLSearchParams) => (answer.delete('state'), answer), ada],
    ['with two states', (answer: URLSearchParams) => (answer.append('state', 'x'), answer), ada],
    ['with a made-up state', (answer: URLSearchParams) => (answer.set('state', '0'.repeat(32)), answer), ada],
    [
      'with a flow id for a state',
      (answer: URLSearchParams, id: string) => (answer.set('state', id), answer),
      ada,
    ],
    ['of 9 KiB', (answer: URLSearchParams) => (answer.set('code', 'x'.repeat(9000)), answer), ada],
  ] as const)('B2: an answer %s does not touch the login', async (_, spoil, owner) => {
    const { stage, flowId, address } = await begun();
    const answer = await stage.first.callback(spoil(answerTo(address), flowId), owner);
    expect(answer).toMatchObject({ code: 'oauth_callback_invalid', status: 400 });
    await stage.pass(5000);
    expect(stage.issuer.callsTo('/token')).toEqual([]);
    expect(await stage.first.poll(flowId, ada)).toMatchObject({ state: 'pending' });
  });

  it.each([
    ['B4: from another issuer', { iss: 'https://evil.example' }, 'callback_invalid'],
    ['B4: that does not say its issuer', { iss: '' }, 'callback_invalid'],
    ['that is a denial', { error: 'access_denied' }, 'access_denied'],
    ['that is a refusal', { error: 'invalid_scope' }, 'provider_refused'],
  ])('an answer %s ends the login without an exchange', async (_, more, failure) => {
    const { stage, address } = await begun();
    const ending = stage.second.callback(answerTo(address, more), ada);
    await stage.pass(2000);
    expect(await ending).toMatchObject({ state: 'error', failure });
    expect(stage.issuer.callsTo('/token')).toEqual([]);
  });
});
