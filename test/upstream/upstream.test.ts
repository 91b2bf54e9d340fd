import { afterEach, describe, expect, it } from 'vitest';
import { answer, type Behaviour } from '../support/backend.ts';
import { until } from '../support/until.ts';
import { clear, Harness, serve, startBackend } from './harness.ts';

afterEach(clear);

const silent: Behaviour = { onRequest: () => {} };
const failing: Behaviour = { onRequest: (_, socket) => void socket.destroy() };

/** Numbers from 0 to 1 in a fixed order (Lehmer). */
function lehmer(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state * 48_271) % 2_147_483_647;
    return state / 2_147_483_647;
  };
}

describe('several URLs', () => {
  it('the less busy of two random ones is taken', async () => {
    const backends = await Promise.all([startBackend(silent), startBackend(silent), startBackend(silent)]);
    const harness = new Harness(
      backends.map((backend) => backend.url),
      { connections: 100 },
      lehmer(1),
    );
    for (let i = 0; i < 90; i += 1) harness.begin();
    await Promise.all(backends.map((backend) => backend.until(() => backend.requests.length >= 28)));
    expect(backends.map((backend) => Math.abs(backend.requests.length - 30) <= 2)).toEqual([
      true,
      true,
      true,
    ]);
  });

  it('one that fails is taken out, tried again by a single request, and taken back', async () => {
    const [bad, good] = await Promise.all([startBackend(failing), startBackend()]);
    const harness = new Harness(
      [bad.url, good.url],
      { health: { failures: 2, retryAfterMs: 2000 } },
      lehmer(1),
    );
    for (let i = 0; i < 20; i += 1) await harness.run();
    expect(bad.requests).toHaveLength(2);
    expect(harness.upstream.stats).toMatchObject({ urls: 2, urlsOut: 1 });

    harness.pass(2100);
    for (let i = 0; i < 20; i += 1) await harness.run();
    expect(bad.requests).toHaveLength(3);

    bad.behaviour = {};
    harness.pass(4100);
    for (let i = 0; i < 40; i += 1) expect((await harness.run()).text).toBe('ok');
    expect(harness.upstream.stats.urlsOut).toBe(0);
    expect(bad.requests.length).toBeGreaterThan(10);
  });

  it('when all are out, the one to be tried first is tried by every request', async () => {
    const backends = await Promise.all([startBackend(failing), startBackend(failing)]);
    const urls = backends.map((backend) => backend.url);
    const harness = new Harness(urls, { health: { failures: 1, retryAfterMs: 60_000 } }, lehmer(1));
    for (let i = 0; i < 4; i += 1) expect((await harness.run()).refusal?.code).toBe('upstream_reset');
    expect(harness.upstream.stats.urlsOut).toBe(2);
    for (const backend of backends) backend.behaviour = {};
    expect((await harness.run()).text).toBe('ok');
    expect(harness.upstream.stats.urlsOut).toBe(1);
  });

  it('an answer of 500 is an answer', async () => {
    const { harness } = await serve({
      onRequest: (_, socket) => void socket.write('HTTP/1.1 500 Oh\r\nContent-Length: 0\r\n\r\n'),
    });
    for (let i = 0; i < 5; i += 1) expect((await harness.run()).status).toBe(500);
    expect(harness.upstream.stats.urlsOut).toBe(0);
  });
});

