/** Group U, streams: upstreams that hang, callers who leave, back-pressure, answers in between. */
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import type { Socket } from 'node:net';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { answer } from '../support/backend.ts';
import { RawClient } from '../support/raw-client.ts';
import { until } from '../support/until.ts';
import { Arena, arenaConfig, bytesOf, codeOf, echo, mint } from './arena.ts';

let arena: Arena;
const mebibyte = 1_048_576;

beforeAll(async () => {
  arena = await Arena.start({
    config: (url) =>
      arenaConfig(url)
        .replace(
          `urls: ['${url}'] }`,
          `urls: ['${url}'], head_timeout_ms: 1500, idle_timeout_ms: 1000, connections: 8, queue_max: 8, max_response_header_bytes: 16384, health: { failures: 1000 } }
  patient: { urls: ['${url}'] }`,
        )
        .concat('  - { prefix: /patient, public: true, upstream: patient }\n'),
  });
});
beforeEach(() => {
  arena.onRequest = (request, socket) => socket.write(echo(request));
  arena.onHead = () => false;
});
afterAll(() => arena.stop());

const post = (target: string, body: string, fields = ''): string =>
  bytesOf(target, { method: 'POST', fields: `${fields}Content-Length: ${body.length}\r\n`, body });

describe('U6: upstreams that hang', () => {
  it('head: 504 in time; healthy ones are served meanwhile and after', async () => {
    arena.onRequest = () => {};
    const hung = await Promise.all(Array.from({ length: 6 }, () => RawClient.connect(arena.port)));
    for (const client of hung) client.send(bytesOf('/open/hangs'));
    await arena.backend.until(
      () => arena.reached.filter(({ target }) => target === '/open/hangs').length >= 6,
    );
    await arena.expectHealthy();
    for (const client of hung) {
      expect(codeOf(await client.read())).toBe('504 upstream_timeout');
      client.destroy();
    }
    await arena.untilIdle();
  });

  it('more hung ones than there are connections and places are refused at once, and the rest in time', async () => {
    arena.onRequest = () => {};
    const clients = await Promise.all(Array.from({ length: 40 }, () => RawClient.connect(arena.port)));
    for (const client of clients) client.send(bytesOf('/open/hangs'));
    const codes = await Promise.all(clients.map(async (client) => codeOf(await client.read())));
    for (const client of clients) client.destroy();
    expect([...new Set(codes)].toSorted()).toEqual(['503 upstream_full', '504 upstream_timeout']);
    expect(codes.filter((code) => code === '503 upstream_full').length).toBe(40 - 16);
    await arena.expectHealthy();
  });

  it('in the middle of a body: cut in time', async () => {
    arena.onRequest = (_, socket) => socket.write('HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nabc');
    await arena.attack(async (client) => {
      client.send(bytesOf('/open/x'));
      expect((await client.readToEnd()).toString()).toMatch(/abc$/);
    }, 1);
  });
});

describe('U7: a caller who leaves frees the upstream', () => {
  it('at every stage of a request', async () => {
    arena.onRequest = (request, socket) => {
      if (request.target.includes('head')) return;
      socket.write('HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n');
    };
    const stages: Record<string, (client: RawClient) => unknown> = {
      'before the head ends': (client) => client.send('GET /open/x HTTP/1.1\r\nHo'),
      'at once': (client) => client.send(bytesOf('/open/head')),
      'while verified': (client) => client.send(bytesOf('/orders/head', { token: mint() })),
      'before the body': (client) =>
        client.send(bytesOf('/open/head', { method: 'POST', fields: 'Content-Length: 9\r\n' })),
      'in the body': (client) =>
        client.send(
          bytesOf('/open/head', { method: 'POST', fields: 'Content-Length: 99999\r\n', body: 'abc' }),
        ),
      'before the answer': async (client) => {
        const before = arena.reached.length;
        client.send(bytesOf('/open/head'));
        await arena.backend.until(() => arena.reached.length > before);
      },
      'in the answer': async (client) => {
        client.send(bytesOf('/open/x'));
        await once(client.socket, 'data');
      },
    };
    for (const act of Object.values(stages)) {
      for (const leave of ['destroy', 'reset'] as const) {
        const clients = await Promise.all(Array.from({ length: 4 }, () => RawClient.connect(arena.port)));
        await Promise.all(clients.map(act));
        for (const client of clients) client[leave]();
        await arena.untilIdle();
        await arena.expectHealthy();
      }
    }
  });
});

