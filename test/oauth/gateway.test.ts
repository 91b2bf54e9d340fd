/**
 * The built gateway with several listener threads, against a real provider in a process of its own: what must happen once
 * happens once, however many ask.
 */
import { createHmac, randomBytes } from 'node:crypto';
import { Agent, request } from 'node:http';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { makeRingEntry } from '../../gateway/oauth/store/key-ring.ts';
import { Backend } from '../support/backend.ts';
import { startProvider, type TestProvider } from '../support/provider.ts';
import { startGateway, type TestGateway } from '../support/gateway.ts';
import { until } from '../support/until.ts';
import { type LoginProvider, startLoginProvider } from './login-provider.ts';

interface FlowAnswer {
  readonly status: number;
  readonly body: Readonly<Record<string, unknown>>;
}

let provider: LoginProvider;
/** Whose tokens callers have. */
let callers: TestProvider;
let backend: Backend;
let gateway: TestGateway;
/** A connection for each request, so that the system spreads them over all listener threads. */
const agent = new Agent({ keepAlive: false, maxSockets: Infinity });

const otherKey = 'k'.repeat(32);

/** A token of the issuer `other`. */
function otherToken(subject: string): string {
  const part = (value: unknown): string => Buffer.from(JSON.stringify(value)).toString('base64url');
  const claims = { iss: 'other', aud: 'orders', sub: subject, exp: Math.floor(Date.now() / 1000) + 600 };
  const signed = `${part({ alg: 'HS256', typ: 'JWT' })}.${part(claims)}`;
  return `${signed}.${createHmac('sha256', otherKey).update(signed).digest('base64url')}`;
}

const newSession = (): string => `sallyport=${randomBytes(16).toString('base64url')}`;

function ask(method: string, path: string, cookie: string, body: unknown = null): Promise<FlowAnswer> {
  return new Promise((resolve, reject) => {
    const headers = { cookie, ...(body === null ? {} : { 'content-type': 'application/json' }) };
    const outgoing = request(gateway.url + path, { method, agent, headers }, (response) => {
      let text = '';
      response.setEncoding('utf8');
      response.on('data', (chunk: string) => (text += chunk));
      response.on('end', () => {
        const isJson = (response.headers['content-type'] ?? '').includes('json');
        resolve({
          status: response.statusCode!,
          body: isJson ? (JSON.parse(text) as FlowAnswer['body']) : { text },
        });
      });
      response.on('error', reject);
    });
    outgoing.on('error', reject);
    outgoing.end(body === null ? '' : JSON.stringify(body));
  });
}

const start = (account: string, cookie: string): Promise<FlowAnswer> =>
  ask('POST', `/login/${account}/start`, cookie, { provider: 'idp' });

async function logIn(account: string): Promise<void> {
  const cookie = newSession();
  const { body } = await start(account, cookie);
  await provider.approve(String(body['user_code']));
  await until('the login succeeds', async () => {
    const flow = await ask('GET', `/login/${account}/flows/${String(body['flow_id'])}?wait=10`, cookie);
    return flow.body['status'] === 'success';
  });
}

const accounts = ['burst', 'refreshed', 'refused', 'gone'];

