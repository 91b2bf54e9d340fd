/** The canary of the tests on the wire: that their backend and their client see what is wrong. */
import { createServer, type AddressInfo } from 'node:net';
import { describe, expect, it } from 'vitest';
import { Backend } from './backend.ts';
import { hostileAnswers } from './hostile-answers.ts';
import { RawClient, RawClientError } from './raw-client.ts';

const host = 'Host: a\r\n';

describe('the backend notes', () => {
  it.each([
    ['no Host', 'GET / HTTP/1.1\r\n\r\n'],
    ['two Hosts', `GET / HTTP/1.1\r\n${host}${host}\r\n`],
    ['another version', `GET / HTTP/1.0\r\n${host}\r\n`],
    ['an absolute target', `GET http://a/ HTTP/1.1\r\n${host}\r\n`],
    ['a space in the target', `GET /a b HTTP/1.1\r\n${host}\r\n`],
    ['bytes beyond ASCII in the target', `GET /\xe9 HTTP/1.1\r\n${host}\r\n`],
    ['bare LF', 'GET / HTTP/1.1\nHost: a\n\n'],
    ['a folded field', `GET / HTTP/1.1\r\n${host} b\r\n\r\n`],
    ['a control in a value', `GET / HTTP/1.1\r\n${host}X: \x01\r\n\r\n`],
    ['a field without a name', `GET / HTTP/1.1\r\n${host}: b\r\n\r\n`],
    ['two lengths', `POST / HTTP/1.1\r\n${host}Content-Length: 1\r\nContent-Length: 1\r\n\r\na`],
    [
      'length and coding',
      `POST / HTTP/1.1\r\n${host}Content-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n`,
    ],
    ['another coding', `POST / HTTP/1.1\r\n${host}Transfer-Encoding: Chunked\r\n\r\n0\r\n\r\n`],
    ['a length with a sign', `POST / HTTP/1.1\r\n${host}Content-Length: +1\r\n\r\na`],
    [
      'a chunk extension',
      `POST / HTTP/1.1\r\n${host}Transfer-Encoding: chunked\r\n\r\n1;a\r\na\r\n0\r\n\r\n`,
    ],
    ['trailers', `POST / HTTP/1.1\r\n${host}Transfer-Encoding: chunked\r\n\r\n0\r\nX: a\r\n\r\n`],
    ['bytes behind a request', `GET / HTTP/1.1\r\n${host}\r\nGET`],
  ])('%s', async (_, bytes) => {
    const backend = await Backend.start();
    const client = await RawClient.connect(backend.port);
    client.send(bytes);
    await backend.until(() => backend.faults.length > 0);
    client.destroy();
    await backend.close();
    expect(backend.faults).toHaveLength(1);
  });

  it('nothing wrong with a good request, and keeps its bytes', async () => {
    const backend = await Backend.start();
    const bytes = `POST /a?b HTTP/1.1\r\n${host}Transfer-Encoding: chunked\r\n\r\n2\r\nok\r\n0\r\n\r\n`;
    expect((await RawClient.once(backend.port, bytes)).text).toBe('ok');
    await backend.close();
    expect([backend.faults, backend.requests[0]!.raw.toString('latin1')]).toEqual([[], bytes]);
  });

  it('a request that was not completed', async () => {
    const backend = await Backend.start();
    const client = await RawClient.connect(backend.port);
    client.send(`POST / HTTP/1.1\r\n${host}Content-Length: 9\r\n\r\nok`);
    client.end();
    await backend.until(() => backend.incomplete.length > 0);
    await backend.close();
    expect([backend.requests, backend.faults]).toEqual([[], []]);
  });
});

describe('the raw client', () => {
  // These it cannot tell without knowing more than the letter, or they have no end.
  const tellable = Object.entries(hostileAnswers).filter(
    ([name]) =>
      !/over the limit|than the limit|upgrade|101|without an end|safe integers|beyond any number/.test(name),
  );

  it.each(tellable)('does not take %s', async (_, bytes) => {
    const server = createServer((socket) => void socket.on('error', () => {}).end(bytes, 'latin1'));
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const { port } = server.address() as AddressInfo;
    await expect(RawClient.once(port, 'GET / HTTP/1.1\r\n\r\n')).rejects.toBeInstanceOf(RawClientError);
    server.close();
  });

  it('gives up when nothing comes, and says so', async () => {
    const backend = await Backend.start({ onRequest: () => {} });
    const waiting = RawClient.once(backend.port, `GET / HTTP/1.1\r\n${host}\r\n`, { timeoutMs: 20 });
    await expect(waiting).rejects.toThrow('no sign of an answer in 20 ms');
    await backend.close();
  });

  it('skips interim answers unless asked for them', async () => {
    const bytes = 'HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 204 No Content\r\n\r\n';
    const backend = await Backend.replying(bytes + bytes);
    const client = await RawClient.connect(backend.port);
    client.send(`GET / HTTP/1.1\r\n${host}\r\n`);
    expect([
      (await client.readAny()).status,
      (await client.read()).status,
      (await client.read()).status,
    ]).toEqual([100, 204, 204]);
    client.destroy();
    await backend.close();
  });
});