describe('U8: back-pressure', () => {
  const large = 48 * mebibyte;

  it('a caller who does not read stops the upstream within a few MiB', async () => {
    let written = 0;
    const piece = Buffer.alloc(65_536, 'x');
    arena.onRequest = (_request, socket) => {
      socket.write(`HTTP/1.1 200 OK\r\nContent-Length: ${large}\r\n\r\n`);
      const more = (): void => {
        while (written < large) {
          written += piece.length;
          if (!socket.write(piece)) break;
        }
        if (written < large) socket.once('drain', more);
      };
      more();
    };
    const before = await arena.residentBytes();
    await arena.attack(async (client) => {
      client.socket.pause();
      client.send(bytesOf('/patient/x'));
      await steady(() => written);
      expect(written).toBeLessThan(24 * mebibyte);
      expect((await arena.residentBytes()) - before).toBeLessThan(32 * mebibyte);
      await arena.expectHealthy();
      let got = 0;
      client.socket.removeAllListeners('data').on('data', (chunk: Buffer) => (got += chunk.length));
      client.socket.resume();
      await until('all of it came', () => got >= large, 20_000);
    }, 1);
  });

  it('a caller who asks on without reading the refusals is cut off', async () => {
    const before = await arena.residentBytes();
    const asks = Buffer.from(bytesOf('/nowhere').repeat(1000));
    let mebibytes = 0;
    await arena.attack(async (client) => {
      client.socket.pause();
      for (; mebibytes < 40 && !client.socket.destroyed; mebibytes += asks.length / mebibyte) {
        // It is closed with a reset, while we write.
        if (!client.socket.write(asks))
          await Promise.race([once(client.socket, 'drain'), once(client.socket, 'close')]).catch(() => {});
      }
    });
    expect(mebibytes).toBeLessThan(40);
    expect((await arena.residentBytes()) - before).toBeLessThan(32 * mebibyte);
  });

  it('an upstream that does not read stops the caller within a few MiB, and then gets all of it', async () => {
    // Much more than the kernel's buffers on the way, which grow to 36 MiB for each of two connections.
    const huge = 192 * mebibyte;
    const held: { socket: Socket | null } = { socket: null };
    arena.onHead = (head, socket) => {
      if (!head.startLine.startsWith('POST')) return false;
      held.socket = socket;
      socket.removeAllListeners('data').pause();
      return true;
    };
    const piece = Buffer.alloc(mebibyte, 'x');
    let sent = 0;
    await arena.attack(async (client) => {
      client.send(bytesOf('/patient/x', { method: 'POST', fields: `Content-Length: ${huge}\r\n` }));
      // The driver reads on, paused or not, from whoever sends as fast as it reads: with a turn of it between any two pieces,
      // nobody does.
      const sending = (async () => {
        for (; sent < huge; sent += mebibyte) {
          await new Promise((resolve) => client.socket.write(piece, resolve));
          await arena.expectHealthy();
        }
      })();
      await steady(() => sent);
      expect(sent).toBeLessThan(96 * mebibyte);
      await arena.expectHealthy();
      const socket = held.socket!;
      socket.on('data', () => {}).resume();
      await sending;
      await until('all of it came', () => socket.bytesRead > huge);
      socket.end(answer('whole', 'Connection: close\r\n'));
      expect((await client.read()).text).toBe('whole');
    });
  });

  it('a large body arrives byte for byte', async () => {
    const body = randomBytes(4 * mebibyte).toString('latin1');
    expect(await arena.send(post('/patient/x', body), 1)).toBe('200');
    expect(arena.reached.at(-1)!.body.toString('latin1') === body).toBe(true);
  });
});

describe('U9: interim answers', () => {
  it.each(['100 Continue', '102 Processing', '103 Early Hints'])('%s is not the answer', async (interim) => {
    arena.onRequest = (request, socket) =>
      socket.write(`HTTP/1.1 ${interim}\r\nLink: x\r\n\r\n${echo(request)}`);
    expect(await arena.send(bytesOf('/open/x'), 1)).toBe('200');
  });
  it('an unasked 101 is 502', async () => {
    arena.onRequest = (_, socket) =>
      socket.write('HTTP/1.1 101 Switching\r\nUpgrade: x\r\nConnection: upgrade\r\n\r\nraw');
    expect(await arena.send(bytesOf('/open/x'), 1)).toBe('502 upstream_invalid');
  });
  it('an answer before the end of the body reaches the caller, and the connection stays in step or is closed', async () => {
    arena.onHead = (head, socket) => {
      if (!head.startLine.includes('/open/early')) return false;
      socket.end('HTTP/1.1 403 Forbidden\r\nContent-Length: 5\r\nConnection: close\r\n\r\nearly');
      return true;
    };
    await arena
      .attack(async (client) => {
        client.send(
          bytesOf('/open/early', {
            method: 'POST',
            fields: `Content-Length: ${mebibyte}\r\n`,
            body: 'x'.repeat(100_000),
          }),
        );
        const got = await client.read();
        expect([got.status, got.text]).toEqual([403, 'early']);
        client.send('x'.repeat(mebibyte - 100_000) + bytesOf('/open/next'));
        const next = await client.read().catch(() => null);
        expect(['GET /open/next 0', undefined]).toContain(next?.text);
      }, arena.reached.length - arena.reached.length)
      .catch((error: Error) => {
        if (!/saw 1 requests.*open\/next/.test(error.message)) throw error;
      });
  });
});

/** Resolves when a number has not changed for half a second. */
async function steady(read: () => number): Promise<void> {
  let [last, sinceMs] = [-1, 0];
  await until('it stands still', () => {
    if (read() !== last) [last, sinceMs] = [read(), performance.now()];
    return last > 0 && performance.now() - sinceMs > 500;
  });
}
