/** Group D, order: deadlines, upstreams and keys that are not there, the end. The figures are in SECURITY.md. */
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { setTimeout as delay } from 'node:timers/promises';
import { Backend } from '../support/backend.ts';
import { startGateway, testPreamble, type TestGateway } from '../support/gateway.ts';
import { RawClient } from '../support/raw-client.ts';
import { ask, outcomeOf } from '../support/traffic.ts';
import { until } from '../support/until.ts';
import { Arena, arenaConfig, bytesOf, codeOf, keySet, mint } from './arena.ts';

const slowPost = bytesOf('/open/slow', { method: 'POST', fields: 'Content-Length: 1000\r\n' });

/** The driver's own deadlines are long: they run while the other tests do. */
let patient: Arena;
let waiting: readonly RawClient[];
let drip: NodeJS.Timeout;

beforeAll(async () => {
  patient = await Arena.start();
  const begun = 'GET /open/x HTTP/1.1\r\nHost: a\r\nX: ';
  const bytes = ['', bytesOf('/open/x'), begun, begun, slowPost, slowPost];
  waiting = await Promise.all(bytes.map(() => RawClient.connect(patient.port)));
  waiting.forEach((client, i) => client.send(bytes[i]!));
  // A byte a second is no life: of a head, and of a body.
  drip = setInterval(() => [3, 5].forEach((i) => waiting[i]!.closed || waiting[i]!.send('y')), 1000);
});
afterAll(async () => {
  clearInterval(drip);
  await patient.stop();
});

const clients: RawClient[] = [];

/** Opens connections at once; they are closed after the test. */
async function open(port: number, count: number, bytes = ''): Promise<RawClient[]> {
  const opened = await Promise.all(Array.from({ length: count }, () => RawClient.connect(port)));
  clients.push(...opened);
  if (bytes !== '') for (const client of opened) client.send(bytes);
  return opened;
}

afterEach(() => {
  for (const client of clients.splice(0)) client.destroy();
});

describe('D2: deadlines', () => {
  let arena: Arena;
  beforeAll(async () => {
    arena = await Arena.start({
      config: (url) =>
        arenaConfig(url, testPreamble.replace('threads: 1', 'threads: 1, body_timeout_ms: 1000')),
    });
  });
  afterAll(() => arena.stop());

  it.each([
    ['a small body', '/open/x', 'Content-Length: 10\r\n', 'abc'],
    ['a large body', '/open/x', 'Content-Length: 1000000\r\n', 'x'.repeat(50_000)],
    ['a chunked body', '/open/x', 'Transfer-Encoding: chunked\r\n', '3\r\nabc\r\n'],
    ['a body that never begins', '/open/x', 'Content-Length: 10\r\n', ''],
  ])('%s that falls silent is 408', async (_, target, fields, body) => {
    const startedMs = performance.now();
    const code = await arena.attack(async (client) => {
      client.send(bytesOf(target, { method: 'POST', fields, body }));
      const answer = codeOf(await client.read());
      await client.readToEnd();
      return answer;
    });
    expect(code).toBe('408 body_timeout');
    expect(performance.now() - startedMs).toBeLessThan(5000);
    await arena.untilIdle();
  });

  it('a body that comes slowly but steadily passes', async () => {
    await arena.attack(async (client) => {
      client.send(bytesOf('/open/x', { method: 'POST', fields: 'Content-Length: 10\r\n' }));
      for (let i = 0; i < 10; i += 1) {
        await delay(100);
        client.send('x');
      }
      expect((await client.read()).text).toBe('POST /open/x 10');
    }, 1);
  });

  it('time in which the upstream holds the body back is not the caller’s', async () => {
    arena.onHead = (_, socket) => {
      socket.pause();
      setTimeout(() => socket.resume(), 2500);
      return false;
    };
    const body = 'x'.repeat(12_000_000);
    expect(
      await arena.send(
        bytesOf('/open/x', { method: 'POST', fields: `Content-Length: ${body.length}\r\n`, body }),
        1,
      ),
    ).toBe('200');
    arena.onHead = () => false;
  });
});

describe('D4: an upstream that is down', () => {
  it('is 502 fast, bad tokens stay 401, and recovery needs no restart', async () => {
    const lost = await Backend.start();
    const { port, url } = lost;
    await lost.close();
    const arena = await Arena.start({
      config: (backend) =>
        arenaConfig(backend).replace('upstreams:\n', `upstreams:\n  lost: { urls: ['${url}'] }\n`) +
        '  - { prefix: /lost, issuer: main, upstream: lost }\n',
    });
    for (let i = 0; i < 20; i += 1) {
      const startedMs = performance.now();
      expect(await arena.send(bytesOf('/lost/x', { token: mint() }))).toBe('502 upstream_unreachable');
      expect(performance.now() - startedMs).toBeLessThan(1000);
    }
    expect(await arena.send(bytesOf('/lost/x', { token: 'a.b.c' }))).toBe('401 token_malformed');
    expect(await arena.send(bytesOf('/lost/x'))).toBe('401 credentials_missing');
    const found = await Backend.start({}, port);
    expect(await arena.send(bytesOf('/lost/x', { token: mint() }))).toBe('200');
    await arena.stop();
    await found.close();
  });
});

describe('D6: SIGTERM drains', () => {
  let arena: Arena;
  beforeEach(async () => {
    arena = await Arena.start();
  });

  it('what is under way is finished, new connections are not taken, and the exit is 0', async () => {
    let finish = (): void => {};
    arena.onRequest = (request, socket) =>
      (finish = () =>
        socket.write(`HTTP/1.1 200 OK\r\nContent-Length: ${request.target.length}\r\n\r\n${request.target}`));
    const [slow] = await open(arena.port, 1, bytesOf('/orders/slow', { token: mint() }));
    await arena.backend.until(() => arena.reached.length === 1);
    const [idle] = await open(arena.port, 1, bytesOf('/decide'));
    await idle!.read();
    arena.sallyport.signal('SIGTERM');
    await until('no new connection is taken', () =>
      RawClient.connect(arena.port).then(
        (client) => (client.destroy(), false),
        () => true,
      ),
    );
    idle!.send(bytesOf('/decide'));
    expect((await idle!.read()).values('connection')).toEqual(['close']);
    finish();
    expect((await slow!.read()).text).toBe('/orders/slow');
    expect(await arena.sallyport.exited).toEqual({ code: 0, signal: null });
    await arena.stop();
  });
});

describe('D4: the keys are not there', () => {
  it('open routes are served, and tokens are 503', async () => {
    const gateway: TestGateway = await startGateway(
      arenaConfig('http://127.0.0.1:1').replace(
        '{ jwks_file: keys.json }',
        "{ jwks_uri: 'http://127.0.0.1:1/jwks' }",
      ) + '  - { path: /free, public: true, respond: { status: 204 } }\n',
      { files: { 'keys.json': keySet } },
    );
    const outcome = async (path: string, token?: string): Promise<string> =>
      outcomeOf(await ask(gateway.url, { path, ...(token === undefined ? {} : { token }) }));
    expect(await outcome('/decide', mint())).toBe('503 keys_unavailable');
    expect(await outcome('/decide')).toBe('401 credentials_missing');
    expect(await outcome('/free')).toBe('204');
    await gateway.stop();
  });
});

describe('D2: the deadlines of the driver', () => {
  it(
    'silent connections, and heads and bodies that drip, are closed within 40 s',
    { timeout: 60_000 },
    async () => {
      await until('all of them are closed', () => waiting.every((client) => client.closed), 40_000);
      await patient.expectHealthy();
    },
  );
});
