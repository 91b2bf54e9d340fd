/**
 * Takes the pictures of the console that the documents show: `npm run screenshots`. The gateway, its traffic and its browser
 * are real; only the names are chosen to be read.
 */
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { freePort } from '../../../gateway/port.ts';
import { newKeyRing } from '../../oauth/http/login-gateway.ts';
import { answer, Backend } from '../../support/backend.ts';
import { launch } from '../../support/browser.ts';
import { startGateway, testPreamble } from '../../support/gateway.ts';
import { startLoginProvider } from '../../support/login-provider.ts';
import { startProvider } from '../../support/provider.ts';

const { positionals } = parseArgs({ allowPositionals: true });
const folder = positionals[0] ?? 'examples/console/screenshots';
/** Long enough for the chart to have a shape. */
const trafficMs = 95_000;

const issuer = await startProvider({
  audience: 'orders',
  clients: { alice: ['orders:read', 'orders:write'], bob: ['orders:read'] },
});
const logins = await startLoginProvider({ clients: { cli: [] } });
const backend = await Backend.replying(answer('{"orders":[]}'));
const away = await freePort('127.0.0.1', 0);
const here = `http://127.0.0.1:${backend.port}`;
const gateway = await startGateway(
  `${testPreamble.replace('threads: 1', 'threads: 2')}issuers:
  main:
    issuer: "${issuer.issuer}"
    audiences: [orders]
    algorithms: [RS256, ES256]
    keys: { discovery: true }
upstreams:
  orders: { urls: ["${here}", "http://localhost:${backend.port}", "http://127.0.0.1:${away}"], health: { failures: 2, retry_after_ms: 60000 } }
  billing: { urls: ["${here}"] }
  reports: { urls: ["http://127.0.0.1:${away}"], health: { failures: 5 } }
routes:
  - prefix: /orders
    issuer: main
    upstream: orders
    scopes: { all: [orders:read] }
    forward: { claims: { x-user: sub }, set: { x-api-key: not-for-your-eyes } }
    routes:
      - { path: "/{customer}/cart", methods: [PUT], scopes: { all: [orders:write] }, subject: { param: customer } }
  - { prefix: /billing, issuer: main, upstream: billing, scopes: { all: [billing:read] } }
  - { prefix: /reports, public: true, upstream: reports }
  - { path: /health, methods: [GET], public: true, respond: { status: 204 } }
  - { prefix: /login, public: true, oauth: { serve: json, account: team } }
oauth:
  store: { file: ./credentials, key_env: STORE_KEY }
  providers:
    cloud: { flow: device, issuer: "${logins.issuer}", client_id: cli, scopes: [openid] }
    mail: { flow: device, issuer: "${logins.issuer}", client_id: cli, scopes: [openid, email] }
`,
  { env: { STORE_KEY: newKeyRing() } },
);
const browser = await launch();
try {
  const [alice, bob] = await Promise.all([issuer.token('alice'), issuer.token('bob')]);
  const call = async (path: string, token: string | null, method = 'GET'): Promise<void> => {
    const headers: Record<string, string> = token === null ? {} : { authorization: `Bearer ${token}` };
    await (await fetch(gateway.url + path, { method, headers })).arrayBuffer();
  };
  for (const provider of ['cloud', 'mail'])
    await fetch(`${gateway.url}/login/start`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ provider }),
    });
  const startMs = performance.now();
  for (let count = 0; performance.now() - startMs < trafficMs; count++) {
    // It swells and ebbs, so that the chart is one.
    const swell = 6 + 5 * Math.sin((performance.now() - startMs) / 9000);
    const calls = Array.from({ length: Math.round(swell) }, () => call('/orders/7', alice));
    if (count % 3 === 0) calls.push(call('/health', null), call('/orders/alice/cart', alice, 'PUT'));
    if (count % 7 === 0) calls.push(call('/billing/3', bob));
    if (count % 11 === 0) calls.push(call('/orders/1', null), call('/nothing', null));
    if (count % 13 === 0) calls.push(call('/orders/bob/cart', bob, 'PUT'), call('/reports', null));
    await Promise.all(calls);
  }
  mkdirSync(folder, { recursive: true });
  const page = await browser.newPage({ viewport: { width: 1000, height: 720 } });
  const show = (name: string): Promise<unknown> =>
    page.goto(`${gateway.adminUrl}/-/console${name === '' ? '' : `/${name}`}`);
  const keep = (name: string, fullPage = true): Promise<unknown> =>
    page.screenshot({ path: join(folder, `${name}.png`), fullPage });
  for (const name of ['logins', 'upstreams']) {
    await show(name);
    await keep(name);
  }
  await show('');
  await page.setViewportSize({ width: 1000, height: 1150 });
  await keep('overview', false);
  await page.setViewportSize({ width: 1000, height: 720 });
  await show('configuration');
  await keep('configuration', false);
  await show('routes');
  await page.getByLabel('Method').selectOption('PUT');
  await page.getByLabel('Path', { exact: true }).fill('/orders/bob/cart');
  await page.getByLabel(/^Bearer token/).fill(alice);
  await page.getByRole('button', { name: 'Explain' }).click();
  await page.locator('#explanation').waitFor();
  await page.setViewportSize({ width: 1000, height: 1280 });
  await keep('routes', false);
  await page.setViewportSize({ width: 1000, height: 720 });
  await page.emulateMedia({ colorScheme: 'dark' });
  await show('');
  await keep('overview-dark', false);
  await page.setViewportSize({ width: 360, height: 720 });
  await keep('overview-phone', false);
} finally {
  await browser.close();
  await Promise.all([gateway.stop(), issuer.stop(), logins.stop(), backend.close()]);
}
