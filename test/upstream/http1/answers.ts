/** Well-formed answers made of their parts (fast-check), and ways to spoil bytes from a seed. */
import * as fc from 'fast-check';
import { randomFrom } from '../../token/mutate.ts';

export interface MadeAnswer {
  readonly bytes: Buffer;
  readonly interims: number;
  readonly status: number;
  /** As they are to be read: names in lower case, values trimmed, framing fields left out. */
  readonly fields: string[];
  readonly content: string;
  /** Only a close ends it. */
  readonly toEnd: boolean;
}

const latin1 = (codes: number[]): string => String.fromCharCode(...codes);
const texts = (
  from: readonly (readonly [number, number])[],
  min: number,
  max: number,
): fc.Arbitrary<string> =>
  fc
    .array(fc.oneof(...from.map(([low, high]) => fc.integer({ min: low, max: high }))), {
      minLength: min,
      maxLength: max,
    })
    .map(latin1);

const token = fc
  .stringMatching(/^[!#$%&'*+.^_`|~0-9A-Za-z-]{1,20}$/)
  .filter((name) => !/^(?:content-length|transfer-encoding|connection|keep-alive)$/i.test(name));
const value = texts([[0x21, 0x7e], [0x20, 0x20], [0x09, 0x09], [0x80, 0xff]], 0, 40); // prettier-ignore
const blank = fc.stringMatching(/^[ \t]{0,3}$/);
const content = texts([[0, 255]], 0, 200); // prettier-ignore
const field = fc.tuple(token, blank, value, blank);

const trimmed = (text: string): string => text.replace(/^[ \t]+|[ \t]+$/g, '');
const lines = (fields: readonly (readonly [string, string, string, string])[]): string =>
  fields.map(([name, before, text, after]) => `${name}:${before}${text}${after}\r\n`).join('');

const chunk = fc.record({
  data: texts([[0, 255]], 1, 80), // prettier-ignore
  upper: fc.boolean(),
  zeros: fc.integer({ min: 0, max: 5 }),
  extension: fc.constantFrom('', ';a', ';a=b', ';a="b c";d'),
});

export const madeAnswers: fc.Arbitrary<MadeAnswer> = fc
  .record({
    interims: fc.array(fc.constantFrom(100, 102, 103, 150, 199), { maxLength: 3 }),
    minor: fc.constantFrom(0, 1),
    status: fc.integer({ min: 200, max: 599 }).filter((status) => status !== 204 && status !== 304),
    reason: value,
    fields: fc.array(field, { maxLength: 8 }),
    framing: fc.constantFrom('sized', 'chunked', 'to-end'),
    content,
    chunks: fc.array(chunk, { maxLength: 6 }),
    trailers: fc.array(field, { maxLength: 3 }),
  })
  .map((parts) => {
    const { interims, minor, status, reason, fields, framing, chunks, trailers } = parts;
    let text = interims.map((code) => `HTTP/1.1 ${code} \r\nX: ${code}\r\n\r\n`).join('');
    text += `HTTP/1.${minor} ${status} ${reason}\r\n${lines(fields)}`;
    let body = parts.content;
    if (framing === 'sized') text += `Content-Length: ${body.length}\r\n\r\n${body}`;
    if (framing === 'to-end') text += `\r\n${body}`;
    if (framing === 'chunked') {
      body = chunks.map(({ data }) => data).join('');
      text += 'Transfer-Encoding: chunked\r\n\r\n';
      for (const { data, upper, zeros, extension } of chunks) {
        const size = '0'.repeat(zeros) + data.length.toString(16);
        text += `${upper ? size.toUpperCase() : size}${extension}\r\n${data}\r\n`;
      }
      text += `0\r\n${lines(trailers)}\r\n`;
    }
    return {
      bytes: Buffer.from(text, 'latin1'),
      interims: interims.length,
      status,
      fields: fields.flatMap(([name, , text_]) => [name.toLowerCase(), trimmed(text_)]),
      content: body,
      toEnd: framing === 'to-end',
    };
  });

const pieces = [
  '\r', '\n', '\r\n', '\r\n\r\n', '\n\n', ' ', '\t', ':', ';', '\0', '\x7f', '\x01', '\xe9', '0', '9', 'f', '-', '+', ',', '"', '0\r\n\r\n', '\r\n ', ' :',
  'HTTP/1.1 200 OK\r\n', 'HTTP/1.1 100 C\r\n\r\n', 'Content-Length: 3\r\n', 'content-length:0\r\n', 'Transfer-Encoding: chunked\r\n', 'transfer-encoding: gzip\r\n',
  'Connection: close\r\n', 'X: a\r\n', '3\r\nabc\r\n', '1;x=y\r\na\r\n', '10000000000000000', 'HTTP/1.0 ', '204 ', '304 ', '101 ',
]; // prettier-ignore

export type Random = ReturnType<typeof randomFrom>;
export { randomFrom };

/** Changes one to three places of an answer, one mostly. */
export function spoil(random: Random, text: string): string {
  let spoilt = text;
  for (let i = random(3) * random(2); i >= 0; i -= 1) {
    const at = random(spoilt.length + 1);
    const piece = pieces[random(pieces.length)]!;
    switch (random(7)) {
      case 0:
        spoilt = spoilt.slice(0, at) + piece + spoilt.slice(at);
        break;
      case 1:
        spoilt = spoilt.slice(0, at) + piece + spoilt.slice(at + piece.length);
        break;
      case 2:
        spoilt = spoilt.slice(0, at) + spoilt.slice(at + 1 + random(3));
        break;
      case 3:
        spoilt = spoilt.slice(0, at);
        break;
      case 4:
        spoilt = spoilt.slice(0, at) + String.fromCharCode(random(256)) + spoilt.slice(at + 1);
        break;
      case 5: {
        const line = spoilt.split('\r\n')[random(6)] ?? '';
        spoilt = `${spoilt.slice(0, at)}${line}\r\n${spoilt.slice(at)}`;
        break;
      }
      default: {
        const lineEnd = spoilt.indexOf('\r\n', at);
        if (lineEnd !== -1) spoilt = spoilt.slice(0, lineEnd) + '\r\n' + piece + spoilt.slice(lineEnd + 2);
      }
    }
  }
  return spoilt;
}

/** What is spoilt: one answer for each way in which they differ. */
export const seeds: readonly string[] = [
  'HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: 5\r\n\r\nhello',
  'HTTP/1.1 201 Made\r\nX-A: 1\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n6;x=y\r\n world\r\n0\r\n\r\n',
  'HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\na\r\n0123456789\r\n0\r\nX-T: 1\r\n\r\n',
  'HTTP/1.1 200 OK\r\nX-A: 1\r\n\r\nto the end',
  'HTTP/1.0 200 OK\r\nContent-Length: 2\r\nConnection: keep-alive\r\n\r\nok',
  'HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok',
  'HTTP/1.1 103 Early\r\nLink: </a>\r\n\r\nHTTP/1.1 404 No\r\nSet-Cookie: a=1\r\nSet-Cookie: b=2\r\nContent-Length: 0\r\n\r\n',
  'HTTP/1.1 204 No Content\r\nETag: "a"\r\n\r\n',
  'HTTP/1.1 304 Not Modified\r\nContent-Length: 7\r\n\r\n',
];
