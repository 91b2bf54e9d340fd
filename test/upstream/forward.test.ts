import { afterEach, describe, expect, it } from 'vitest';
import { answer, type Behaviour } from '../support/backend.ts';
import { clear, serve } from './harness.ts';

const reply = (bytes: string): Behaviour => ({
  onRequest: (_, socket) => void socket.write(bytes, 'latin1'),
});

afterEach(clear);

describe('U1: one well-formed request for each accepted one', () => {
  it('sends a request without a body as a head alone', async () => {
    const { backend, harness } = await serve();
    const exchange = await harness.run({ target: '/orders?x=1' });
    expect(exchange.text).toBe('ok');
    expect(exchange.status).toBe(200);
    expect(backend.requests).toHaveLength(1);
    expect(backend.requests[0]!.raw.toString('latin1')).toMatch(
      /^GET \/orders\?x=1 HTTP\/1\.1\r\nhost: 127\.0\.0\.1:\d+\r\n/,
    );
    expect(backend.requests[0]!.values('content-length')).toEqual([]);
    expect(backend.requests[0]!.values('transfer-encoding')).toEqual([]);
  });

  it.each([
    ['POST', 'small', 'hello'],
    ['PUT', 'as large as is collected', 'x'.repeat(16_384)],
    ['POST', 'larger than is collected', 'x'.repeat(300_000)],
  ])('sends a %s body of known length, %s, with that length', async (method, _, body) => {
    const { backend, harness } = await serve();
    const exchange = await harness.run({ method, body });
    expect(exchange.text).toBe('ok');
    expect(backend.requests[0]!.body.toString()).toBe(body);
    expect(backend.requests[0]!.values('content-length')).toEqual([String(body.length)]);
  });

  it('sends an empty POST with a length of 0', async () => {
    const { backend, harness } = await serve();
    await harness.run({ method: 'POST' });
    expect(backend.requests[0]!.values('content-length')).toEqual(['0']);
  });

  it('sends a body of unknown length in chunks, once', async () => {
    const { backend, harness } = await serve();
    const exchange = harness.begin({ method: 'POST', body: null });
    exchange.body!.feed(Buffer.from('one '), false);
    await backend.until(() => backend.sockets.size === 1);
    exchange.body!.feed(Buffer.from('two'), false);
    exchange.body!.feed(Buffer.alloc(0), true);
    await exchange.over;
    expect(backend.requests[0]!.body.toString()).toBe('one two');
  });

  it('sends requests one after another on the same connection', async () => {
    const { backend, harness } = await serve();
    for (let i = 0; i < 20; i += 1) expect((await harness.run({ target: `/${i}` })).text).toBe('ok');
    expect(backend.requests.map((request) => request.target)).toEqual(
      Array.from({ length: 20 }, (_, i) => `/${i}`),
    );
    expect(backend.accepted).toBe(1);
  });
});

describe('answers', () => {
  it('passes status, fields and body on, and makes the framing anew', async () => {
    const { harness } = await serve(
      reply('HTTP/1.1 201 Made\r\nX-A: caf\xe9\r\nset-cookie: a=1\r\nSet-Cookie: b=2\r\nKeep-Alive: timeout=9\r\nConnection: x-b\r\nX-B: 1\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n0\r\nx-t: 1\r\n\r\n'), // prettier-ignore
    );
    const exchange = await harness.run();
    expect(exchange.status).toBe(201);
    expect(exchange.answerHeaders).toEqual(['x-a', 'caf\xe9', 'set-cookie', 'a=1', 'set-cookie', 'b=2']);
    expect(exchange.answerLength).toBeNull();
    expect(exchange.text).toBe('ok');
    expect(harness.notes.all).toEqual(['answered 201']);
  });

  it.each([
    ['HEAD', 'HTTP/1.1 200 OK\r\nContent-Length: 7\r\n\r\n', 200, 7],
    ['GET', 'HTTP/1.1 204 No\r\n\r\n', 204, null],
    ['GET', 'HTTP/1.1 304 No\r\nETag: "1"\r\n\r\n', 304, null],
    ['GET', 'HTTP/1.1 304 No\r\nContent-Length: 7\r\n\r\n', 304, 7],
  ])('%s answered with %j has no body', async (method, bytes, status, length) => {
    const { backend, harness } = await serve(reply(bytes));
    const exchange = await harness.run({ method });
    expect([exchange.status, exchange.answerLength, exchange.text, exchange.ending]).toEqual([
      status,
      length,
      '',
      'ended',
    ]);
    backend.behaviour = {};
    expect((await harness.run()).text).toBe('ok');
  });

  it('passes a body on that only the end of the connection ends', async () => {
    const { harness } = await serve({
      onRequest: (_, socket) => void socket.end('HTTP/1.1 200 OK\r\n\r\nto the end'),
    });
    const exchange = await harness.run();
    expect([exchange.text, exchange.ending, exchange.answerLength]).toEqual(['to the end', 'ended', null]);
  });

  it('passes events on as they come', async () => {
    let send: (text: string) => void = () => {};
    const { harness } = await serve({
      onRequest: (_, socket) => {
        socket.write(
          'HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n',
        );
        send = (text) => socket.write(`${text.length.toString(16)}\r\n${text}\r\n`);
      },
    });
    const exchange = harness.begin();
    await exchange.until(() => exchange.status === 200);
    for (const event of ['data: 1\n\n', 'data: 2\n\n']) {
      send(event);
      await exchange.until(() => exchange.text.endsWith(event));
    }
    exchange.leave();
  });

  it('passes an early answer on while the body is still coming, and lets the rest run dry', async () => {
    const { backend, harness } = await serve({
      onHead: (_, socket) => {
        socket.write(answer('no need'));
        return true;
      },
    });
    const exchange = harness.begin({ method: 'POST', body: 1_000_000 });
    exchange.body!.feed(Buffer.alloc(100_000), false);
    expect(await exchange.over).toBe('ended');
    expect(exchange.text).toBe('no need');
    expect(exchange.body!.paused).toBe(false);
    exchange.body!.feed(Buffer.alloc(900_000), true);
    // That connection is out of step; the next request has one of its own.
    await backend.until(() => backend.sockets.size === 0);
    backend.behaviour = {};
    expect((await harness.run()).text).toBe('ok');
    expect(backend.accepted).toBe(2);
  });
});
