/** The built gateway before a real OpenID provider whose tokens are opaque: it is asked what they are (RFC 7662). */
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { startGateway, type TestGateway } from '../support/gateway.ts';
import { startProvider, type TestProvider } from '../support/provider.ts';
import { ask, outcomeOf } from '../support/traffic.ts';
import { until } from '../support/until.ts';

const clients = { alice: ['orders:read', 'orders:write'], bob: ['orders:read'], gateway: ['orders:ask'] };

let provider: TestProvider;
let gateway: TestGateway;

beforeEach(async () => {
  provider = await startProvider({ audience: 'orders', clients, form: 'opaque' });
});
afterEach(async () => {
  await gateway.stop();
  await provider.stop();
});

const config = (introspection = 'discovery: true'): string => `version: 1
listener: { host: 127.0.0.1, port: 0, threads: 2 }
admin: { host: 127.0.0.1, port: 0 }
issuers:
  main:
    issuer: ${provider.issuer}
    audiences: [orders]
    subject_claim: client_id
    introspection:
      client_id: gateway
      client_auth: { method: client_secret_basic, secret_env: INTROSPECTION_SECRET }
      ${introspection}
routes:
  - prefix: /orders
    issuer: main
    respond: { status: 204 }
    scopes: { all: [orders:read] }
    routes:
      - { path: /new, methods: [POST], scopes: { all: [orders:write] } }
      - { path: /of/{name}, subject: { param: name } }
`;

const start = async (introspection?: string): Promise<void> => {
  gateway = await startGateway(config(introspection), { env: { INTROSPECTION_SECRET: 'gateway-secret' } });
};
const get = async (token: string, path = '/orders/x', method = 'GET'): Promise<string> =>
  outcomeOf(await ask(gateway.url, { path, method, token }));
const introspections = async (): Promise<number> => (await provider.state()).introspections;
const counted = (outcome: string): Promise<number> =>
  gateway.metric('sallyport_introspections_total', 'issuer="main"', `outcome="${outcome}"`);

describe('opaque tokens', () => {
  it('are asked about once each, however many requests and threads: 10,000 with 100 tokens (issue 6, point 5)', async () => {
    await start();
    const tokens = await Promise.all(Array.from({ length: 100 }, () => provider.token('bob')));
    expect(new Set(tokens).size).toBe(100);
    const outcomes = new Map<string, number>();
    let next = 0;
    await Promise.all(
      Array.from({ length: 50 }, async () => {
        while (next < 10_000) {
          const token = tokens[next % 100]!;
          next += 1;
          const outcome = await get(token);
          outcomes.set(outcome, (outcomes.get(outcome) ?? 0) + 1);
        }
      }),
    );
    expect(Object.fromEntries(outcomes)).toEqual({ 204: 10_000 });
    expect(await introspections()).toBe(100);
    expect(await counted('active')).toBe(100);
  }, 120_000);

  it('are decided by scope, subject and audience as any other token is', async () => {
    await start(`endpoint: ${provider.issuer}/token/introspection`);
    const [alice, bob] = [await provider.token('alice'), await provider.token('bob')];
    expect(await get(alice, '/orders/new', 'POST')).toBe('204');
    expect(await get(bob, '/orders/new', 'POST')).toBe('403 scope_insufficient');
    expect(await get(bob, '/orders/of/bob')).toBe('204');
    expect(await get(bob, '/orders/of/alice')).toBe('403 subject_mismatch');
    expect(await get('no-such-token')).toBe('401 token_inactive');
  });

  it('that are not active stay refused for a while; once revoked they are refused when their answer has lapsed', async () => {
    await start('discovery: true\n      ttl_seconds: 1\n      negative_ttl_seconds: 3600');
    const token = await provider.token('bob');
    expect(await get(token)).toBe('204');
    await provider.revoke('bob', token);
    await until('the answer has lapsed', async () => (await get(token)) === '401 token_inactive');
    const asked = await introspections();
    for (let i = 0; i < 20; i += 1) expect(await get(token)).toBe('401 token_inactive');
    expect(await introspections()).toBe(asked);
    expect(await counted('inactive')).toBe(1);
  });

  it.each(['fail', 'hang'] as const)(
    'are answered 503 while the endpoint %ss, and served when it is back',
    async (mode) => {
      await start('discovery: true\n      timeout_ms: 300');
      const [known, unknown] = [await provider.token('bob'), await provider.token('bob')];
      expect(await get(known)).toBe('204');
      await provider.setIntrospectionMode(mode);
      const answer = await ask(gateway.url, { path: '/orders/x', token: unknown });
      expect(outcomeOf(answer)).toBe('503 introspection_unavailable');
      expect(answer.headers['retry-after']).toBe('2');
      expect(await get(known)).toBe('204');
      expect(await counted('failed')).toBe(1);
      await provider.setIntrospectionMode('serve');
      expect(await get(unknown)).toBe('204');
      expect(gateway.logs.filter(({ msg }) => msg.includes('could not be checked'))).toHaveLength(1);
      expect(JSON.stringify(gateway.logs)).not.toContain(unknown);
    },
  );

  it('are answered 503 where our own credentials are wrong: that is not the caller', async () => {
    gateway = await startGateway(config(), { env: { INTROSPECTION_SECRET: 'wrong' } });
    expect(await get(await provider.token('bob'))).toBe('503 introspection_unavailable');
  });

  it('need no keys: the gateway is ready without any', async () => {
    await start();
    expect((await fetch(`${gateway.adminUrl}/readyz`)).status).toBe(200);
  });
});
