import { afterEach, describe, expect, it } from 'vitest';
import { answer, type Behaviour } from '../support/backend.ts';
import { hostileAnswers, hostileBodies } from '../support/hostile-answers.ts';
import { clear, serve } from './harness.ts';

const reply = (bytes: string): Behaviour => ({
  onRequest: (_, socket) => void socket.write(bytes, 'latin1'),
});

afterEach(clear);

describe('U3: an invalid answer is a 502, and its connection is thrown away', () => {
  it.each(Object.entries(hostileAnswers))('%s', async (_, bytes) => {
    const { backend, harness } = await serve(reply(bytes));
    const exchange = await harness.run();
    expect(exchange.refusal?.code).toBe('upstream_invalid');
    await backend.until(() => backend.sockets.size === 0);
    backend.behaviour = reply(answer('healthy'));
    expect((await harness.run()).text).toBe('healthy');
    expect(backend.requests).toHaveLength(2);
  });

  it.each([1, 5, 11, 12, 20])('judges an answer alike when it comes in pieces of %i bytes', async (size) => {
    const bytes = Buffer.from('HTTP/2.0 200 OK\r\nContent-Length: 2\r\n\r\nok');
    const { harness } = await serve({
      onRequest: (_, socket) => {
        const next = (at: number): void => {
          if (at < bytes.length)
            socket.write(bytes.subarray(at, at + size), () => setImmediate(next, at + size));
        };
        next(0);
      },
    });
    expect((await harness.run()).refusal?.code).toBe('upstream_invalid');
  });

  it.each([
    ['another answer', answer('stale')],
    ['junk', 'junk'],
    ['a NUL', '\0'],
  ])('%s behind an answer reaches nobody', async (_, extra) => {
    const { backend, harness } = await serve(reply(answer('first') + extra));
    expect((await harness.run()).text).toBe('first');
    backend.behaviour = reply(answer('second'));
    expect((await harness.run()).text).toBe('second');
    expect(backend.accepted).toBe(2);
  });

  it('an answer that comes unasked, on a kept connection, reaches nobody', async () => {
    const { backend, harness } = await serve();
    await harness.run();
    for (const socket of backend.sockets) socket.write(answer('stale'));
    await backend.until(() => backend.sockets.size === 0);
    expect((await harness.run()).text).toBe('ok');
    expect(backend.accepted).toBe(2);
  });

  it.each(Object.entries(hostileBodies))('U4: %s cuts the answer short', async (_, body) => {
    const { backend, harness } = await serve(
      reply(`HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n${body}`),
    );
    const exchange = await harness.run();
    expect([exchange.status, exchange.ending]).toEqual([200, 'destroyed']);
    expect(harness.notes.all).toEqual(['answered 200', 'failed invalid']);
    await backend.until(() => backend.sockets.size === 0);
  });
});

describe('U4: an answer cut short is cut short for the caller', () => {
  const cuts: readonly (readonly [string, string])[] = [
    ['within a length', 'HTTP/1.1 200 OK\r\nContent-Length: 20\r\n\r\nok'],
    [
      'within a length, with Connection: close',
      'HTTP/1.1 200 OK\r\nContent-Length: 20\r\nConnection: close\r\n\r\nok',
    ],
    ['within a chunk', 'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nok'],
    ['before the last chunk', 'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n'],
    [
      'before the last chunk, from HTTP/1.0',
      'HTTP/1.0 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n',
    ],
  ];

  it.each(cuts)('by a close, %s', async (_, bytes) => {
    const { harness } = await serve({ onRequest: (__, socket) => void socket.end(bytes) });
    expect(await harness.begin().over).toBe('destroyed');
  });

  it.each([...cuts, ['where only its end would have ended it', 'HTTP/1.1 200 OK\r\n\r\nok'] as const])(
    'by a reset, %s',
    async (_, bytes) => {
      const { backend, harness } = await serve({ onRequest: (__, socket) => void socket.write(bytes) });
      const exchange = harness.begin();
      await exchange.until(() => exchange.text === 'ok');
      for (const socket of backend.sockets) socket.resetAndDestroy();
      expect(await exchange.over).toBe('destroyed');
      expect(exchange.text).toBe('ok');
    },
  );
});

describe('U9: interim answers', () => {
  it.each([
    ['100', 'HTTP/1.1 100 Continue\r\n\r\n'],
    ['102', 'HTTP/1.1 102 Processing\r\n\r\n'],
    ['103 with fields', 'HTTP/1.1 103 Early Hints\r\nLink: </a.css>\r\nX-Early: 1\r\n\r\n'],
    ['several', 'HTTP/1.1 102 Processing\r\n\r\n'.repeat(5)],
  ])('%s before the final one is dropped', async (_, interim) => {
    const { backend, harness } = await serve(
      reply(`${interim}HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok`),
    );
    const exchange = await harness.run();
    expect([exchange.status, exchange.text, exchange.answerHeaders]).toEqual([200, 'ok', []]);
    expect((await harness.run()).text).toBe('ok');
    expect(backend.accepted).toBe(1);
  });

  it('an interim answer in single bytes is dropped too', async () => {
    const bytes = 'HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok';
    const { harness } = await serve({
      onRequest: (_, socket) => {
        const next = (at: number): void => {
          if (at < bytes.length) socket.write(bytes[at]!, () => setImmediate(next, at + 1));
        };
        next(0);
      },
    });
    expect((await harness.run()).text).toBe('ok');
  });
});