describe('connections and the queue', () => {
  it('no more connections than configured, the rest waits in order, and beyond the queue it is a 503', async () => {
    const { backend, harness } = await serve(silent, { connections: 2, queueMax: 3 });
    const exchanges = Array.from({ length: 6 }, (_, i) => harness.begin({ target: `/${i}` }));
    expect(exchanges[5]!.refusal?.code).toBe('upstream_full');
    expect(harness.upstream.stats).toMatchObject({ busy: 2, queued: 3 });
    await backend.until(() => backend.requests.length === 2);
    expect(backend.accepted).toBe(2);
    backend.behaviour = {};
    for (const socket of backend.sockets) socket.write(answer('late'));
    await Promise.all(exchanges.map((exchange) => exchange.over));
    expect(exchanges.slice(0, 5).map((exchange) => exchange.text)).toEqual([
      'late',
      'late',
      'ok',
      'ok',
      'ok',
    ]);
    expect(backend.requests.map((request) => request.target)).toEqual(['/0', '/1', '/2', '/3', '/4']);
    expect(backend.accepted).toBe(2);
    expect(harness.upstream.stats).toMatchObject({ busy: 0, idle: 2, queued: 0 });
  });

  it('waiting has a deadline', async () => {
    const { harness } = await serve(silent, { connections: 1 });
    harness.begin();
    const waiting = harness.begin();
    harness.pass(5100);
    expect(waiting.refusal?.code).toBe('upstream_timeout');
    expect(harness.upstream.stats.queued).toBe(0);
  });

  it('a connection that failed makes room for the next in the queue', async () => {
    const { backend, harness } = await serve(silent, { connections: 1 });
    const first = harness.begin();
    const second = harness.begin();
    await backend.until(() => backend.requests.length === 1);
    backend.behaviour = {};
    first.leave();
    expect((await second.over) && second.text).toBe('ok');
  });

  it('an unused connection is closed after its time, whatever the upstream says', async () => {
    const { backend, harness } = await serve(
      { onRequest: (_, socket) => void socket.write(answer('ok', 'Keep-Alive: timeout=600\r\n')) },
      { keepAliveMs: 20 },
    );
    await harness.run();
    await backend.until(() => backend.sockets.size === 0);
    await until('the connection to be given up', () => harness.upstream.stats.idle === 0);
  });

  it('0 keeps none', async () => {
    const { backend, harness } = await serve({}, { keepAliveMs: 0 });
    await harness.run();
    expect(backend.requests[0]!.values('connection')).toEqual(['close']);
    await backend.until(() => backend.sockets.size === 0);
    expect((await harness.run()).text).toBe('ok');
  });
});

describe('an end', () => {
  it('lets calls under way finish, those in the queue too, and then closes every connection', async () => {
    const { backend, harness } = await serve(silent, { connections: 1 });
    const first = harness.begin();
    const second = harness.begin();
    const third = harness.begin({ method: 'POST', body: 5 });
    await backend.until(() => backend.requests.length === 1);
    let closed = false;
    const closing = harness.upstream.close().then(() => (closed = true));
    backend.behaviour = {};
    for (const socket of backend.sockets) socket.write(answer('late'));
    await Promise.all([first.over, second.over]);
    expect(closed).toBe(false);
    third.body!.feed(Buffer.from('hello'), true);
    await third.over;
    expect([first.text, second.text, third.text]).toEqual(['late', 'ok', 'ok']);
    await closing;
    await backend.until(() => backend.sockets.size === 0);
  });

  it('serves a call that comes after it, and keeps nothing for that', async () => {
    const { backend, harness } = await serve();
    await harness.run();
    await harness.upstream.close();
    expect((await harness.run()).text).toBe('ok');
    expect((await harness.run({ method: 'POST', body: 'late' })).text).toBe('ok');
    await backend.until(() => backend.sockets.size === 0);
    expect(backend.accepted).toBe(3);
  });

  it('by force fails them with a 502', async () => {
    const { backend, harness } = await serve(silent, { connections: 1 });
    const exchanges = [harness.begin(), harness.begin(), harness.begin({ method: 'POST', body: 5 })];
    await backend.until(() => backend.requests.length === 1);
    await harness.upstream.destroy();
    expect(exchanges.map((exchange) => exchange.refusal?.code)).toEqual(Array(3).fill('upstream_reset'));
    await backend.until(() => backend.sockets.size === 0);
  });
});