beforeAll(async () => {
  [provider, callers, backend] = await Promise.all([
    startLoginProvider(),
    startProvider({ audience: 'orders', clients: { ada: ['use'], bob: ['use'] } }),
    Backend.start(),
  ]);
  const routes = accounts.map(
    (account) => `
  - { prefix: /login/${account}, public: true, oauth: { serve: json, account: ${account} } }
  - { prefix: /use/${account}, public: true, upstream: api, credential: { provider: idp, account: ${account} } }`,
  );
  gateway = await startGateway(
    `version: 1
listener: { host: 127.0.0.1, port: 0, threads: 3 }
admin: { host: 127.0.0.1, port: 0 }
verifier: { threads: 1 }
issuers:
  main: { issuer: '${callers.issuer}', audiences: [orders], algorithms: [RS256], keys: { discovery: true } }
  other: { issuer: other, audiences: [orders], algorithms: [HS256], keys: { secret_env: OTHER_KEY } }
upstreams: { api: { urls: ['http://127.0.0.1:${backend.port}'] } }
oauth:
  store: { file: ./credentials, key_env: RING }
  limits: { starts: 1000, starts_per_minute: 1000 }
  providers:
    idp: { issuer: '${provider.issuer}', client_id: cli, flow: device, scopes: [openid, offline_access], timeout_ms: 20000 }
routes:${routes.join('')}
  # The account of a token of this issuer, by its name.
  - { prefix: /login/ada, public: true, oauth: { serve: json, account: main/ada } }
  - { prefix: /login/namesake, issuer: other, oauth: { serve: json } }
  - { prefix: /mine, issuer: main, upstream: api, credential: { provider: idp } }
  - { prefix: /namesake, issuers: [main, other], upstream: api, credential: { provider: idp } }
  - { prefix: /ours, issuer: main, upstream: api, credential: { provider: idp, account: { claim: client_id } } }
  - { prefix: /theirs, issuer: main, upstream: api, credential: { provider: idp, account: { claim: team } } }
`,
    { env: { RING: makeRingEntry(Date.now()), OTHER_KEY: otherKey } },
  );
}, 60_000);

afterAll(async () => {
  await gateway?.stop();
  await Promise.all([provider?.stop(), callers?.stop(), backend?.close()]);
});

describe('logins', () => {
  it('B7: 500 concurrent starts of one key over all threads make one device code, one poller and one answer', async () => {
    const cookie = newSession();
    const answers = await Promise.all(Array.from({ length: 500 }, () => start('burst', cookie)));
    expect(new Set(answers.map(({ status }) => status))).toEqual(new Set([200]));
    const flows = new Set(answers.map(({ body }) => body['flow_id']));
    const codes = new Set(answers.map(({ body }) => body['user_code']));
    expect([flows.size, codes.size]).toEqual([1, 1]);
    expect(answers.filter(({ body }) => body['role'] === 'leader')).toHaveLength(1);
    const before = await provider.state();
    expect(before.counts['/device/auth']).toBe(1);

    await provider.approve(String([...codes][0]));
    await until('it succeeds', async () => {
      const { body } = await ask('GET', `/login/burst/flows/${String([...flows][0])}?wait=10`, cookie);
      return body['status'] === 'success';
    });
    // One poller asks once: after its five seconds, when the user is done.
    expect((await provider.state()).grants['urn:ietf:params:oauth:grant-type:device_code']).toBe(1);
    expect(await gateway.metric('sallyport_oauth_flows_started_total', 'provider="idp"')).toBe(1);
    expect(await gateway.metric('sallyport_oauth_flows_joined_total', 'provider="idp"')).toBe(499);
    // What an operator compares: keys of logins, flights that were begun, requests that made a login.
    expect(await gateway.metric('sallyport_flight_keys', '')).toBe(1);
    expect(await gateway.metric('sallyport_flight_claims_total', '')).toBe(1);
    expect(await gateway.metric('sallyport_oauth_provider_calls_total', 'step="device_authorization"')).toBe(
      1,
    );
  });

  it('H8: a flow is unknown to whoever did not start it', async () => {
    const cookie = newSession();
    const { body } = await start('gone', cookie);
    const path = `/login/gone/flows/${String(body['flow_id'])}`;
    expect((await ask('GET', path, newSession())).status).toBe(404);
    expect((await ask('POST', `${path}/cancel`, newSession(), {})).status).toBe(404);
    expect((await ask('GET', path, cookie)).body['status']).toBe('pending');
    expect((await ask('POST', `${path}/cancel`, cookie, {})).body['status']).toBe('cancelled');
    expect((await ask('GET', path, cookie)).body['status']).toBe('cancelled');
  });

  it('a denial by the user ends the login as denied', async () => {
    const cookie = newSession();
    const { body } = await start('gone', cookie);
    await provider.deny(String(body['user_code']));
    const { body: ended } = await until('it ends', async () => {
      const flow = await ask('GET', `/login/gone/flows/${String(body['flow_id'])}?wait=10`, cookie);
      return flow.body['status'] === 'pending' ? null : flow;
    });
    expect([ended['status'], ended['error']]).toEqual(['error', 'access_denied']);
  });
});

