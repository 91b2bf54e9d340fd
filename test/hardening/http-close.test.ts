/**
 * Group H, meaning: the last answer on a connection says so, once, and the connection ends behind it (RFC 9112 section 9.6).
 * The driver closes without a word where the whole of a field is `close`, and does not look into lists.
 */
import { randomBytes } from 'node:crypto';
import type { Socket } from 'node:net';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { answer, type SeenRequest } from '../support/backend.ts';
import { testPreamble } from '../support/gateway.ts';
import { type RawAnswer, RawClient } from '../support/raw-client.ts';
import { Arena, arenaConfig, type Ask, bytesOf, mint } from './arena.ts';

const preamble = `${testPreamble}decision: { peers: [127.0.0.1], mounts: [{ mode: nginx }, { mode: batch }] }
oauth:
  store: { file: ./credentials, key_env: STORE_KEY }
  providers: { web: { flow: device, issuer: 'http://127.0.0.1:9', client_id: x, scopes: [openid] } }
`;
const routes = `  - { path: /json, public: true, methods: [POST], json_body: true, respond: { status: 200, body: '{}' } }
  - { path: /fixed, public: true, respond: { status: 200, body: hello } }
  - { path: /unmodified, public: true, respond: { status: 304 } }
  - { prefix: /login, public: true, oauth: { serve: page, account: team } }
`;

const replies: Readonly<Record<string, string>> = {
  '/open/sized': answer('hello'),
  '/open/closing': answer('hello', 'Connection: close\r\n'),
  '/open/empty': answer(''),
  '/open/chunked': 'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n',
  '/open/stream':
    'HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n9\r\ndata: 1\n\n\r\n0\r\n\r\n',
  '/open/204': 'HTTP/1.1 204 No Content\r\n\r\n',
  '/open/304': 'HTTP/1.1 304 Not Modified\r\nETag: "1"\r\n\r\n',
  '/open/304-sized': 'HTTP/1.1 304 Not Modified\r\nContent-Length: 5\r\n\r\n',
};

let arena: Arena;
beforeAll(async () => {
  arena = await Arena.start({
    config: (url) => arenaConfig(url, preamble, routes),
    env: { STORE_KEY: `sallyport-key.v1.test.${randomBytes(32).toString('base64url')}` },
  });
  arena.onRequest = ({ target, method }: SeenRequest, socket) => {
    if (target === '/open/pieces') return sendInPieces(socket);
    const reply = replies[target] ?? answer('x'.repeat(3_000_000));
    socket.write(method === 'HEAD' ? reply.slice(0, reply.indexOf('\r\n\r\n') + 4) : reply);
  };
});
afterAll(() => arena.stop());

/** The end of the body follows later than the rest. */
function sendInPieces(socket: Socket): void {
  socket.write('HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n', () => {
    setImmediate(() => socket.write('0\r\n\r\n'));
  });
}

interface Case {
  readonly what: string;
  readonly status: number;
  readonly target: string;
  readonly askOf: () => Ask;
}
type Row = readonly [what: string, status: number, target: string, askOf?: () => Ask];

const casesOf = (rows: readonly Row[]): readonly Case[] =>
  rows.map(([what, status, target, askOf = () => ({})]) => ({ what, status, target, askOf }));

const question = (target: string): string => `X-Original-Method: GET\r\nX-Original-URI: ${target}\r\n`;
const sized = (body: string): Ask => ({
  method: 'POST',
  fields: `Content-Length: ${body.length}\r\n`,
  body,
});

