/**
 * Frames by the letter, as the Autobahn test suite has them: what is legal in odd pieces arrives whole, what is not ends its
 * own connection and no other. Each hostile case is followed by a healthy one.
 * Source: RFC 6455 sections 5 (framing), 7.4 (close codes), 8.1 (UTF-8).
 */
import type { Socket } from 'node:net';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { bytesOf } from '../hardening/arena.ts';
import { RawClient } from '../support/raw-client.ts';
import { until } from '../support/until.ts';
import { type End, roundTrip, type Stage, startStage } from './stage.ts';

const TEXT = 1;
const BINARY = 2;
const CLOSE = 8;
const PING = 9;
const PONG = 10;

interface FrameOptions {
  readonly fin?: boolean;
  readonly rsv?: number;
  /** Null: unmasked. */
  readonly mask?: readonly number[] | null;
  /** Announced in place of the true one, in 8 bytes. */
  readonly length?: bigint;
}

/** One frame of a client. */
function frame(opcode: number, payload: string | Buffer = '', options: FrameOptions = {}): Buffer {
  const { fin = true, rsv = 0, mask = [7, 77, 177, 27], length } = options;
  const body = Buffer.from(payload);
  const size = length ?? BigInt(body.length);
  const maskBit = mask === null ? 0 : 0x80;
  const extended = Buffer.alloc(length !== undefined || size > 65_535n ? 8 : size > 125n ? 2 : 0);
  if (extended.length === 8) extended.writeBigUInt64BE(size);
  else if (extended.length === 2) extended.writeUInt16BE(Number(size));
  const short = extended.length === 8 ? 127 : extended.length === 2 ? 126 : Number(size);
  const masked = mask === null ? body : body.map((byte, i) => byte ^ mask[i % 4]!);
  const head = Buffer.from([(fin ? 0x80 : 0) | (rsv << 4) | opcode, maskBit | short]);
  return Buffer.concat([head, extended, Buffer.from(mask ?? []), masked]);
}

const close = (code: number, reason: string | Buffer = ''): Buffer =>
  frame(CLOSE, Buffer.concat([Buffer.from([code >> 8, code & 0xff]), Buffer.from(reason)]));

let stage: Stage;
beforeAll(async () => {
  stage = await startStage(
    `
  - { id: open, path: /open, upstream: live, public: true, websocket: { max_message_bytes: 70000 } }
`,
    `version: 1
listener: { host: 127.0.0.1, port: 0, threads: 1, max_websocket_message_bytes: 100000 }
admin: { host: 127.0.0.1, port: 0 }
`,
  );
});
afterAll(() => stage.stop());

/** A raw client behind its handshake, and the upstream's end. */
async function raw(): Promise<{ client: RawClient; end: End }> {
  const before = stage.upstream.ends.length;
  const client = await RawClient.connect(stage.port);
  client.send(
    bytesOf('/open', {
      fields:
        'Upgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n',
    }),
  );
  expect((await client.read()).status).toBe(101);
  return { client, end: await stage.upstream.nextEnd(before) };
}

async function healthy(): Promise<void> {
  const pair = await stage.open('/open');
  await roundTrip(pair);
  pair.client.socket.close();
}

