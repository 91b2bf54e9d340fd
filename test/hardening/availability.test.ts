/** Group D: healthy callers are served whatever others do. The figures of the defaults are in SECURITY.md. */
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { setTimeout as delay } from 'node:timers/promises';
import { once } from 'node:events';
import { Agent } from 'node:http';
import { Backend } from '../support/backend.ts';
import { startGateway, testPreamble, type TestGateway } from '../support/gateway.ts';
import { RawClient } from '../support/raw-client.ts';
import { ask, outcomeOf } from '../support/traffic.ts';
import { startFlood } from '../support/flood.ts';
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

describe('D1: beside slow, silent and storming callers', () => {
  it('healthy requests are answered within a second', async () => {
    const arena = await Arena.start();
    const heads = await open(arena.port, 50, 'GET /open/x HTTP/1.1\r\nHost: a\r\nX: ');
    const bodies = await open(arena.port, 50, slowPost);
    await open(arena.port, 500);
    const over = performance.now() + 2500;
    const goOn = (): boolean => performance.now() < over;
    const attackers = [
      async () => {
        while (goOn()) {
          for (const client of [...heads, ...bodies]) client.send('y');
          await delay(100);
        }
      },
      async () => {
        for (let i = 0; i < 10 && goOn(); i += 1) {
          const storm = await Promise.all(Array.from({ length: 100 }, () => RawClient.connect(arena.port)));
          for (const client of storm) client.reset();
        }
      },
      async () => {
        const agent = new Agent({ keepAlive: true, maxSockets: 8 });
        while (goOn()) {
          const token = mint().replace(/.{20}$/, 'A'.repeat(20));
          await Promise.all(
            Array.from({ length: 8 }, () => ask(arena.sallyport.url, { path: '/decide', token }, agent)),
          );
        }
        agent.destroy();
      },
    ];
    const tookMs: number[] = [];
    const watch = async (): Promise<void> => {
      while (goOn()) {
        const startedMs = performance.now();
        await arena.expectHealthy();
        tookMs.push(performance.now() - startedMs);
      }
    };
    await Promise.all([watch(), ...attackers.map((attack) => attack())]);
    tookMs.sort((a, b) => a - b);
    expect(tookMs.length).toBeGreaterThan(20);
    expect(tookMs[Math.floor(tookMs.length * 0.99)]).toBeLessThan(1000);
    for (const client of clients) client.destroy();
    await arena.stop();
  });
});

describe('D1: a caller who pipelines without end', () => {
  it.each(['/free', '/nowhere'])('at %s does not have the thread to himself', async (target) => {
    const arena = await Arena.start({
      config: (url) => `${arenaConfig(url)}  - { path: /free, public: true, respond: { status: 204 } }\n`,
    });
    const asks = Buffer.from(bytesOf(target).repeat(4000));
    for (let round = 0; round < 3; round += 1) {
      await arena.attack(async (client) => {
        while (!client.socket.destroyed)
          if (!client.socket.write(asks))
            await Promise.race([once(client.socket, 'drain'), once(client.socket, 'close')]).catch(() => {});
      });
    }
    await arena.stop();
  });
});

