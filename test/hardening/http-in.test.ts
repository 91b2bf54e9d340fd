/** Group H: requests that are not well-formed HTTP, or that ask for what is not offered. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { SeenRequest } from '../support/backend.ts';
import { Arena, arenaConfig, bytesOf, codeOf, mint } from './arena.ts';

let arena: Arena;

beforeAll(async () => {
  arena = await Arena.start();
});
afterAll(() => arena.stop());

const post = (fields: string, body = '', target = '/open/x'): string =>
  bytesOf(target, { method: 'POST', fields, body });
const refusedAtOnce = /^(?:400|431|501|505)\b/;

describe('H1: framing that two servers could read in two ways', () => {
  const chunkedBody = '3\r\nabc\r\n0\r\n\r\n';
  it.each([
    [
      'Content-Length and Transfer-Encoding',
      'Content-Length: 3\r\nTransfer-Encoding: chunked\r\n',
      chunkedBody,
    ],
    [
      'Transfer-Encoding and Content-Length',
      'Transfer-Encoding: chunked\r\nContent-Length: 3\r\n',
      chunkedBody,
    ],
    [
      'Transfer-Encoding and Content-Length: 0',
      'Transfer-Encoding: chunked\r\nContent-Length: 0\r\n',
      chunkedBody,
    ],
    ['two different Content-Length', 'Content-Length: 3\r\nContent-Length: 5\r\n', 'abc'],
    ['two equal Content-Length', 'Content-Length: 3\r\nContent-Length: 3\r\n', 'abc'],
    ['two Content-Length of 0', 'Content-Length: 0\r\nContent-Length: 0\r\n', ''],
    ['a list of Content-Lengths', 'Content-Length: 3, 3\r\n', 'abc'],
    ['Content-Length with a sign', 'Content-Length: +3\r\n', 'abc'],
    ['a negative Content-Length', 'Content-Length: -3\r\n', 'abc'],
    ['Content-Length in hexadecimal', 'Content-Length: 0x3\r\n', 'abc'],
    ['Content-Length with a fraction', 'Content-Length: 3.0\r\n', 'abc'],
    ['Content-Length with a letter behind', 'Content-Length: 3a\r\n', 'abc'],
    ['Content-Length with a space in it', 'Content-Length: 3 3\r\n', 'abc'],
    ['an empty Content-Length', 'Content-Length: \r\n', 'abc'],
    ['Content-Length beyond 64 bits', 'Content-Length: 18446744073709551619\r\n', 'abc'],
    ['Content-Length of sixteen digits', 'Content-Length: 1000000000000003\r\n', 'abc'],
    ['Transfer-Encoding twice', 'Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n', chunkedBody],
    ['chunked, then identity', 'Transfer-Encoding: chunked\r\nTransfer-Encoding: identity\r\n', chunkedBody],
    ['Transfer-Encoding: chunked, chunked', 'Transfer-Encoding: chunked, chunked\r\n', chunkedBody],
    ['Transfer-Encoding: gzip', 'Transfer-Encoding: gzip\r\n', 'abc'],
    ['Transfer-Encoding: gzip, chunked', 'Transfer-Encoding: gzip, chunked\r\n', chunkedBody],
    ['Transfer-Encoding: identity', 'Transfer-Encoding: identity\r\n', 'abc'],
    ['Transfer-Encoding: xchunked', 'Transfer-Encoding: xchunked\r\n', chunkedBody],
    ['Transfer-Encoding: chunked;q=1', 'Transfer-Encoding: chunked;q=1\r\n', chunkedBody],
    ['Transfer-Encoding: "chunked"', 'Transfer-Encoding: "chunked"\r\n', chunkedBody],
    ['an empty Transfer-Encoding', 'Transfer-Encoding: \r\n', chunkedBody],
    ['Transfer-Encoding with a vertical tab', 'Transfer-Encoding: \x0bchunked\r\n', chunkedBody],
    ['Transfer-Encoding with a byte above 0x7f in it', 'Transfer-Encoding: chun\xa0ked\r\n', chunkedBody],
    ['space before the colon of Content-Length', 'Content-Length : 3\r\n', 'abc'],
    ['space before the colon of Transfer-Encoding', 'Transfer-Encoding : chunked\r\n', chunkedBody],
    ['tab before the colon of Transfer-Encoding', 'Transfer-Encoding\t: chunked\r\n', chunkedBody],
    ['a folded Transfer-Encoding', 'Transfer-Encoding:\r\n chunked\r\n', chunkedBody],
    ['Transfer-Encoding behind a bare LF', 'X: y\nTransfer-Encoding: chunked\r\n', chunkedBody],
    ['Content-Length behind NUL', 'X: y\0Content-Length: 3\r\n', 'abc'],
    ['a control in the name', '\x01Content-Length: 3\r\n', 'abc'],
  ])('%s: refused, and nothing behind it is served', async (_, fields, body) => {
    expect(await arena.sendAndBeCut(post(fields, body))).toMatch(/^(?:400|501|closed)/);
  });

  it('Transfer-Encoding in HTTP/1.0 is refused', async () => {
    const bytes = post('Transfer-Encoding: chunked\r\n', chunkedBody).replace('HTTP/1.1', 'HTTP/1.0');
    expect(await arena.sendAndBeCut(bytes)).toMatch(refusedAtOnce);
  });

  it.each(['chunked', 'CHUNKED', 'Chunked'])('Transfer-Encoding: %s is understood', async (coding) => {
    expect(await arena.send(post(`Transfer-Encoding: ${coding}\r\n`, chunkedBody), 1)).toBe('200');
    expect(arena.reached.at(-1)!.body.toString()).toBe('abc');
  });

  // What reaches the backend is framed anew: it may not be more or other than what a strict reading gives.
  it.each([
    ['a size that is no number', 'zz\r\nabc\r\n0\r\n\r\n'],
    ['an empty size', '\r\nabc\r\n0\r\n\r\n'],
    ['a negative size', '-3\r\nabc\r\n0\r\n\r\n'],
    ['a size with 0x', '0x3\r\nabc\r\n0\r\n\r\n'],
    ['a size beyond 64 bits', 'fffffffffffffffff\r\nabc\r\n0\r\n\r\n'],
    ['a size that wraps 64 bits to 3', '10000000000000003\r\nabc\r\n0\r\n\r\n'],
    ['no CRLF after the data', '3\r\nabcX0\r\n\r\n'],
    ['more data than the size', '3\r\nabcdef\r\n0\r\n\r\n'],
  ])('chunks with %s never become a whole request of other bytes', async (_, body) => {
    const before = arena.reached.length;
    let seen: SeenRequest[] = [];
    await arena
      .attack(async (client) => {
        client.send(post('Transfer-Encoding: chunked\r\n', body));
        client.end();
        await client.read().catch(() => null);
        seen = arena.reached.slice(before);
      })
      .catch((error: Error) => {
        if (!error.message.includes('saw 1 requests')) throw error;
      });
    // The driver's own leniency may deliver a finished body; then it is the data that was sent, or nothing.
    for (const { body: got } of seen) expect(['', 'abc']).toContain(got.toString('latin1'));
    expect(seen.length).toBeLessThanOrEqual(1);
  });
});

describe('H1: what the driver makes of odd but legal chunks', () => {
  // It reads the letters of a chunk extension as part of the size. Nothing whole is made of that, but bytes that follow on
  // the connection may be taken for the body: a proxy before the gateway must not pass extensions on (SECURITY.md).
  it('a chunk extension never completes a request', async () => {
    const body = '3;a=b\r\nabc\r\n0\r\n\r\n';
    expect(await arena.sendAndHearNothing(post('Transfer-Encoding: chunked\r\n', body))).toBe('');
  });

  it('trailers are refused', async () => {
    const body = '3\r\nabc\r\n0\r\nX-User: root\r\n\r\n';
    const bytes = post('Trailer: X-User\r\nTransfer-Encoding: chunked\r\n', body);
    expect(await arena.sendAndBeCut(bytes)).toMatch(/^(?:400|505|closed)/);
  });
});

describe('H2: Host', () => {
  const withHosts = (hosts: string, version = '1.1'): string => `GET /open/x HTTP/${version}\r\n${hosts}\r\n`;
  it.each([
    ['is missing', ''],
    ['comes twice, alike', 'Host: a\r\nHost: a\r\n'],
    ['comes twice, different', 'Host: a\r\nHost: b\r\n'],
    ['is empty', 'Host: \r\n'],
    ['has a path', 'Host: a/b\r\n'],
    ['has user information', 'Host: user@a\r\n'],
    ['has a space', 'Host: a b\r\n'],
    ['is a list', 'Host: a, b\r\n'],
    ['has a port that is none', 'Host: a:http\r\n'],
    ['has two ports', 'Host: a:1:2\r\n'],
    ['has bytes above 0x7f', 'Host: \xc3\xa9\r\n'],
    ['has a quote', 'Host: a"b\r\n'],
    ['is an open bracket', 'Host: [::1\r\n'],
    ['has a query', 'Host: a?b\r\n'],
    ['has a fragment', 'Host: a#b\r\n'],
    ['has a backslash', 'Host: a\\b\r\n'],
  ])('a request whose Host %s is refused', async (_, hosts) => {
    expect(await arena.sendAndBeCut(withHosts(hosts))).toMatch(/^400/);
  });

  it.each(['0.9', '1.0', '1.2', '2.0', '1.1x', '11'])('version %s is refused', async (version) => {
    expect(await arena.sendAndBeCut(withHosts('Host: a\r\n', version))).toMatch(/^(?:400|505|closed)/);
  });

  it.each(['GET /open/x\r\n\r\n', 'GET\r\n\r\n', '\r\n\r\n', 'GET /open/x HTTP/1.1 x\r\nHost: a\r\n\r\n'])(
    'the request line %j is never served',
    async (bytes) => {
      expect(await arena.sendAndHearNothing(bytes)).toMatch(/^(?:HTTP\/1\.1 (?:400|505)|$)/);
    },
  );
});

describe('H3: fields', () => {
  it.each([
    ['only a space for a name', ' : value\r\n'],
    ['a space in the name', 'X Y: value\r\n'],
    ['a space before the colon', 'X : value\r\n'],
    ['a separator in the name', 'X(Y): value\r\n'],
    ['a slash in the name', 'X/Y: value\r\n'],
    ['a quote in the name', 'X"Y: value\r\n'],
    ['bytes above 0x7f in the name', 'X\xe9: value\r\n'],
    ['DEL in the name', 'X\x7f: value\r\n'],
    ['NUL in the name', 'X\0: value\r\n'],
    ['a line without a colon', 'value\r\n'],
    ['LF in the value', 'X: a\nb\r\n'],
    ['NUL in the value', 'X: a\0b\r\n'],
    ['DEL in the value', 'X: a\x7fb\r\n'],
    ['a control in the value', 'X: a\x1bb\r\n'],
    ['a vertical tab at the end of the value', 'X: a\x0b\r\n'],
    ['a folded value', 'X: a\r\n b\r\n'],
    ['a value folded by a tab', 'X: a\r\n\tb\r\n'],
    ['a fold before the first field of ours', ' X: a\r\n'],
    ['bytes that are no UTF-8', 'X: a\x80b\r\n'],
  ])('%s: refused, and nothing behind it is served', async (_, fields) => {
    expect(await arena.sendAndBeCut(bytesOf('/open/x', { fields }))).toMatch(/^(?:400|closed)/);
  });

  it.each([
    ['lines that end in a bare LF', bytesOf('/open/x').replaceAll('\r\n', '\n')],
    ['CR in a value', bytesOf('/open/x', { fields: 'X: a\rb\r\n' })],
    ['CR before CRLF', bytesOf('/open/x', { fields: 'X: a\r\r\n' })],
    ['a field behind a bare CR', post('X: y\rTransfer-Encoding: chunked\r\n', '0\r\n\r\n')],
  ])('%s: nothing is served', async (_, bytes) => {
    expect(await arena.sendAndHearNothing(bytes)).toMatch(/^(?:HTTP\/1\.1 (?:400|505)|$)/);
  });

  // Two limits of the driver, which does not show these bytes to anybody: what is served is what it read, framed anew.
  it('what stands behind a field without a name is neither read nor forwarded', async () => {
    const hidden = `: v\r\nAuthorization: Bearer ${mint()}\r\nX: y\r\n`;
    expect(await arena.send(bytesOf('/orders/x', { fields: hidden }))).toBe('401 credentials_missing');
    expect(await arena.send(bytesOf('/open/x', { fields: hidden }), 1)).toBe('200');
    expect(arena.reached.at(-1)!.raw.toString('latin1')).not.toMatch(/authorization|x: y/i);
  });

  it('bytes above 0x7f at the ends of a value are lost, and never change its meaning upstream', async () => {
    const bytes = post('X: \xe9a\xe9\r\nTransfer-Encoding: chunked\xa0\r\n', '3\r\nabc\r\n0\r\n\r\n');
    expect(await arena.send(bytes, 1)).toBe('200');
    const { body, values } = arena.reached.at(-1)!;
    expect([body.toString(), values('x'), values('content-length')]).toEqual(['abc', ['a'], ['3']]);
  });

  it.each([
    ['UTF-8', 'X: a\xc3\xa9\xe2\x82\xacb\r\n', 'a\xc3\xa9\xe2\x82\xacb'],
    ['nothing', 'X:\r\n', ''],
    ['white space around', 'X: \t a \t\r\n', 'a'],
    ['a tab within', 'X: a\tb\r\n', 'a\tb'],
  ])('a value of %s arrives as its bytes', async (_, fields, value) => {
    expect(await arena.send(bytesOf('/open/x', { fields }), 1)).toBe('200');
    expect(arena.reached.at(-1)!.values('x')).toEqual([value]);
  });
});

describe('H4: the size of a head', () => {
  it.each([
    ['more fields than the limit', 'X: y\r\n'.repeat(120)],
    ['a value beyond the limit', `X: ${'y'.repeat(17_000)}\r\n`],
    ['a name beyond the limit', `${'x'.repeat(17_000)}: y\r\n`],
    ['many fields beyond the limit of bytes', `X: ${'y'.repeat(300)}\r\n`.repeat(90)],
    ['a value of 1 MiB', `X: ${'y'.repeat(1_048_576)}\r\n`],
    ['200,000 fields', 'X: y\r\n'.repeat(200_000)],
  ])('%s is answered 431 or cut', async (_, fields) => {
    expect(await arena.sendAndBeCut(bytesOf('/open/x', { fields }))).toMatch(/^(?:431|closed)/);
  });

  it('98 fields and 14 KiB pass', async () => {
    const fields = `X: ${'y'.repeat(140)}\r\n`.repeat(97);
    expect(await arena.send(bytesOf('/open/x', { fields }), 1)).toBe('200');
  });

  it('a target beyond the limit is 414', async () => {
    expect(await arena.send(bytesOf(`/open/${'x'.repeat(8200)}`))).toBe('414 target_too_long');
    expect(await arena.send(bytesOf(`/open/x?${'x'.repeat(8200)}`))).toBe('414 target_too_long');
  });
});

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
    for (const target of ['/open/x', '/orders/x', '/nowhere']) {
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

describe('H4: smaller limits', () => {
  it('are those of the configuration', async () => {
    const preamble = `version: 1
listener: { host: 127.0.0.1, port: 0, threads: 1, max_header_bytes: 1024, max_header_count: 8, max_target_bytes: 64 }
admin: { host: 127.0.0.1, port: 0 }
`;
    const small = await Arena.start({ config: (url) => arenaConfig(url, preamble) });
    try {
      expect(await small.send(bytesOf('/open/x', { fields: 'X: y\r\n'.repeat(7) }), 1)).toBe('200');
      expect(await small.sendAndBeCut(bytesOf('/open/x', { fields: 'X: y\r\n'.repeat(8) }))).toMatch(/^431/);
      expect(await small.sendAndBeCut(bytesOf('/open/x', { fields: `X: ${'y'.repeat(1024)}\r\n` }))).toMatch(
        /^431/,
      );
      expect(await small.send(bytesOf(`/open/${'x'.repeat(60)}`))).toBe('414 target_too_long');
    } finally {
      await small.stop();
    }
  });
});