describe('what is legal arrives whole', () => {
  const word = Buffer.from('κόσμε ↯ 𝄞');
  const bytewise = (bytes: Buffer): Buffer[] => [...bytes].map((byte) => Buffer.from([byte]));

  it.each<[string, readonly Buffer[], readonly string[]]>([
    ['an empty text', [frame(TEXT)], ['']],
    [
      '125, 126, 127, 65,535, 65,536 bytes',
      [125, 126, 127, 65_535, 65_536].map((n) => frame(TEXT, 'x'.repeat(n))),
      [125, 126, 127, 65_535, 65_536].map((n) => 'x'.repeat(n)),
    ],
    ['fragments', [frame(TEXT, 'a', { fin: false }), frame(0, 'b', { fin: false }), frame(0, 'c')], ['abc']],
    [
      'empty fragments',
      [frame(TEXT, '', { fin: false }), frame(0, '', { fin: false }), frame(0, 'c')],
      ['c'],
    ],
    [
      'fragments with control frames between them',
      [
        frame(TEXT, 'a', { fin: false }),
        frame(PING, 'one'),
        frame(0, 'b', { fin: false }),
        frame(PONG, 'unasked'),
        frame(0, 'c'),
      ],
      ['abc'],
    ],
    [
      'code points split over fragments',
      bytewise(word).map((byte, i) => frame(i === 0 ? TEXT : 0, byte, { fin: i === word.length - 1 })),
      [word.toString()],
    ],
    ['a mask of zeros', [frame(TEXT, 'plain', { mask: [0, 0, 0, 0] })], ['plain']],
    ['binary that is no UTF-8', [frame(BINARY, Buffer.from([0xff, 0xfe]))], ['\ufffd\ufffd']],
    ['a ping of 125 bytes', [frame(PING, 'p'.repeat(125)), frame(TEXT, 'after')], ['after']],
  ])('%s', async (_, frames, texts) => {
    const { client, end } = await raw();
    for (const bytes of frames) client.send(bytes);
    await until('all came', () => end.messages.length === texts.length);
    expect(end.texts).toEqual(texts);
    client.destroy();
  });

  it('in single bytes', async () => {
    const { client, end } = await raw();
    for (const byte of bytewise(
      Buffer.concat([frame(TEXT, 'slow', { fin: false }), frame(PING, 'x'), frame(0, 'ly')]),
    ))
      client.send(byte);
    await until('it came', () => end.texts.includes('slowly'));
    client.destroy();
  });
});

describe('what is not ends its connection, before anything of it arrives', () => {
  it.each<[string, readonly Buffer[]]>([
    ['a reserved bit', [frame(TEXT, 'x', { rsv: 4 })]],
    ['all reserved bits', [frame(TEXT, 'x', { rsv: 7 })]],
    ['a reserved bit on a control frame', [frame(PING, 'x', { rsv: 1 })]],
    ['opcode 3', [frame(3, 'x')]],
    ['opcode 7', [frame(7, 'x')]],
    ['opcode 11', [frame(11, 'x')]],
    ['opcode 15', [frame(15, 'x')]],
    ['a continuation of nothing', [frame(0, 'x')]],
    ['a message within a message', [frame(TEXT, 'a', { fin: false }), frame(TEXT, 'b')]],
    ['a ping in fragments', [frame(PING, 'x', { fin: false })]],
    ['a ping of 126 bytes', [frame(PING, 'p'.repeat(126))]],
    ['a close of 126 bytes', [frame(CLOSE, 'p'.repeat(126))]],
    ['text that is no UTF-8', [frame(TEXT, Buffer.from([0xce, 0xba, 0xff]))]],
    ['an overlong slash', [frame(TEXT, Buffer.from([0xc0, 0xaf]))]],
    ['half a surrogate', [frame(TEXT, Buffer.from([0xed, 0xa0, 0x80]))]],
    ['a code point beyond U+10FFFF', [frame(TEXT, Buffer.from([0xf4, 0x90, 0x80, 0x80]))]],
    ['a code point cut short', [frame(TEXT, Buffer.from([0xe2, 0x86]))]],
    [
      'a code point cut short by a fragment that is the last',
      [frame(TEXT, Buffer.from([0xe2]), { fin: false }), frame(0, Buffer.from([0x86]))],
    ],
    ['a frame above the limit of the listener', [frame(TEXT, 'x'.repeat(100_001))]],
    [
      'fragments above the limit of the listener',
      Array.from({ length: 6 }, (_, i) => frame(i === 0 ? TEXT : 0, 'x'.repeat(20_000), { fin: false })),
    ],
    ['a length of 2^63', [frame(TEXT, 'x', { length: 1n << 63n })]],
    ['a length of 2^40', [frame(TEXT, 'x', { length: 1n << 40n })]],
  ])('%s', async (_, frames) => {
    const { client, end } = await raw();
    for (const bytes of frames) client.send(bytes);
    await client.readToEnd();
    expect(await end.ended()).toBe('1006');
    expect(end.messages).toEqual([]);
    client.destroy();
    await healthy();
  });

  it('RFC 6455 section 5.1: of an unmasked frame the driver takes four bytes for the mask, so that what it says never arrives', async () => {
    const { client, end } = await raw();
    client.send(frame(BINARY, 'never', { mask: null }));
    client.send(frame(BINARY, 'masked'));
    client.end();
    await end.ended();
    expect(end.texts).not.toContain('never');
    client.destroy();
    await healthy();
  });

  it('is counted', async () => {
    expect(await stage.metric('sallyport_websocket_closed_total', 'end="violation"')).toBeGreaterThan(20);
  });
});

