/** The built gateway before a real OpenID provider, whose keys change and whose key set endpoint fails. */
import { generateKeyPairSync } from 'node:crypto';
import { SignJWT } from 'jose';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { startGateway, testPreamble, type TestGateway } from '../support/gateway.ts';
import { startProvider, type TestProvider } from '../support/provider.ts';
import { ask, type Ask, outcomeOf, Traffic } from '../support/traffic.ts';
import { until } from '../support/until.ts';

const audience = 'orders';
const clients = { alice: ['orders:read', 'orders:write'], bob: ['orders:read'] };

let provider: TestProvider;
let gateway: TestGateway;

beforeEach(async () => {
  provider = await startProvider({ audience, clients });
});

afterEach(async () => {
  await gateway.stop();
  await provider.stop();
});

const config = (keys: string): string => `${testPreamble}
issuers:
  main:
    issuer: ${provider.issuer}
    audiences: [${audience}]
    algorithms: [RS256, ES256, EdDSA]
    typ: [at+jwt]
    keys: { jwks_uri: ${provider.issuer}/jwks, ${keys} }
routes:
  - prefix: /orders
    issuer: main
    respond: { status: 204 }
    scopes: { all: [orders:read] }
    routes:
      - { path: /new, methods: [POST], scopes: { all: [orders:write] } }
`;

const read = (token: string): Ask => ({ path: '/orders', token });
const outcome = async (asked: Ask): Promise<string> => outcomeOf(await ask(gateway.url, asked));

async function keysFetches(): Promise<number> {
  return (await provider.state()).keysFetches;
}

describe('tokens of a real provider', () => {
  it.each(['RS256', 'ES256', 'EdDSA'] as const)('pass when signed with %s', async (algorithm) => {
    await provider.addKey(algorithm);
    gateway = await startGateway(config('refresh_seconds: 300'));
    expect(await outcome(read(await provider.token('bob')))).toBe('204');
  });

  it('pass where the key set is found by discovery', async () => {
    const text = config('refresh_seconds: 300').replace(/jwks_uri: \S+,/, 'discovery: true,');
    gateway = await startGateway(text);
    expect(await outcome(read(await provider.token('bob')))).toBe('204');
  });

  it('open the read route and then not the write route', async () => {
    gateway = await startGateway(config('refresh_seconds: 300'));
    const token = await provider.token('bob');
    expect(await outcome(read(token))).toBe('204');
    expect(await outcome({ path: '/orders/new', method: 'POST', token })).toBe('403 scope_insufficient');
    expect(await outcome(read(token))).toBe('204');
  });

  it('fetch the key set exactly once for 1,000 unknown kids', async () => {
    gateway = await startGateway(config('refresh_seconds: 86400, unknown_kid_interval_seconds: 3600'));
    const { privateKey } = generateKeyPairSync('ed25519');
    const tokens = await Promise.all(
      Array.from({ length: 1000 }, (_, index) =>
        new SignJWT({ scope: 'orders:read' })
          .setProtectedHeader({ alg: 'EdDSA', typ: 'at+jwt', kid: `nobody-${index}` })
          .setIssuer(provider.issuer)
          .setAudience(audience)
          .setSubject('mallory')
          .setIssuedAt()
          .setExpirationTime('1h')
          .sign(privateKey),
      ),
    );
    const before = await keysFetches();
    const traffic = new Traffic(gateway.url, 20, () => read(tokens.pop() ?? 'x.y.z'));
    await until('all tokens were tried', () => tokens.length === 0);
    const outcomes = await traffic.stop();
    expect(outcomes['401 token_key_unknown']).toBe(1000);
    expect(await keysFetches()).toBe(before + 1);
    expect(await outcome(read(await provider.token('bob')))).toBe('204');
  });
});

describe('a provider whose keys change', () => {
  it('costs no good request while keys are rotated under load', async () => {
    gateway = await startGateway(config('refresh_seconds: 1, unknown_kid_interval_seconds: 1'));
    let good = [await provider.token('bob'), await provider.token('alice')];
    let turn = 0;
    const traffic = new Traffic(gateway.url, 8, () => read(good[(turn += 1) % good.length]!));
    let [oldest] = (await provider.state()).kids;
    for (const algorithm of ['ES256', 'EdDSA', 'RS256'] as const) {
      const kid = await provider.addKey(algorithm);
      // Signed by a key that the gateway has not seen: the token itself makes it look.
      const fresh = [await provider.token('bob'), await provider.token('alice')];
      good.push(...fresh);
      const both = traffic.answered;
      await until('old and new tokens were used', () => traffic.answered > both + 200);
      good = fresh;
      const only = traffic.answered;
      await until('only new tokens are in use', () => traffic.answered > only + 200);
      const fetches = await keysFetches();
      await provider.dropKey(oldest!);
      oldest = kid;
      await until('the smaller set was fetched', async () => (await keysFetches()) > fetches + 1);
    }
    expect(Object.keys(await traffic.stop())).toEqual(['204']);
  });

  it('has the cached tokens of a withdrawn key refused at the next request', async () => {
    gateway = await startGateway(config('refresh_seconds: 1, unknown_kid_interval_seconds: 1'));
    const token = await provider.token('bob');
    expect(await outcome(read(token))).toBe('204');
    const [kid] = (await provider.state()).kids;
    await provider.addKey('ES256');
    await until('both keys are known', async () => (await gateway.metric('sallyport_jwks_keys')) === 2);
    expect(await outcome(read(token))).toBe('204');
    await provider.dropKey(kid!);
    await until('one key is known', async () => (await gateway.metric('sallyport_jwks_keys')) === 1);
    expect(await outcome(read(token))).toMatch(/^401 token_(withdrawn|key_unknown)$/);
    expect(await outcome(read(await provider.token('bob')))).toBe('204');
  });
});

describe('a provider that is down', () => {
  it('costs no request of a known key while its key set endpoint fails', async () => {
    gateway = await startGateway(config('refresh_seconds: 1, unknown_kid_interval_seconds: 1'));
    const token = await provider.token('bob');
    const traffic = new Traffic(gateway.url, 4, () => read(token));
    await provider.setKeysMode('fail');
    const before = await keysFetches();
    await until('refreshes failed', async () => (await keysFetches()) >= before + 3, 30_000);
    expect(await outcome(read(await provider.token('alice')))).toBe('204');
    expect((await fetch(`${gateway.adminUrl}/readyz`)).status).toBe(200);
    expect(Object.keys(await traffic.stop())).toEqual(['204']);
  });

  it('costs no request of a known key while it hangs or is gone', async () => {
    gateway = await startGateway(config('refresh_seconds: 1, timeout_ms: 300'));
    const [first, second] = [await provider.token('bob'), await provider.token('alice')];
    const failed = (): Promise<number> => gateway.metric('sallyport_jwks_fetches_total', 'outcome="failed"');
    // On a busy machine, 300 ms may not do for the first time.
    await until('the key is known', async () => (await gateway.metric('sallyport_jwks_keys')) === 1);
    let before = await failed();
    await provider.setKeysMode('hang');
    await until('a refresh failed', async () => (await failed()) >= before + 1);
    expect(await outcome(read(first))).toBe('204');
    await provider.stop();
    before = await failed();
    await until('refreshes failed', async () => (await failed()) >= before + 2, 30_000);
    expect(await outcome(read(second))).toBe('204');
  });
});