describe('D1: a caller who sends tiny chunks without end', () => {
  it('does not have the thread to himself', async () => {
    const arena = await Arena.start();
    arena.onHead = (_, socket) => {
      socket.removeAllListeners('data').on('data', () => {});
      return true;
    };
    const head = bytesOf('/open/x', { method: 'POST', fields: 'Transfer-Encoding: chunked\r\n' });
    const flood = await startFlood(arena.port, head, '1\r\nx\r\n');
    await arena.expectHealthy();
    await flood.terminate();
    await arena.expectHealthy();
    await arena.stop();
  });
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

describe('D3: connections are capped', () => {
  const preamble = (limits: string): string => testPreamble.replace('threads: 1', `threads: 1, ${limits}`);

  /** How many of them the gateway has closed by itself, once that stands still. */
  async function closedOf(all: readonly RawClient[]): Promise<number> {
    await delay(300);
    return all.filter((client) => client.closed).length;
  }

  it('in total, for each listener thread', async () => {
    const arena = await Arena.start({ config: (url) => arenaConfig(url, preamble('max_connections: 20')) });
    const first = await open(arena.port, 15);
    const more = await open(arena.port, 15);
    expect(await closedOf([...first, ...more])).toBe(10);
    for (const client of first) client.destroy();
    await until(
      'there is room again',
      async () => (await arena.sallyport.metric('sallyport_http_connections')) < 20,
    );
    await arena.expectHealthy();
    for (const client of more) client.destroy();
    await arena.stop();
  });

  it.runIf(process.platform === 'linux')('for each address, within a second or so', async () => {
    const arena = await Arena.start({
      config: (url) => arenaConfig(url, preamble('max_connections_per_address: 20')),
    });
    const held = await open(arena.port, 20);
    await until('further ones are closed', async () => {
      const [client] = await open(arena.port, 1);
      await delay(50);
      return client!.closed;
    });
    // Of another address they are not.
    const other = await RawClient.connect(arena.port, '127.0.0.1', '127.0.0.2');
    other.send(bytesOf('/open/other'));
    expect((await other.read()).text).toBe('GET /open/other 0');
    other.destroy();
    expect(held.some((client) => client.closed)).toBe(false);
    for (const client of clients) client.destroy();
    await until('the address is let in again', () => arena.expectHealthy().then(() => true));
    await arena.stop();
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

describe('D5: memory returns', () => {
  it('after rounds of connections with unfinished heads and bodies', async () => {
    const arena = await Arena.start();
    const round = async (): Promise<number> => {
      await open(arena.port, 300, `GET /open/x HTTP/1.1\r\nHost: a\r\nX: ${'y'.repeat(14_000)}`);
      await open(
        arena.port,
        100,
        bytesOf('/open/x', {
          method: 'POST',
          fields: 'Content-Length: 1000000\r\n',
          body: 'x'.repeat(60_000),
        }),
      );
      for (const client of clients.splice(0)) client.reset();
      await until(
        'all have left',
        async () => (await arena.sallyport.metric('sallyport_http_connections')) === 0,
      );
      await arena.untilIdle();
      await arena.expectHealthy();
      return await arena.residentBytes();
    };
    for (let i = 0; i < 4; i += 1) await round();
    const warm = await round();
    for (let i = 0; i < 4; i += 1) await round();
    expect((await round()) - warm).toBeLessThan(24 * 1_048_576);
    await arena.stop();
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

describe('D7: nothing that a peer sends ends anything', () => {
  it('random changes of good requests, from callers and from the upstream', async () => {
    const arena = await Arena.start({
      config: (url) =>
        arenaConfig(url).replace(
          `urls: ['${url}'] }`,
          `urls: ['${url}'], head_timeout_ms: 200, idle_timeout_ms: 200, health: { failures: 1000 } }`,
        ),
    });
    let seed = 20_251_122;
    const random = (below: number): number => {
      seed = (Math.imul(seed, 1_664_525) + 1_013_904_223) >>> 0;
      return Math.floor((seed / 2 ** 32) * below);
    };
    const spoil = (text: string): Buffer => {
      const bytes = Buffer.from(text, 'latin1');
      for (let n = random(4); n >= 0; n -= 1)
        bytes[random(bytes.length)] = random(3) === 0 ? random(256) : '\r\n:;, \0\x7f'.charCodeAt(random(8));
      return random(4) === 0 ? bytes.subarray(0, random(bytes.length)) : bytes;
    };
    const token = mint();
    const requests = [
      bytesOf('/open/a?b=c', { fields: 'X: y\r\nAccept: */*\r\n' }),
      bytesOf('/orders/x', { token }),
      bytesOf('/open/x', { method: 'POST', fields: 'Content-Length: 12\r\n', body: 'hello, world' }),
      bytesOf('/open/x', {
        method: 'POST',
        fields: 'Transfer-Encoding: chunked\r\n',
        body: '5\r\nhello\r\n0\r\n\r\n',
      }),
    ];
    const answers = [
      'HTTP/1.1 200 OK\r\nContent-Length: 2\r\nX: y\r\n\r\nok',
      'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n0\r\n\r\n',
    ];
    arena.onRequest = (_, socket) => {
      socket.write(spoil(answers[random(2)]!));
      if (random(4) === 0) socket.destroy();
    };
    for (let n = 0; n < 1500; n += 1) {
      const client = await RawClient.connect(arena.port);
      client.send(spoil(requests[random(4)]!));
      if (random(3) === 0) client.reset();
      else client.end();
      clients.push(client);
      if (n % 100 === 99) await arena.expectHealthy();
    }
    await arena.untilIdle();
    expect(arena.backend.faults).toEqual([]);
    expect(await arena.sallyport.metric('sallyport_listener_restarts_total')).toBe(0);
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
