/**
 * Thousands of calls that end at every stage, by either side, in an order that a seed fixes; afterwards nothing is left.
 * That no exception and no rejection escaped is the test runner's to see.
 */
import { setImmediate as turn } from 'node:timers/promises';
import type { Socket } from 'node:net';
import { afterEach, expect, it } from 'vitest';
import { answer } from '../support/backend.ts';
import type { FakeExchange, FakeRequest } from '../support/fake-exchange.ts';
import { until } from '../support/until.ts';
import { clear, serve, type Harness } from './harness.ts';

afterEach(clear);

const calls = 4000;
const atOnce = 40;
const seed = 20_260_301;

function numbers(state: number): (below: number) => number {
  return (below) => {
    state = (state * 48_271) % 2_147_483_647;
    return state % below;
  };
}

const piece = Buffer.alloc(20_000, 'x');

/** What the backend does with a request; the target says which. */
const behaviours: Readonly<Record<string, (socket: Socket) => void>> = {
  answers: (socket) => socket.write(answer('ok')),
  chunks: (socket) =>
    socket.write('HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n0\r\n\r\n'),
  closes: (socket) => socket.end('HTTP/1.1 200 OK\r\n\r\nok'),
  silent: () => {},
  'half-head': (socket) => socket.write('HTTP/1.1 200 OK\r\nX-A'),
  'half-body': (socket) => socket.write('HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nok'),
  endless: (socket) => socket.write(`HTTP/1.1 200 OK\r\n\r\n${'x'.repeat(200_000)}`),
  'resets-at-once': (socket) => socket.resetAndDestroy(),
  'resets-in-head': (socket) => socket.write('HTTP/1.1 2', () => socket.resetAndDestroy()),
  'resets-in-body': (socket) => socket.write('HTTP/1.1 200 OK\r\n\r\nok', () => socket.resetAndDestroy()),
  'cut-in-body': (socket) => socket.end('HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nok'),
  invalid: (socket) => socket.write('HTTP/1.1 999 Oh\r\nContent-Length: 2\r\n\r\nok'),
  early: (socket) => socket.write(answer('early')),
};
const names = Object.keys(behaviours);

const bodies: readonly FakeRequest[] = [{}, { method: 'POST', body: 'small' }, { method: 'PUT', body: 100_000 }, { method: 'POST', body: null }]; // prettier-ignore

async function play(harness: Harness, random: (below: number) => number): Promise<FakeExchange> {
  const request = bodies[random(bodies.length)]!;
  const exchange = harness.begin({ ...request, target: `/${names[random(names.length)]!}` });
  if (random(3) === 0) exchange.windowBytes = 1;
  const fed = random(6);
  // Some callers leave at once, some soon, some only when nothing happens any more.
  const patience = [random(12), random(100), 500][random(3)]!;
  for (let i = 0; i < patience && exchange.ending === null; i += 1) {
    if (exchange.body !== null && i < fed && typeof request.body !== 'string')
      exchange.body.feed(piece, i === 4);
    if (random(4) === 0) exchange.drain();
    await turn();
  }
  exchange.leave();
  return exchange;
}

it('U7, D5, D7: whatever ends a call at whatever stage, no connection, no call and no promise is left', async () => {
  const { backend, harness } = await serve(
    {
      onHead: (head, socket) => {
        if (!head.startLine.includes('/early')) return false;
        behaviours['early']!(socket);
        return true;
      },
      onRequest: (request, socket) => behaviours[request.target.slice(1)]!(socket),
    },
    { connections: 24, queueMax: 64, health: { failures: 1000, retryAfterMs: 2000 } },
  );
  const random = numbers(seed);
  const endings: Record<string, number> = {};
  let begun = 0;
  const lane = async (): Promise<void> => {
    while (begun < calls) {
      begun += 1;
      const exchange = await play(harness, random);
      endings[exchange.ending!] = (endings[exchange.ending!] ?? 0) + 1;
    }
  };
  await Promise.all(Array.from({ length: atOnce }, lane));

  await until('every call to be over', () => {
    const { busy, queued } = harness.upstream.stats;
    return busy === 0 && queued === 0;
  });
  expect(Object.keys(endings).sort()).toEqual(['destroyed', 'ended', 'left', 'refused']);
  // What is left are kept connections; they serve.
  await until('the surplus to be closed', () => backend.sockets.size <= 24);
  expect((await harness.run({ target: '/answers' })).text).toBe('ok');
  await harness.upstream.close();
  await backend.until(() => backend.sockets.size === 0);
}, 60_000);
