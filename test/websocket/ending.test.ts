/** What becomes of open WebSockets when the gateway reloads or ends, and of those that nobody uses. */
import { afterEach, describe, expect, it } from 'vitest';
import { built } from '../support/built.ts';
import { testPreamble } from '../support/gateway.ts';
import type { BreakOrder } from '../support/thread-breaker.ts';
import { until } from '../support/until.ts';
import { configOf, roundTrip, type Stage, startStage } from './stage.ts';

const routes = `
  - { id: open, path: /open, upstream: live, public: true, websocket: {} }
  - { id: idle, path: /idle, upstream: live, public: true, websocket: { idle_timeout_ms: 1000 } }
`;

let stage: Stage;
afterEach(() => stage.stop());

describe('SIGTERM', () => {
  it('D6: closes all of them with 1001, at both ends, and ends in order', async () => {
    stage = await startStage(routes);
    const pairs = await Promise.all(Array.from({ length: 1 }, () => stage.open('/open')));
    for (let i = 0; i < 24; i += 1) pairs.push(await stage.open('/open'));
    const stopping = stage.gateway.stop();
    for (const { client, end } of pairs) {
      expect([await client.ended(), await end.ended()]).toEqual(['1001 going away', '1001 going away']);
    }
    expect(await stopping).toEqual({ code: 0, signal: null });
    // The driver has three words to say of the first one only.
    expect((await stage.gateway.complaints()).split('\n').filter((line) => line !== '').length).toBeLessThan(
      4,
    );
  });

  it('does not wait beyond its time for a caller that does not read', async () => {
    stage = await startStage(routes, testPreamble.replace('timeout_ms: 10000', 'timeout_ms: 1500'));
    const { client, end } = await stage.open('/open');
    client.socket.pause();
    end.socket.send(Buffer.alloc(1_000_000));
    for (let i = 0; i < 32; i += 1) end.socket.send(Buffer.alloc(1_000_000));
    await until('it is behind', () => end.socket.bufferedAmount > 0);
    const startedMs = performance.now();
    expect(await stage.gateway.stop()).toEqual({ code: 0, signal: null });
    expect(performance.now() - startedMs).toBeLessThan(6000);
    client.socket.terminate();
  });
});

describe('a reload', () => {
  it('keeps those that are open, on a route that is no more', async () => {
    stage = await startStage(routes);
    const pair = await stage.open('/open');
    stage.gateway.writeConfig(
      configOf(stage.upstream.url, '  - { path: /other, upstream: live, public: true }', testPreamble),
    );
    await until('it is applied', async () => (await stage.knock('/open')) === '404 route_not_found');
    await roundTrip(pair);
    pair.client.socket.close(4000, 'bye');
    expect(await pair.end.ended()).toBe('4000 bye');
  });
});

describe('a listener thread that dies', () => {
  it('takes its WebSockets along, frees the upstream, and is counted anew', async () => {
    stage = await startStage(routes, testPreamble, { preload: built('test/support/thread-breaker.js') });
    const { client, end } = await stage.open('/open');
    const order: BreakOrder = { target: 'listener-0', how: 'throw' };
    stage.gateway.process.send(order);
    expect([await client.ended(), await end.ended()]).toEqual(['1006', '1006']);
    await until('another one serves', async () => typeof (await stage.knock('/nowhere')) === 'string');
    expect(await stage.metric('sallyport_websocket_connections')).toBe(0);
    const pair = await stage.open('/open');
    await roundTrip(pair);
    pair.client.socket.close();
  });
});

describe('silence', () => {
  it('beyond the time of the route closes with 1001; messages of either end break it, pings do not', async () => {
    stage = await startStage(routes);
    const openedMs = performance.now();
    const { client } = await stage.open('/idle');
    const pinging = setInterval(() => client.socket.ping(), 50);
    expect(await client.ended()).toBe('1001 idle');
    clearInterval(pinging);
    expect(performance.now() - openedMs).toBeGreaterThanOrEqual(1000);

    const busy = await stage.open('/idle');
    const startedMs = performance.now();
    const talking = setInterval(() => busy.end.socket.send('tick'), 100);
    await until('twice the time has passed', () => performance.now() - startedMs > 2000);
    expect(busy.client.ending).toBeNull();
    clearInterval(talking);
    busy.client.socket.close();
  });

  it('of a caller that takes nothing ends with `answer_timeout_ms`, and frees the upstream', async () => {
    stage = await startStage(
      routes,
      testPreamble.replace('threads: 1 }', 'threads: 1, answer_timeout_ms: 1000 }'),
    );
    const { client, end } = await stage.open('/open');
    client.socket.pause();
    for (let i = 0; i < 32; i += 1) end.socket.send(Buffer.alloc(1_000_000));
    expect(await end.ended()).toBe('1006');
    expect(await stage.metric('sallyport_websocket_closed_total', 'end="broken"')).toBe(1);
    client.socket.terminate();
  });
});
