/**
 * Does the suite see what it should? The gateway is replaced by a proxy that checks nothing, and cases that hold for the
 * gateway must fail for it: a suite that passes here would pass with the gate wide open.
 */
import { afterAll, beforeAll, expect, it } from 'vitest';
import { startNaiveProxy } from '../support/naive-proxy.ts';
import { Arena, bytesOf, mint } from './arena.ts';

let arena: Arena;

beforeAll(async () => {
  arena = await Arena.start({ door: startNaiveProxy });
});
afterAll(() => arena.stop());

/** What the case says of whatever stands behind the door; rejects or resolves with another code where it is not the gateway. */
const cases: Readonly<Record<string, readonly [expected: RegExp, run: () => Promise<string>]>> = {
  'T1: an unsigned token': [
    /^401/,
    () =>
      arena.send(
        bytesOf('/orders/x', { token: `${mint({}, { alg: 'none' }).split('.').slice(0, 2).join('.')}.` }),
      ),
  ],
  'T6: another signature': [
    /^401/,
    () => arena.send(bytesOf('/orders/x', { token: mint().replace(/.{8}$/, 'AAAAAAAA') })),
  ],
  'T8: an expired token': [/^401/, () => arena.send(bytesOf('/orders/x', { token: mint({ exp: 1 }) }))],
  'C2: two tokens': [
    /^400/,
    () => arena.send(bytesOf('/orders/x', { token: mint(), fields: `Authorization: Bearer ${mint()}\r\n` })),
  ],
  'H1: two lengths': [
    /^400/,
    () =>
      arena.sendAndBeCut(
        bytesOf('/open/x', {
          method: 'POST',
          fields: 'Content-Length: 3\r\nContent-Length: 5\r\n',
          body: 'abc',
        }),
      ),
  ],
  'H1: a length and a coding': [
    /^400/,
    () =>
      arena.sendAndBeCut(
        bytesOf('/open/x', {
          method: 'POST',
          fields: 'Content-Length: 3\r\nTransfer-Encoding: chunked\r\n',
          body: '0\r\n\r\n',
        }),
      ),
  ],
  'H2: two hosts': [/^400/, () => arena.sendAndBeCut(bytesOf('/open/x', { fields: 'Host: b\r\n' }))],
  'H3: a bare LF': [/^400/, () => arena.sendAndBeCut(bytesOf('/open/x', { fields: 'X: a\nY: b\r\n' }))],
  'H6: a request behind another': [/^200/, () => arena.send(bytesOf('/open/x') + bytesOf('/orders/mine'), 1)],
  'H7: an upgrade': [
    /^501/,
    () => arena.send(bytesOf('/open/x', { fields: 'Connection: Upgrade\r\nUpgrade: h2c\r\n' })),
  ],
  'P2: dot segments': [/^400/, () => arena.send(bytesOf('/open/../orders/x'))],
  'Z3: an unknown route': [/^404/, () => arena.send(bytesOf('/nowhere'))],
  'U3: an answer with two lengths': [
    /^502/,
    () => {
      arena.onRequest = (_, socket) =>
        socket.write('HTTP/1.1 200 OK\r\nContent-Length: 2\r\nContent-Length: 3\r\n\r\nok');
      return arena.send(bytesOf('/open/x'), 1);
    },
  ],
};

it.each(Object.entries(cases))('a proxy that checks nothing fails %s', async (_, [expected, run]) => {
  const outcome = await run().catch((error: Error) => `failed: ${error.message}`);
  expect(outcome).not.toMatch(expected);
});

it('a healthy request that gets somebody else’s answer is noticed', async () => {
  arena.backend.behaviour = {
    onRequest: (_, socket) => socket.write('HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nother'),
  };
  await expect(arena.send(bytesOf('/open/x'), 1)).rejects.toThrow('a healthy request got 200 other');
});
