/** Group D, floods: healthy callers are served whatever others do. The figures are in SECURITY.md. */
import { afterEach, describe, expect, it } from 'vitest';
import { setTimeout as delay } from 'node:timers/promises';
import { once } from 'node:events';
import { Agent } from 'node:http';
import { testPreamble } from '../support/gateway.ts';
import { RawClient } from '../support/raw-client.ts';
import { ask } from '../support/traffic.ts';
import { startFlood } from '../support/flood.ts';
import { until } from '../support/until.ts';
import { Arena, arenaConfig, bytesOf, mint } from './arena.ts';

const slowPost = bytesOf('/open/slow', { method: 'POST', fields: 'Content-Length: 1000\r\n' });

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
    // A process that has served nothing yet takes ten rounds to its full size.
    for (let i = 0; i < 11; i += 1) await round();
    const warm = await round();
    for (let i = 0; i < 5; i += 1) await round();
    expect((await round()) - warm).toBeLessThan(24 * 1_048_576);
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