/** Answers that the driver is handed in one piece. */
const whole = casesOf([
  ['a fixed answer', 200, '/fixed'],
  ['its head alone', 200, '/fixed', () => ({ method: 'HEAD' })],
  ['a refusal at once', 404, '/nowhere'],
  ['the head of a refusal', 404, '/nowhere', () => ({ method: 'HEAD' })],
  ['a refusal after verification', 401, '/orders/x', () => ({ token: 'a.b.c' })],
  ['a refusal that closes anyway', 413, '/small', () => sized('x'.repeat(2000))],
  ['a body that is JSON', 200, '/json', () => sized('[]')],
  ['a body that is no JSON', 400, '/json', () => sized('[')],
  ['a login page', 200, '/login'],
  ['a decision at once', 401, '/-/decide/nginx', () => ({ fields: question('/orders/x') })],
  ['a decision after verification', 200, '/-/decide/nginx', () => ({ fields: question('/orders/x'), token: mint() })],
  ['a batch of decisions', 200, '/-/decide/batch', () => sized('{"requests":[]}')],
  ['a forwarded answer', 200, '/open/sized'],
  ['one that was the last on its own connection', 200, '/open/closing'],
  ['a chunked one that came at once', 200, '/open/chunked'],
  ['an empty one', 200, '/open/empty'],
  ['a forwarded head', 200, '/open/sized', () => ({ method: 'HEAD' })],
  ['a 304 with a length', 304, '/open/304-sized'],
  ['an answer to an upload', 200, '/open/sized', () => sized('abc')],
]); // prettier-ignore

/** Answers that it gets piece by piece, or that have no length. */
const other = casesOf([
  ['a fixed answer without a body', 204, '/decide', () => ({ token: mint() })],
  ['a fixed 304', 304, '/unmodified'],
  ['a forwarded 204', 204, '/open/204'],
  ['a forwarded 304', 304, '/open/304'],
  ['a chunked answer in pieces', 200, '/open/pieces'],
  ['the head of a chunked answer', 200, '/open/chunked', () => ({ method: 'HEAD' })],
  ['an event stream', 200, '/open/stream'],
  ['a large answer', 200, '/open/large'],
]); // prettier-ignore

async function ask({ target, askOf }: Case, fields: string, isCut: boolean): Promise<RawAnswer> {
  const { fields: own = '', ...more } = askOf();
  const client = await RawClient.connect(arena.port);
  try {
    client.send(bytesOf(target, { ...more, fields: fields + own }));
    const got = await client.read({ method: more.method ?? 'GET' });
    if (isCut) expect((await client.readToEnd()).toString('latin1')).toBe('');
    return got;
  } finally {
    client.destroy();
  }
}

describe('H2: asked for in the words of RFC 9110 section 7.6.1, the last answer says `Connection: close`', () => {
  it.each([...whole, ...other])('and ends the connection: $what, $status', async (each) => {
    for (const value of ['close', 'Close']) {
      const got = await ask(each, `Connection: ${value}\r\n`, true);
      expect([value, got.status, ...got.values('connection')]).toEqual([value, each.status, 'close']);
    }
  });

  it.each(whole)('where it is one option of several, too: $what, $status', async (each) => {
    for (const fields of [
      'Connection: foo, close\r\n',
      'Connection: TE,CLOSE\r\nTE: trailers\r\n',
      'Connection: foo\r\nConnection: close\r\n',
      'Connection: close ,foo\r\n',
      'Connection: close, close\r\n',
    ]) {
      const got = await ask(each, fields, true);
      expect([fields, got.status, ...got.values('connection')]).toEqual([fields, each.status, 'close']);
    }
  });

  it.each(other)('where the driver cannot close, the caller is told: $what, $status', async (each) => {
    const got = await ask(each, 'Connection: foo, close\r\n', false);
    expect([got.status, ...got.values('connection')]).toEqual([each.status, 'close']);
  });

  it.each([...whole, ...other].filter(({ status }) => status !== 413))(
    'of nobody else: $what, $status',
    async (each) => {
      for (const fields of ['', 'Connection: keep-alive\r\n', 'Connection: closed, not-close\r\n']) {
        const got = await ask(each, fields, false);
        expect([fields, got.status, ...got.values('connection')]).toEqual([fields, each.status]);
      }
    },
  );

  it('also of a value that the driver takes for it by its length', async () => {
    const got = await ask(whole[0]!, 'Connection: abcde\r\n', true);
    expect(got.values('connection')).toEqual(['close']);
  });
});
