/** Reference case 25: who may start without a token, through the compatibility mount. */
import { createHmac, randomBytes } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startOnboardingSite, type OnboardingSite } from './onboarding-site.ts';

const text =
  'Onboarding OAuth is only available from local networks when auth is not enabled. To bypass this on a remote server, set HERMES_WEBUI_ONBOARDING_OPEN=1.';
const key = randomBytes(32).toString('hex');

/** A token of the issuer `app` (RFC 7515, HS256). */
function token(subject: string, scope = ''): string {
  const part = (value: object): string => Buffer.from(JSON.stringify(value)).toString('base64url');
  const nowSeconds = Math.floor(Date.now() / 1000);
  const claims = { iss: 'app', aud: 'gateway', sub: subject, scope, iat: nowSeconds, exp: nowSeconds + 600 };
  const signed = `${part({ alg: 'HS256', typ: 'JWT' })}.${part(claims)}`;
  return `${signed}.${createHmac('sha256', key).update(signed).digest('base64url')}`;
}

const settings = {
  routes: `  - { prefix: /open, public: true, oauth: { serve: onboarding, account: x, open: true } }
  - { prefix: /private, issuer: app, oauth: { serve: onboarding } }
  - prefix: /me
    issuer: app
    oauth: { serve: json }
    routes:
      - { path: /start, methods: [POST], scopes: { all: [logins:start] } }`,
  more: `issuers:
  app: { issuer: app, audiences: [gateway], algorithms: [HS256], keys: { secret_env: APP_KEY } }
`,
};

async function start(
  site: OnboardingSite,
  mount: string,
  headers: Readonly<Record<string, string>>,
): Promise<readonly [number, Readonly<Record<string, unknown>>]> {
  const answer = await fetch(`${site.gateway.url}${mount}/start`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', ...headers },
    body: JSON.stringify({ provider: 'anthropic' }),
  });
  return [answer.status, (await answer.json()) as Readonly<Record<string, unknown>>];
}

describe('behind a trusted proxy', () => {
  let site: OnboardingSite;
  beforeAll(async () => {
    site = await startOnboardingSite({
      ...settings,
      listener: ', trusted_proxies: [127.0.0.1]',
      env: { APP_KEY: key },
    });
  });
  afterAll(() => site.stop());

  it.each([
    ['nothing told', '', 200],
    ['a private network', '10.1.2.3', 200],
    ['a private network and its own proxy', '192.168.0.7, 172.16.0.1', 200],
    ['a local IPv6 address', 'fd00::7', 200],
    ['the world', '203.0.113.9', 403],
    ['the world behind a private address', '203.0.113.9, 10.0.0.1', 403],
    ['a private address that the world tells', '10.0.0.1, 203.0.113.9', 403],
    ['172.32, which is not private', '172.32.0.1', 403],
    ['nonsense', 'unknown', 403],
    ['half of nonsense', '10.0.0.1,,', 403],
  ])('%s', async (_, chain, status) => {
    const [answered, body] = await start(
      site,
      '/api/onboarding/oauth',
      chain === '' ? {} : { 'x-forwarded-for': chain },
    );
    expect(answered).toBe(status);
    if (status === 403) expect(body).toEqual({ error: text });
  });

  it('an open mount lets the world in', async () => {
    expect((await start(site, '/open', { 'x-forwarded-for': '203.0.113.9' }))[0]).toBe(200);
  });

  it('a token lets its subject in from anywhere, and gives it flows of its own', async () => {
    const from = { 'x-forwarded-for': '203.0.113.9' };
    expect((await start(site, '/private', from))[0]).toBe(401);
    const ask = (subject: string) =>
      start(site, '/private', { ...from, authorization: `Bearer ${token(subject)}` });
    const [[status, alice], [, again], [, bob]] = await Promise.all([ask('alice'), ask('alice'), ask('bob')]);
    expect(status).toBe(200);
    expect(again['flow_id']).toBe(alice['flow_id']);
    expect(bob['flow_id']).not.toBe(alice['flow_id']);
  });

  it('each endpoint stands behind the policy of its route, and a flow belongs to the subject', async () => {
    const as = (subject: string, scope = '') => ({ authorization: `Bearer ${token(subject, scope)}` });
    expect((await start(site, '/me', {}))[0]).toBe(401);
    expect((await start(site, '/me', as('carol')))[0]).toBe(403);
    const [status, flow] = await start(site, '/me', as('carol', 'logins:start'));
    expect([status, flow]).toMatchObject([200, { account: 'app/carol', role: 'leader' }]);
    const poll = (headers: Readonly<Record<string, string>>) =>
      fetch(`${site.gateway.url}/me/flows/${String(flow['flow_id'])}`, { headers });
    expect((await poll(as('carol'))).status).toBe(200);
    expect((await poll(as('dave'))).status).toBe(404);
    expect((await poll({})).status).toBe(401);
    expect((await poll(as('carol'))).headers.get('set-cookie')).toBeNull();
  });

  it.each([
    ['Cross-origin request rejected', { 'sec-fetch-site': 'cross-site' }],
    ['Cross-origin request rejected', { origin: 'null' }],
    ['Cross-origin mismatch - check reverse proxy headers', { origin: 'https://evil.example' }],
  ])('a browser at another site is told: %s', async (error, headers) => {
    expect(await start(site, '/api/onboarding/oauth', headers)).toEqual([403, { error }]);
  });

  it('a browser at the address that the proxy tells is at home', async () => {
    const headers = { origin: 'https://ours.example', 'x-forwarded-host': 'ours.example' };
    expect((await start(site, '/api/onboarding/oauth', headers))[0]).toBe(200);
  });
});

describe('without a trusted proxy', () => {
  it('nothing that callers tell of their address or ours is believed', async () => {
    const site = await startOnboardingSite();
    try {
      expect((await start(site, '/api/onboarding/oauth', { 'x-forwarded-for': '203.0.113.9' }))[0]).toBe(200);
      const headers = { origin: 'https://ours.example', 'x-forwarded-host': 'ours.example' };
      expect((await start(site, '/api/onboarding/oauth', headers))[0]).toBe(403);
    } finally {
      await site.stop();
    }
  });
});
