/** What a connection of our own knows of its socket, where that is not visible in calls alone. */
import { setImmediate as turn } from 'node:timers/promises';
import { afterEach, describe, expect, it } from 'vitest';
import { answer } from '../support/backend.ts';
import { until } from '../support/until.ts';
import { clear, planOf, serve } from './harness.ts';

afterEach(clear);

const small = (fields: string): string => answer('ok', fields);

describe('U3: a kept connection', () => {
  it.each([
    ['an answer that nobody asked for', answer('stale')],
    ['one byte', 'x'],
    ['an interim answer', 'HTTP/1.1 100 Continue\r\n\r\n'],
  ])('with %s on it is not written to, though the request came in the same turn', async (_, bytes) => {
    const { backend, harness } = await serve();
    await harness.run();
    // The bytes are in the kernel when the request begins, and nobody has looked at the socket.
    for (const socket of backend.sockets) await new Promise((resolve) => socket.write(bytes, resolve));
    const exchange = await harness.run({ method: 'POST', target: '/next', body: 'x' });
    expect(exchange.text).toBe('ok');
    expect(backend.accepted).toBe(2);
    expect(backend.requests.map(({ connection }) => connection)).toEqual([0, 1]);
    expect(harness.notes.all).toEqual(['answered 200', 'answered 200']);
  });

  it('that was closed is not written to either, not even with a POST', async () => {
    const { backend, harness } = await serve();
    await harness.run();
    for (const socket of backend.sockets) await new Promise<void>((resolve) => socket.end(resolve));
    expect((await harness.run({ method: 'POST', body: 'x' })).text).toBe('ok');
    expect(backend.accepted).toBe(2);
  });

  it('is not kept behind the answer to HEAD, lest a body sent with it is the next answer', async () => {
    const { backend, harness } = await serve();
    await harness.run({ method: 'HEAD' });
    expect(backend.requests[0]!.values('connection')).toEqual(['close']);
    expect((await harness.run()).text).toBe('ok');
    expect(backend.accepted).toBe(2);
  });

  it.each([
    ['Connection: close\r\n', 2],
    ['Keep-Alive: timeout=1\r\n', 2],
    ['Keep-Alive: timeout=60\r\n', 1],
    ['', 1],
  ])('is used again or not, as the upstream says: %j', async (fields, accepted) => {
    const { backend, harness } = await serve({ onRequest: (_, socket) => void socket.write(small(fields)) });
    await harness.run();
    await harness.run();
    expect(backend.accepted).toBe(accepted);
  });

  it('is closed when its time is over, though it was used meanwhile', async () => {
    const { backend, harness } = await serve({}, { keepAliveMs: 60 });
    for (let i = 0; i < 20; i += 1) {
      await harness.run();
      await turn();
    }
    await backend.until(() => backend.sockets.size === 0);
    await until('the connection to be given up', () => harness.upstream.stats.idle === 0);
  });
});

describe('a request that cannot be sent', () => {
  it('is a 503 of ours, and its connection serves the next one', async () => {
    const { backend, harness } = await serve();
    const good = harness.plan;
    harness.plan = planOf({ set: ['x-set', 'a\r\nb: c'] });
    expect((await harness.run()).refusal?.code).toBe('gateway_fault');
    harness.plan = good;
    expect((await harness.run()).text).toBe('ok');
    expect(backend.requests).toHaveLength(1);
    expect(backend.accepted).toBe(1);
  });
});

describe('U2: a streamed body', () => {
  it('longer than announced is a 400, and its connection is cut', async () => {
    const { backend, harness } = await serve();
    const exchange = harness.begin({ method: 'POST', body: 20_000 });
    exchange.body!.feed(Buffer.alloc(20_001), true);
    await exchange.over;
    expect(exchange.refusal?.code).toBe('body_incomplete');
    expect(backend.requests).toEqual([]);
    await backend.until(() => backend.sockets.size === 0);
  });
});
