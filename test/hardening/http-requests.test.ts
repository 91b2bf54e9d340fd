/** Group H, meaning: bodies of refused requests, connections with several requests, and what is not offered. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Arena, bytesOf, codeOf, mint } from './arena.ts';

let arena: Arena;

beforeAll(async () => {
  arena = await Arena.start();
});
afterAll(() => arena.stop());

const post = (fields: string, body = '', target = '/open/x'): string =>
  bytesOf(target, { method: 'POST', fields, body });

describe('H5: the body of a refused request', () => {
  const inner = bytesOf('/open/smuggled');
  it.each([
    ['404', '/nowhere', {}, '404 route_not_found'],
    ['401', '/orders/x', {}, '401 credentials_missing'],
    ['401 after verification', '/orders/x', { token: 'a.b.c' }, '401 token_malformed'],
    ['400 for the path', '/open/../x', {}, '400 path_not_canonical'],
    ['405', '/small', { method: 'PUT' }, '405 method_not_allowed'],
  ])('%s: dropped, whether sized or chunked, never read as a request', async (_, target, ask, code) => {
    const sized = bytesOf(target, {
      method: 'POST', ...ask, fields: `Content-Length: ${inner.length}\r\n`, body: inner,
    }); // prettier-ignore
    const chunked = bytesOf(target, {
      method: 'POST', ...ask,
      fields: 'Transfer-Encoding: chunked\r\n',
      body: `${inner.length.toString(16)}\r\n${inner}\r\n0\r\n\r\n`,
    }); // prettier-ignore
    for (const bytes of [sized, chunked]) {
      const [first, second] = await arena.attack(async (client) => {
        client.send(bytes);
        const refused = await client.read();
        client.send(bytesOf('/open/next'));
        return [refused, await client.read()] as const;
      }, 1);
      expect(codeOf(first)).toBe(code);
      expect(second.text).toBe('GET /open/next 0');
    }
  });

  it('413 ends the connection at once when the announced length is too large', async () => {
    const bytes = post(`Content-Length: 2000\r\n`, 'x'.repeat(2000), '/small');
    expect(await arena.sendAndBeCut(bytes)).toBe('413 body_too_large');
  });

  it('413 ends the connection when a chunked body grows too large, and nothing reaches the backend', async () => {
    const chunks = `200\r\n${'x'.repeat(512)}\r\n400\r\n${'x'.repeat(1024)}\r\n0\r\n\r\n`;
    const bytes = post('Transfer-Encoding: chunked\r\n', chunks, '/small');
    const before = arena.backend.incomplete.length;
    expect(await arena.sendAndBeCut(bytes)).toBe('413 body_too_large');
    expect(arena.backend.incomplete.slice(before).some((bytes) => bytes.includes('\r\n0\r\n\r\n'))).toBe(
      false,
    );
  });

  it('a body of exactly the limit passes', async () => {
    expect(await arena.send(post('Content-Length: 1000\r\n', 'x'.repeat(1000), '/small'), 1)).toBe('200');
  });
});

describe('H6: authorization is per request', () => {
  it('a good token does not open the next request on its connection', async () => {
    const codes = await arena.attack(async (client) => {
      const all: string[] = [];
      for (const token of [mint(), undefined, mint({ scope: '' }), mint(), 'x.y.z']) {
        client.send(bytesOf('/orders/mine', token === undefined ? {} : { token }));
        all.push(String((await client.read()).status));
      }
      return all;
    }, 2);
    expect(codes).toEqual(['200', '401', '403', '200', '401']);
  });

  it('requests pipelined behind one that waits are not served by its verdict', async () => {
    const got = await arena.attack(async (client) => {
      client.send(bytesOf('/decide', { token: mint() }) + bytesOf('/open/behind'));
      return (await client.readToEnd()).toString('latin1');
    });
    // The driver closes a connection that pipelines behind a pending answer.
    expect(got).not.toContain('/open/behind');
  });

  it('requests pipelined behind a decision at hand are each decided', async () => {
    const token = mint();
    const codes = await arena.attack(async (client) => {
      client.send(bytesOf('/decide', { token }));
      const first = await client.read();
      client.send(bytesOf('/decide', { token }) + bytesOf('/decide') + bytesOf('/decide', { token }));
      return [first, await client.read(), await client.read(), await client.read()].map((a) => a.status);
    });
    expect(codes).toEqual([204, 204, 401, 204]);
  });
});

describe('H7: methods and upgrades that are not offered', () => {
  it.each([
    ['CONNECT', 'CONNECT /open/x HTTP/1.1\r\nHost: a\r\n\r\n'],
    ['CONNECT to an authority', 'CONNECT other.example:443 HTTP/1.1\r\nHost: other.example:443\r\n\r\n'],
    ['TRACE', 'TRACE /open/x HTTP/1.1\r\nHost: a\r\n\r\n'],
    ['TRACK', 'TRACK /open/x HTTP/1.1\r\nHost: a\r\n\r\n'],
    ['a method of its own', 'BREW /open/x HTTP/1.1\r\nHost: a\r\n\r\n'],
    ['a method in lower case', 'get /open/x HTTP/1.1\r\nHost: a\r\n\r\n'],
    ['PRI (HTTP/2 with prior knowledge)', 'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n'],
  ])('%s is refused and the connection closed', async (_, bytes) => {
    expect(await arena.sendAndBeCut(bytes)).toMatch(/^(?:400|501|505|closed)/);
  });

  it.each([
    [
      'h2c',
      'Connection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: AAMAAABkAAQCAAAAAAIAAAAA\r\n',
    ],
    ['h2c without Connection', 'Upgrade: h2c\r\n'],
    [
      'websocket',
      'Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n',
    ],
    [
      'websocket with an odd version',
      'Connection: Upgrade\r\nUpgrade: WebSocket\r\nSec-WebSocket-Version: 777\r\n',
    ],
    ['TLS', 'Connection: Upgrade\r\nUpgrade: TLS/1.0\r\n'],
    ['an empty upgrade', 'Upgrade:\r\n'],
  ])('an upgrade to %s is 501 and never forwarded', async (_, fields) => {
    for (const target of ['/open/x', '/orders/x']) {
      expect(await arena.send(bytesOf(target, { fields }))).toBe('501 upgrade_unsupported');
    }
  });
});

describe('H8: Expect', () => {
  const waiting = (expectation: string): string => post(`Content-Length: 3\r\nExpect: ${expectation}\r\n`);

  it('100-continue is answered 100 and the body forwarded', async () => {
    const statuses = await arena.attack(async (client) => {
      client.send(waiting('100-continue'));
      const interim = await client.readAny();
      client.send('abc');
      return [interim.status, (await client.read()).status];
    }, 1);
    expect(statuses).toEqual([100, 200]);
    expect(arena.reached.at(-1)!.body.toString()).toBe('abc');
    expect(arena.reached.at(-1)!.values('expect')).toEqual([]);
  });

  it('100-Continue, in another case, is not answered, and the body forwarded when it comes', async () => {
    expect(await arena.send(`${waiting('100-Continue')}abc`, 1)).toBe('200');
    expect(arena.reached.at(-1)!.body.toString()).toBe('abc');
  });

  it.each(['200-ok', '100-continue, x', '100', 'x', '', '100-continue; q=1'])(
    'Expect: %s is 417',
    async (value) => {
      expect(await arena.sendAndBeCut(waiting(value))).toMatch(/^417/);
    },
  );

  it('Expect twice, one of them odd, is 417', async () => {
    const bytes = post('Content-Length: 3\r\nExpect: 100-continue\r\nExpect: x\r\n', 'abc');
    expect(await arena.sendAndBeCut(bytes)).toMatch(/^417/);
  });

  it('a refusal in place of 100 keeps the connection in step', async () => {
    const codes = await arena.attack(async (client) => {
      client.send(
        bytesOf('/orders/x', { method: 'POST', fields: 'Content-Length: 3\r\nExpect: 100-continue\r\n' }),
      );
      const refused = await client.read();
      client.send('abc' + bytesOf('/open/next'));
      return [refused.status, (await client.read()).text];
    }, 1);
    expect(codes).toEqual([401, 'GET /open/next 0']);
  });
});

describe('H9: whatever a client does wrong', () => {
  it('is answered with 4xx or cut, never with 500, and ends nothing', async () => {
    const odd = [
      '\0\0\0\0', '\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03', 'GET', 'GET /', 'GET / HTTP/1.1\r\n', '\r\n',
      'HTTP/1.1 200 OK\r\n\r\n', bytesOf('*', { method: 'OPTIONS' }), bytesOf('/open/x', { method: 'POST' }),
      bytesOf('/open/\xff'), bytesOf('/open/%'), bytesOf('/open/%zz'), bytesOf('/open/x?\x80'), bytesOf(''),
      bytesOf('/open/x', { fields: 'Authorization\r\n' }), bytesOf('/orders/x', { fields: 'Authorization: Bearer\r\n' }),
      bytesOf('/orders/x', { fields: `Authorization: Bearer ${'a'.repeat(15_000)}\r\n` }),
      bytesOf('/orders/x', { fields: 'Authorization: Bearer \xc3\xa9.\xc3\xa9.\xc3\xa9\r\n' }),
      bytesOf('/orders/x', { fields: 'Authorization: Bearer ..\r\n' }),
      post('Content-Length: 10\r\n', 'abc'), post('Transfer-Encoding: chunked\r\n', '3\r\nab'),
    ]; // prettier-ignore
    for (const bytes of odd) {
      const text = await arena
        .attack(async (client) => {
          client.send(bytes);
          client.end();
          return (await client.readToEnd()).toString('latin1');
        })
        .catch((error: Error) => (/saw 1 requests/.test(error.message) ? '' : Promise.reject(error)));
      expect([bytes, text]).toEqual([bytes, expect.stringMatching(/^(?:$|HTTP\/1\.1 (?:4\d\d|501|505))/)]);
    }
  });

  it('a refusal to HEAD has a head like any other and no body', async () => {
    for (const [target, fields, status] of [
      ['/nowhere', '', 404],
      ['/orders/x', '', 401],
      ['/open/x', 'X : y\r\n', 400],
      ['/open/x', 'Expect: x\r\n', 417],
    ] as const) {
      await arena.attack(async (client) => {
        client.send(bytesOf(target, { method: 'HEAD', fields }));
        client.end();
        const text = (await client.readToEnd()).toString('latin1');
        expect(text.startsWith(`HTTP/1.1 ${status} `)).toBe(true);
        if (!text.includes('<h1>')) expect(text.endsWith('\r\n\r\n')).toBe(true);
      });
    }
  });
});