describe('credentials', () => {
  const refreshes = async (): Promise<number> => (await provider.state()).grants['refresh_token'] ?? 0;

  it('B8: 100 requests with an expiring credential and a slow provider cause one refresh, and the grant survives', async () => {
    await provider.accessTokenSeconds(1);
    await logIn('refreshed');
    await provider.accessTokenSeconds(3600);
    await provider.refreshDelayMs(10_000);
    await until('the access token has expired', async () => {
      const { body } = await ask('GET', '/login/refreshed/flows', newSession());
      const [login] = body['logins'] as { readonly credential_expires_at: number }[];
      return login!.credential_expires_at + 1 < Date.now() / 1000;
    });
    const before = await refreshes();
    const answers = await Promise.all(
      Array.from({ length: 100 }, () => ask('GET', '/use/refreshed/orders', newSession())),
    );
    await provider.refreshDelayMs(0);
    expect(new Set(answers.map(({ status }) => status))).toEqual(new Set([200]));
    const state = await provider.state();
    expect([state.grants['refresh_token']! - before, state.revokedGrants]).toEqual([1, 0]);
    // Every request carried the one new token, and none of the caller's.
    const sent = new Set(backend.requests.flatMap((seen) => seen.values('authorization')));
    expect(sent.size).toBe(1);
    expect([...sent][0]).toMatch(/^Bearer \S{20,}$/);
  }, 60_000);

  it('the account is the subject of the token, or what a claim says; the token itself goes nowhere', async () => {
    await logIn('ada');
    const token = await callers.token('ada');
    const call = async (path: string, bearer: string): Promise<number> => {
      const response = await fetch(gateway.url + path, { headers: { authorization: `Bearer ${bearer}` } });
      await response.arrayBuffer();
      return response.status;
    };
    const before = backend.requests.length;
    expect([await call('/mine/orders', token), await call('/ours/orders', token)]).toEqual([200, 200]);
    const sent = backend.requests.slice(before).flatMap((seen) => seen.values('authorization'));
    expect([sent.length, new Set(sent).size, sent.includes(`Bearer ${token}`)]).toEqual([2, 1, false]);
    // Bob has no login, and no token has the claim.
    expect(await call('/mine/orders', await callers.token('bob'))).toBe(403);
    expect(await call('/theirs/orders', token)).toBe(403);
    expect(backend.requests).toHaveLength(before + 2);
  });

  it('subjects of two issuers who are called alike are two accounts', async () => {
    await logIn('ada');
    const theirs = await callers.token('ada');
    const call = async (path: string, bearer: string): Promise<readonly [number, string]> => {
      const response = await fetch(gateway.url + path, { headers: { authorization: `Bearer ${bearer}` } });
      return [response.status, await response.text()];
    };
    expect((await call('/namesake/orders', theirs))[0]).toBe(200);
    const [status, problem] = await call('/namesake/orders', otherToken('ada'));
    expect([status, problem]).toEqual([403, expect.stringContaining('credential_absent')]);
    const [, listed] = await call('/login/namesake/flows', otherToken('ada'));
    expect(JSON.parse(listed)).toMatchObject({ logins: [{ provider: 'idp', credential: 'none' }] });
  });

  it('an account without a login is refused, and the upstream hears nothing', async () => {
    const before = backend.requests.length;
    const { status, body } = await ask('GET', '/use/refused/orders', newSession());
    expect([status, body['code']]).toEqual([403, 'credential_absent']);
    expect(backend.requests.length).toBe(before);
  });
});
