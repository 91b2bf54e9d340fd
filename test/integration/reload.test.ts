/** Changing and ending the built gateway under load: no request fails. */
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { startGateway, testPreamble, type TestGateway } from '../support/gateway.ts';
import { startProvider, type TestProvider } from '../support/provider.ts';
import { ask, outcomeOf, Traffic } from '../support/traffic.ts';
import { until } from '../support/until.ts';

let provider: TestProvider;
let upstream: Server;
let tokens: readonly string[];
let gateway: TestGateway;
let traffic: Traffic;

beforeAll(async () => {
  provider = await startProvider({
    audience: 'orders',
    clients: { alice: ['orders:read'], bob: ['orders:read'] },
  });
  tokens = [await provider.token('alice'), await provider.token('bob')];
  upstream = createServer((request, response) => {
    request.on('end', () => response.end('a body')).resume();
  });
  await new Promise<void>((resolve) => upstream.listen({ host: '127.0.0.1', port: 0 }, resolve));
});

afterAll(async () => {
  upstream.close();
  await provider.stop();
});

const config = (more = ''): string => `${testPreamble}
issuers:
  main:
    issuer: ${provider.issuer}
    audiences: [orders]
    algorithms: [RS256]
    keys: { jwks_uri: ${provider.issuer}/jwks }
upstreams:
  orders: { urls: ['http://127.0.0.1:${(upstream.address() as AddressInfo).port}'] }
routes:
  - prefix: /orders
    issuer: main
    upstream: orders
    scopes: { all: [orders:read] }
  - { path: /decide, issuer: main, respond: { status: 204 }, scopes: { all: [orders:read] } }
${more}`;

const newRoute = (name: string): string => `  - { path: /${name}, public: true, respond: { status: 204 } }\n`;
const badRoute = '  - { path: /bad, issuer: nobody, respond: { status: 204 } }\n';

beforeEach(async () => {
  gateway = await startGateway(config());
  let turn = 0;
  traffic = new Traffic(gateway.url, 8, () => {
    turn += 1;
    const token = tokens[turn % 2]!;
    if (turn % 3 === 0) return { path: '/decide', token };
    return turn % 3 === 1
      ? { path: '/orders', token }
      : { path: '/orders', method: 'POST', body: '{"apples":3}', token };
  });
  await moreAnswers();
});

afterEach(async () => {
  await traffic.stop();
  await gateway.stop();
});

/** Waits until the load has gone on for a while. */
async function moreAnswers(): Promise<void> {
  const before = traffic.answered;
  await until('the load goes on', () => traffic.answered > before + 300);
}

async function opens(path: string): Promise<boolean> {
  return outcomeOf(await ask(gateway.url, { path })) === '204';
}

describe('reload under load', () => {
  it('is done at POST /-/reload, at SIGHUP and when the file changes, and no request fails', async () => {
    gateway.writeConfig(config(newRoute('posted')));
    expect((await gateway.reload()).status).toBe(200);
    expect(await opens('/posted')).toBe(true);
    await moreAnswers();

    gateway.writeConfig(config(newRoute('hung-up')));
    gateway.signal('SIGHUP');
    await until('the reload by signal', () => opens('/hung-up'));
    await moreAnswers();

    gateway.writeConfig(config(newRoute('watched')));
    await until('the reload by the watched file', () => opens('/watched'));
    expect(await opens('/posted')).toBe(false);
    await moreAnswers();

    expect(Object.keys(await traffic.stop()).toSorted()).toEqual(['200', '204']);
  });

  it('keeps the old configuration when the new one is bad, and says where it is bad', async () => {
    gateway.writeConfig(config(newRoute('good')));
    await until('the good one is in force', () => opens('/good'));
    gateway.writeConfig(config(newRoute('better') + badRoute));
    const answer = await gateway.reload();
    expect(answer).toMatchObject({ status: 422, outcome: 'rejected' });
    expect(answer.errors[0]).toMatch(/sallyport\.yaml:\d+:\d+: routes/);
    await moreAnswers();
    expect(await opens('/good')).toBe(true);
    expect(await opens('/better')).toBe(false);
    expect(await gateway.metric('sallyport_config_last_reload_successful')).toBe(0);
    expect(Object.keys(await traffic.stop()).toSorted()).toEqual(['200', '204']);
  });
});

describe('SIGTERM under load', () => {
  it('lets every request be answered, tells callers to leave, and exits with 0', async () => {
    gateway.signal('SIGTERM');
    await traffic.done();
    expect(await gateway.exited).toEqual({ code: 0, signal: null });
    expect([...traffic.outcomes.keys()].toSorted()).toEqual(['200', '204']);
  });

  it('turns readiness off first and goes on serving for the delay', async () => {
    gateway.writeConfig(config().replace('shutdown: {', 'shutdown: { delay_ms: 1500,'));
    expect((await gateway.reload()).outcome).toBe('applied');
    gateway.signal('SIGTERM');
    await until('readiness is off', async () => (await fetch(`${gateway.adminUrl}/readyz`)).status === 503);
    expect((await fetch(`${gateway.adminUrl}/livez`)).status).toBe(200);
    // A new connection, as of a balancer that has not looked yet.
    expect(outcomeOf(await ask(gateway.url, { path: '/orders', token: tokens[0]! }))).toBe('200');
    await traffic.done();
    expect(await gateway.exited).toEqual({ code: 0, signal: null });
    expect([...traffic.outcomes.keys()].toSorted()).toEqual(['200', '204']);
  });
});
