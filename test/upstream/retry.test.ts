import { createServer, type AddressInfo } from 'node:net';
import { afterEach, describe, expect, it } from 'vitest';
import { answer, Backend, type Behaviour } from '../support/backend.ts';
import { connectKindOf, kindOf } from '../../gateway/upstream/failure.ts';
import { clear, Harness, serve, startBackend } from './harness.ts';

afterEach(clear);

/** A port where nobody listens. */
async function deadUrl(): Promise<string> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  await new Promise((resolve) => server.close(resolve));
  return `http://127.0.0.1:${port}`;
}

/** Answers the first request, then resets the connection under every further one on it, once it has read it. */
function dyingAfterOne(): Behaviour {
  const used = new Set<number>();
  return {
    onRequest: (request, socket) => {
      if (used.has(request.connection)) socket.resetAndDestroy();
      else socket.write(answer(`on ${request.connection}`));
      used.add(request.connection);
    },
  };
}

describe('U5: what may be sent again', () => {
  it.each(['GET', 'HEAD', 'PUT', 'DELETE', 'OPTIONS'])(
    '%s is, once, when a kept connection died under it',
    async (method) => {
      const { backend, harness } = await serve(dyingAfterOne());
      await harness.run();
      const exchange = await harness.run({ method, target: '/again' });
      expect([exchange.status, exchange.ending]).toEqual([200, 'ended']);
      expect(harness.notes.all).toEqual(['answered 200', 'retried', 'answered 200']);
      expect(backend.requests.map((request) => request.target)).toEqual(['/', '/again', '/again']);
      expect(backend.accepted).toBe(2);
    },
  );

  it('a PUT with a collected body is sent again with the same body', async () => {
    const { backend, harness } = await serve(dyingAfterOne());
    await harness.run();
    await harness.run({ method: 'PUT', body: 'hello' });
    expect(backend.requests.map((request) => request.body.toString())).toEqual(['', 'hello', 'hello']);
  });

  it.each(['POST', 'PATCH'])('%s is never, once it was written', async (method) => {
    const { backend, harness } = await serve(dyingAfterOne());
    await harness.run();
    const exchange = await harness.run({ method, body: 'hello' });
    expect(exchange.refusal?.code).toBe('upstream_reset');
    expect(backend.requests).toHaveLength(2);
  });

  it('a streamed body is never', async () => {
    const { backend, harness } = await serve(dyingAfterOne());
    await harness.run();
    expect((await harness.run({ method: 'PUT', body: 'x'.repeat(100_000) })).refusal?.code).toBe(
      'upstream_reset',
    );
    expect(backend.requests).toHaveLength(2);
  });

  it('nothing is that died on a new connection', async () => {
    const { backend, harness } = await serve({ onRequest: (_, socket) => void socket.destroy() });
    expect((await harness.run()).refusal?.code).toBe('upstream_reset');
    expect(backend.requests).toHaveLength(1);
  });

  it.each([
    ['a byte of an answer', 'H'],
    ['an interim answer', 'HTTP/1.1 102 Processing\r\n\r\n'],
    ['half a head', 'HTTP/1.1 200 OK\r\nX: a'],
  ])('nothing is after %s came', async (_, bytes) => {
    const { backend, harness } = await serve();
    await harness.run();
    backend.behaviour = { onRequest: (__, socket) => void socket.end(bytes) };
    const exchange = await harness.run();
    expect(exchange.refusal?.code).toBe('upstream_reset');
    expect(backend.requests).toHaveLength(2);
  });

  it('nothing is more often than the configuration says', async () => {
    const { backend, harness } = await serve(dyingAfterOne(), { retries: 0 });
    await harness.run();
    expect((await harness.run()).refusal?.code).toBe('upstream_reset');
    expect(backend.requests).toHaveLength(2);
  });

  it.each(['GET', 'POST'])(
    '%s goes to another URL when one cannot be reached, with its body',
    async (method) => {
      const backend = await startBackend();
      const harness = new Harness([await deadUrl(), backend.url], {}, () => 0);
      const exchange = await harness.run({ method, body: 'x'.repeat(50_000) });
      expect(exchange.text).toBe('ok');
      expect(harness.notes.all).toEqual(['retried', 'answered 200']);
      expect(backend.requests[0]!.body.length).toBe(50_000);
    },
  );
});

