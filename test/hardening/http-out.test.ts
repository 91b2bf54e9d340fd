/** Group U, messages: what goes to upstreams, and what they may answer. The details are held in `test/upstream`. */
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { answer } from '../support/backend.ts';
import { hostileAnswers, hostileBodies } from '../support/hostile-answers.ts';
import { Arena, arenaConfig, bytesOf, echo } from './arena.ts';

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

describe('U1: one well-formed request for each accepted one', () => {
  it('framed anew, one Host, nothing of one hop', async () => {
    const fields =
      'Connection: keep-alive, X-Hop\r\nX-Hop: 1\r\nKeep-Alive: timeout=5\r\nTE: trailers\r\nTrailer: X\r\nProxy-Connection: keep-alive\r\nProxy-Authorization: Basic eDp5\r\nHTTP2-Settings: AAMAAABkAAQCAAAAAAIAAAAA\r\nX-End: 2\r\n';
    expect(
      await arena.send(
        bytesOf('/open/x', {
          method: 'POST',
          fields: `${fields}Transfer-Encoding: chunked\r\n`,
          body: '2\r\nab\r\n1\r\nc\r\n0\r\n\r\n',
        }),
        1,
      ),
    ).toBe('200');
    const seen = arena.reached.at(-1)!;
    expect(seen.body.toString()).toBe('abc');
    expect(seen.values('host')).toEqual([new URL(arena.backend.url).host]);
    expect(seen.values('x-end')).toEqual(['2']);
    for (const name of [
      'x-hop',
      'te',
      'trailer',
      'keep-alive',
      'proxy-connection',
      'proxy-authorization',
      'http2-settings',
      'authorization',
    ])
      expect([name, seen.values(name)]).toEqual([name, []]);
  });

  it.each(['GET', 'HEAD', 'DELETE', 'OPTIONS'])(
    'a body of %s is forwarded or none is, and the next request is in step',
    async (method) => {
      const bytes = bytesOf('/open/x', { method, fields: 'Content-Length: 3\r\n', body: 'abc' });
      await arena.attack(async (client) => {
        client.send(bytes);
        expect((await client.read({ method })).status).toBe(200);
        client.send(bytesOf('/open/y'));
        expect((await client.read()).text).toBe('GET /open/y 0');
      }, 2);
      expect(arena.reached.at(-2)!.body.toString()).toBe('abc');
    },
  );

  it('a POST without a body has a length of 0 or none, never a coding', async () => {
    expect(await arena.send(bytesOf('/open/x', { method: 'POST' }), 1)).toBe('200');
    expect(arena.reached.at(-1)!.values('transfer-encoding')).toEqual([]);
  });
});

describe('U2: an incomplete body never becomes a complete request', () => {
  it.each([
    ['sized, small', 'Content-Length: 10\r\n', 'abc'],
    ['sized, large', `Content-Length: ${mebibyte}\r\n`, 'x'.repeat(mebibyte - 1)],
    ['chunked, within a chunk', 'Transfer-Encoding: chunked\r\n', '5\r\nabc'],
    ['chunked, before the last chunk', 'Transfer-Encoding: chunked\r\n', '3\r\nabc\r\n'],
    ['chunked, large', 'Transfer-Encoding: chunked\r\n', `40000\r\n${'x'.repeat(0x40000)}\r\n`],
  ])('%s, whether the caller closes, half-closes or resets', async (_, fields, body) => {
    for (const leave of ['destroy', 'end', 'reset'] as const) {
      await arena.attack(async (client) => {
        client.send(bytesOf('/open/x', { method: 'POST', fields, body }));
        await new Promise(setImmediate);
        client[leave]();
        if (leave === 'end') await client.readToEnd();
      });
    }
    await arena.untilIdle();
  });
});

describe('U3: an invalid answer is 502, and its connection is thrown away', () => {
  it.each(Object.entries(hostileAnswers))('%s', async (_, bytes) => {
    arena.onRequest = (_request, socket) => socket.write(bytes, 'latin1');
    const accepted = arena.backend.accepted;
    const code = await arena.send(bytesOf('/open/x'), 1);
    expect(code).toMatch(/^50[24] upstream_(?:invalid|reset|timeout)$/);
    expect(arena.backend.accepted).toBeGreaterThan(accepted);
  });

  it('bytes beyond the answer are not the next caller’s answer', async () => {
    for (const beyond of ['x', answer('poison'), 'HTTP/1.1 200 OK\r\n', '\r\n\r\n', '\0'.repeat(1000)]) {
      arena.onRequest = (_request, socket) => socket.write(answer('ok') + beyond, 'latin1');
      expect(await arena.send(bytesOf('/open/x'), 1)).toMatch(/^(?:200|502 upstream_invalid)$/);
      arena.onRequest = (request, socket) => socket.write(echo(request));
      for (let n = 0; n < 5; n += 1)
        expect(
          (await arena.attack(async (client) => (client.send(bytesOf(`/open/${n}`)), client.read()), 1)).text,
        ).toBe(`GET /open/${n} 0`);
    }
  });

  it('an answer that nobody asked for is nobody’s', async () => {
    for (const socket of arena.backend.sockets) socket.write(answer('poison'));
    await arena.send(bytesOf('/nowhere'));
    expect(
      (await arena.attack(async (client) => (client.send(bytesOf('/open/mine')), client.read()), 1)).text,
    ).toBe('GET /open/mine 0');
  });
});