describe('a message above the limit of the route alone', () => {
  it('is closed with 1009, whole or in fragments', async () => {
    for (const frames of [
      [frame(TEXT, 'x'.repeat(70_001))],
      [frame(TEXT, 'x'.repeat(35_000), { fin: false }), frame(0, 'x'.repeat(35_001))],
    ]) {
      const { client, end } = await raw();
      for (const bytes of frames) client.send(bytes);
      expect(await end.ended()).toBe('1009 message too big');
      const rest = await client.readToEnd();
      expect(rest.readUInt16BE(2)).toBe(1009);
      client.destroy();
    }
    await healthy();
  });
});

describe('U3: what an upstream sends against the protocol', () => {
  const server = { mask: null };

  it.each<[string, Buffer]>([
    ['a masked frame', frame(TEXT, 'x')],
    ['a reserved bit', frame(TEXT, 'x', { ...server, rsv: 4 })],
    ['opcode 3', frame(3, 'x', server)],
    ['a continuation of nothing', frame(0, 'x', server)],
    ['a ping in fragments', frame(PING, 'x', { ...server, fin: false })],
    ['text that is no UTF-8', frame(TEXT, Buffer.from([0xff]), server)],
    ['a length of 2^63', frame(BINARY, 'x', { ...server, length: 1n << 63n })],
    ['a close with code 1005', frame(CLOSE, Buffer.from([3, 0xed]), server)],
    ['what is no frame', Buffer.from('HTTP/1.1 200 OK\r\n\r\n')],
  ])('is not passed on: %s', async (_, bytes) => {
    const { client, end } = await stage.open('/open');
    (end.socket as unknown as { _socket: Socket })._socket.write(bytes);
    expect(await client.ended()).toBe('1011 upstream failed');
    expect(client.messages).toEqual([]);
    await healthy();
  });
});

describe('RFC 6455 section 7.4: close frames', () => {
  it.each([1000, 1001, 1002, 1003, 1007, 1008, 1009, 1010, 1011, 4000, 4999])(
    '%i is passed on',
    async (code) => {
      const { client, end } = await raw();
      client.send(close(code, 'why'));
      expect(await end.ended()).toBe(`${code} why`);
      client.destroy();
    },
  );

  it.each<[string, Buffer]>([
    ['0', close(0)],
    ['999', close(999)],
    ['1004', close(1004)],
    ['1005', close(1005)],
    ['1006', close(1006)],
    ['1015', close(1015)],
    ['2000', close(2000)],
    ['5000', close(5000)],
    ['65535', close(65_535)],
    ['a reason that is no UTF-8', close(1000, Buffer.from([0xff]))],
    ['half a code', frame(CLOSE, Buffer.from([3]))],
    // The driver's limits: it takes these for invalid too.
    ['1012', close(1012)],
    ['3000', close(3000)],
  ])('%s arrives as a close without a code', async (_, bytes) => {
    const { client, end } = await raw();
    client.send(bytes);
    expect(await end.ended()).toBe('1005');
    await client.readToEnd();
    client.destroy();
    await healthy();
  });

  it('what comes behind one is not passed on', async () => {
    const { client, end } = await raw();
    client.send(Buffer.concat([close(1000), frame(TEXT, 'too late')]));
    expect(await end.ended()).toBe('1000');
    expect(end.messages).toEqual([]);
    client.destroy();
  });
});

describe('peers that leave without a word', () => {
  it('half an end of the connection is an end', async () => {
    const { client, end } = await raw();
    client.end();
    expect(await end.ended()).toBe('1006');
    client.destroy();
    await healthy();
  });

  it('a reset in the middle of a frame is an end', async () => {
    const { client, end } = await raw();
    client.send(frame(TEXT, 'x'.repeat(1000)).subarray(0, 500));
    client.reset();
    expect(await end.ended()).toBe('1006');
    await healthy();
  });
});