describe('U6: an upstream that fails is told from a caller that fails', () => {
  it('D4: nobody listening is a 502 at once, and recovery needs no restart', async () => {
    const url = await deadUrl();
    const harness = new Harness([url], { health: { failures: 1, retryAfterMs: 60_000 } });
    const startedMs = performance.now();
    expect((await harness.run()).refusal?.code).toBe('upstream_unreachable');
    expect((await harness.run()).refusal?.code).toBe('upstream_unreachable');
    expect(performance.now() - startedMs).toBeLessThan(1000);
    const backend = await Backend.start({}, Number(new URL(url).port));
    expect((await harness.run()).text).toBe('ok');
    await backend.close();
  });

  it('a name that does not resolve is a 502', async () => {
    const harness = new Harness(['http://nobody.invalid']);
    expect((await harness.run()).refusal?.code).toBe('upstream_unreachable');
  });

  it('a connection that cannot be opened in time is a 504, an unknown peer a 502', () => {
    const error = (code: string): Error => Object.assign(new Error(code), { code });
    expect(connectKindOf(error('UND_ERR_CONNECT_TIMEOUT'))).toBe('timeout');
    expect(connectKindOf(error('ETIMEDOUT'))).toBe('timeout');
    expect(connectKindOf(error('DEPTH_ZERO_SELF_SIGNED_CERT'))).toBe('tls');
    expect(connectKindOf(error('UND_ERR_INVALID_ARG'))).toBe('defect');
    expect(kindOf(error('UND_ERR_INVALID_ARG'))).toBe('defect');
    expect(kindOf(new TypeError('ours'))).toBe('defect');
    expect(kindOf(error('EPIPE'))).toBe('reset');
  });

  it('no head in time is a 504, and the connection is thrown away', async () => {
    const { backend, harness } = await serve({ onRequest: () => {} });
    const exchange = harness.begin();
    await backend.until(() => backend.requests.length === 1);
    harness.pass(4900);
    expect(exchange.ending).toBeNull();
    harness.pass(200);
    expect(exchange.refusal?.code).toBe('upstream_timeout');
    await backend.until(() => backend.sockets.size === 0);
    backend.behaviour = {};
    expect((await harness.run()).text).toBe('ok');
  });

  it('interim answers do not put the deadline off', async () => {
    const { backend, harness } = await serve({
      onRequest: (_, socket) => void socket.write('HTTP/1.1 102 Processing\r\n\r\n'),
    });
    const exchange = harness.begin();
    await backend.until(() => backend.requests.length === 1);
    harness.pass(4000);
    for (const socket of backend.sockets)
      await new Promise((resolve) => socket.write('HTTP/1.1 102 Processing\r\n\r\n', resolve));
    harness.pass(1500);
    expect(exchange.refusal?.code).toBe('upstream_timeout');
  });

  it('silence within a body cuts the answer', async () => {
    const { harness } = await serve({
      onRequest: (_, socket) => void socket.write('HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nok'),
    });
    const exchange = harness.begin();
    await exchange.until(() => exchange.text === 'ok');
    harness.pass(5100);
    expect(exchange.ending).toBe('destroyed');
    expect(harness.notes.all).toEqual(['answered 200', 'failed timeout']);
  });

  it('a limit of 0 lets a stream be silent', async () => {
    const { harness } = await serve(
      { onRequest: (_, socket) => void socket.write('HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nok') },
      { idleTimeoutMs: 0 },
    );
    const exchange = harness.begin();
    await exchange.until(() => exchange.text === 'ok');
    harness.pass(86_400_000);
    expect(exchange.ending).toBeNull();
    exchange.leave();
  });

  it('a caller who is slow with a body is not held against the upstream', async () => {
    let heads = 0;
    const { backend, harness } = await serve({ onHead: () => (heads += 1) === 0 });
    const exchange = harness.begin({ method: 'POST', body: null });
    exchange.body!.feed(Buffer.from('a'), false);
    await backend.until(() => heads === 1);
    for (let i = 0; i < 5; i += 1) {
      harness.pass(5100);
      exchange.body!.feed(Buffer.from('a'), false);
    }
    expect(exchange.ending).toBeNull();
    exchange.body!.feed(Buffer.from('a'), true);
    expect((await exchange.over) && exchange.text).toBe('ok');
  });

  it('an upstream that does not take a body is a 504', async () => {
    const { backend, harness } = await serve({ onConnection: (socket) => void socket.pause() });
    const exchange = harness.begin({ method: 'POST', body: null });
    await backend.until(() => backend.sockets.size === 1);
    while (!exchange.body!.paused) {
      exchange.body!.feed(Buffer.alloc(65_536), false);
      await new Promise(setImmediate);
    }
    harness.pass(5100);
    expect(exchange.refusal?.code).toBe('upstream_timeout');
  });
});