describe('U4: an answer cut short is cut short for the caller', () => {
  it.each([
    ['sized', 'HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nabc'],
    ['chunked', 'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n'],
    ...Object.entries(hostileBodies).map(
      ([name, body]) =>
        [name, `HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n${body}`] as const,
    ),
  ] as const)('%s', async (_, bytes) => {
    arena.onRequest = (_request, socket) => {
      socket.write(bytes, 'latin1');
      socket.end();
    };
    const got = await arena.attack(async (client) => {
      client.send(bytesOf('/open/x'));
      return (await client.readToEnd()).toString('latin1');
    }, 1);
    // Either nothing but a refusal, or an answer without its end.
    if (!got.startsWith('HTTP/1.1 502')) {
      expect(got).toMatch(/^HTTP\/1\.1 200 /);
      expect(got).not.toMatch(/\r\n0\r\n\r\n$/);
    }
  });
});

describe('U5: what may be sent again', () => {
  it('a GET on a kept connection that dies, but no POST', async () => {
    for (const [method, tries, code] of [
      ['GET', 2, '200'],
      ['POST', 1, '502 upstream_reset'],
    ] as const) {
      expect(await arena.send(bytesOf('/open/warm'), 1)).toBe('200');
      let seen = 0;
      arena.onRequest = (request, socket) => {
        seen += 1;
        if (seen === 1) socket.resetAndDestroy();
        else socket.write(echo(request));
      };
      const fields = method === 'POST' ? 'Content-Length: 3\r\n' : '';
      const body = method === 'POST' ? 'abc' : '';
      expect(await arena.send(bytesOf('/open/x', { method, fields, body }), tries)).toBe(code);
      arena.onRequest = (request, socket) => socket.write(echo(request));
    }
  });
});

describe('U1: fields of answers', () => {
  it('nothing of one hop, and nothing split', async () => {
    arena.onRequest = (_, socket) =>
      socket.write(
        'HTTP/1.1 200 Fine\r\nContent-Length: 2\r\nConnection: X-Hop\r\nX-Hop: 1\r\nKeep-Alive: timeout=9\r\nSet-Cookie: a=1\r\nSet-Cookie: b=2\r\nX-Request-Id: theirs\r\nDate: Mon, 01 Jan 2001 00:00:00 GMT\r\nX-Bytes: a\xe9b\r\n\r\nok',
        'latin1',
      );
    const got = await arena.attack(async (client) => (client.send(bytesOf('/open/x')), client.read()), 1);
    expect(got.values('set-cookie')).toEqual(['a=1', 'b=2']);
    expect(got.values('x-bytes')).toEqual(['a\xe9b']);
    expect(got.values('x-request-id')).toEqual([expect.not.stringContaining('theirs')]);
    for (const name of ['x-hop', 'keep-alive']) expect(got.values(name)).toEqual([]);
    for (const name of ['date', 'content-length']) expect(got.values(name)).toHaveLength(1);
  });
  it('a sized answer to HEAD, 204 and 304 have no body and keep the connection in step', async () => {
    for (const [method, head] of [
      ['HEAD', '200 OK\r\nContent-Length: 5'],
      ['GET', '204 No Content'],
      ['GET', '304 Not Modified\r\nContent-Length: 5'],
    ] as const) {
      arena.onRequest = (_, socket) => socket.write(`HTTP/1.1 ${head}\r\n\r\n`);
      await arena.attack(async (client) => {
        client.send(bytesOf('/open/x', { method }));
        expect((await client.read({ method })).status).toBe(Number(head.slice(0, 3)));
        arena.onRequest = (request, socket) => socket.write(echo(request));
        client.send(bytesOf('/open/y'));
        expect((await client.read()).text).toBe('GET /open/y 0');
      }, 2);
    }
  });
  it('a chunked answer that is all there is sent with its length, a longer one in chunks', async () => {
    const chunks = (...pieces: string[]): string => pieces.map((piece) => `${piece.length.toString(16)}\r\n${piece}\r\n`).join(''); // prettier-ignore
    const head = 'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n';
    arena.onRequest = (_, socket) => socket.write(`${head}${chunks('a', 'bc', 'd')}0\r\nX-T: 1\r\n\r\n`);
    const short = await arena.attack(async (client) => (client.send(bytesOf('/open/x')), client.read()), 1);
    expect([short.text, short.values('content-length'), short.values('x-t')]).toEqual(['abcd', ['4'], []]);

    const long = 'x'.repeat(300_000);
    arena.onRequest = (_, socket) => socket.write(`${head}${chunks(long, 'end')}0\r\n\r\n`);
    const got = await arena.attack(async (client) => (client.send(bytesOf('/open/x')), client.read()), 1);
    expect([got.text, got.values('transfer-encoding')]).toEqual([`${long}end`, ['chunked']]);
  });
  it('post bodies of every size arrive whole', async () => {
    for (const size of [0, 1, 16_383, 16_384, 16_385, 65_536, 300_000]) {
      expect(await arena.send(post('/open/x', 'x'.repeat(size)), 1)).toBe('200');
      expect(arena.reached.at(-1)!.body.length).toBe(size);
    }
  });
});
