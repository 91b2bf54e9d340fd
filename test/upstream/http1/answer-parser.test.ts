/** RFC 9112 by cases. Each is played at once, cut at every byte, and byte by byte: what comes of it must be the same. */
import { isDeepStrictEqual } from 'node:util';
import { describe, expect, it } from 'vitest';
import { AnswerParser } from '../../../gateway/upstream/http1/answer-parser.ts';
import { fieldsMax } from '../../../gateway/upstream/http1/field-section.ts';
import { extensionBytesMax, trailerBytesMax } from '../../../gateway/upstream/http1/chunked-body.ts';
import { hostileAnswers, hostileBodies } from '../../support/hostile-answers.ts';
import { bytewise, cutAt, play, playWhole, type Outcome, type Play } from './outcome.ts';

const ok = 'HTTP/1.1 200 OK\r\n';
const sized = (fields: string): string => `${ok}${fields}Content-Length: 2\r\n\r\nok`;
const chunked = (body: string): string => `${ok}Transfer-Encoding: chunked\r\n\r\n${body}`;

/** Cases up to this are cut at every byte; larger ones at places near their ends. */
const cutBytesMax = 150;

function everyWay(text: string, options: Play = {}): Outcome {
  const bytes = Buffer.from(text, 'latin1');
  const whole = playWhole(bytes, options);
  const same = (pieces: readonly Buffer[], how: string): void => {
    const outcome = play(pieces, options);
    if (!isDeepStrictEqual(outcome, whole)) expect({ how, ...outcome }).toEqual({ how, ...whole });
  };
  same(bytewise(bytes), 'byte by byte');
  for (let at = 1; at < Math.min(bytes.length, cutBytesMax); at += 1) {
    same(cutAt(bytes, [at]), `cut at ${at}`);
    same(cutAt(bytes, [bytes.length - at]), `cut ${at} before the end`);
  }
  return whole;
}

describe('RFC 9112 section 4: the status line', () => {
  it.each([
    ['HTTP/1.1 200 OK\r\n', 200],
    ['HTTP/1.0 404 Not Found\r\n', 404],
    ['HTTP/1.1 200 \r\n', 200],
    ['HTTP/1.1 200\r\n', 200],
    ['HTTP/1.1 599 \tcaf\xe9 !~\r\n', 599],
  ])('%j is one', (line, status) => {
    expect(everyWay(`${line}Content-Length: 2\r\n\r\nok`)).toMatchObject({ end: 'complete', status });
  });

  it.each([
    'HTTP/1.1 200 OK\n', 'HTTP/1.1 200 O\rK\r\n', 'HTTP/1.1 200 O\0K\r\n', 'HTTP/1.1 200 O\x7fK\r\n', 'HTTP/1.1  200 OK\r\n',
    'HTTP/1.1 200OK\r\n', 'HTTP/1.1 2x0 OK\r\n', 'HTTP/1.1\t200 OK\r\n', 'http/1.1 200 OK\r\n', 'HTTP/1.10 200 OK\r\n', 'HTTP/1,1 200 OK\r\n',
    'HTTP/2 200 OK\r\n', 'HTTP/1.2 200 OK\r\n', '\r\nHTTP/1.1 200 OK\r\n', ' HTTP/1.1 200 OK\r\n', 'HTTP/1.1 600 OK\r\n', 'HTTP/1.1 099 OK\r\n',
    'GET / HTTP/1.1\r\n', `HTTP/1.1 200 ${'x'.repeat(20_000)}\r\n`,
  ])('%j is none', (line) => {
    expect(everyWay(`${line}Content-Length: 2\r\n\r\nok`).end).toBe('invalid');
  }); // prettier-ignore
});

describe('RFC 9112 section 5: fields', () => {
  it.each([
    ['X: a\r\n', ['x', 'a']],
    ['X:a\r\n', ['x', 'a']],
    ['X-MiXed:  \t a b\tc \t\r\n', ['x-mixed', 'a b\tc']],
    ['X:\r\n', ['x', '']],
    ['X: \t \r\n', ['x', '']],
    ['X: caf\xe9\x80\r\n', ['x', 'caf\xe9\x80']],
    ["!#$%&'*+-.^_`|~09: :a:\r\n", ["!#$%&'*+-.^_`|~09", ':a:']],
    ['Set-Cookie: a\r\nset-cookie: b\r\n', ['set-cookie', 'a', 'set-cookie', 'b']],
  ])('%j are read', (fields, read) => {
    expect(everyWay(sized(fields))).toMatchObject({
      end: 'complete',
      fields: [...read, 'content-length', '2'],
      content: 'ok',
    });
  });

  it.each([
    'X : a\r\n', 'X\t: a\r\n', ': a\r\n', 'X\r\n', ' X: a\r\n', 'X: a\r\n b\r\n', 'X: a\r\n\tb\r\n', 'X: a\n', 'X: a\nY: b\r\n', 'X: a\rb\r\n',
    'X: a\r\r\n', 'X: \0\r\n', 'X: \x7f\r\n', 'X: \x1b\r\n', 'X(: a\r\n', 'X\xe9: a\r\n', 'X\0: a\r\n', '\n', 'X: a\r\n\n',
  ])('%j are refused', (fields) => {
    expect(everyWay(sized(fields)).end).toBe('invalid');
  }); // prettier-ignore

  it('as many as the limit are read, and one more is refused', () => {
    expect(everyWay(sized('X: a\r\n'.repeat(fieldsMax - 1))).end).toBe('complete');
    expect(everyWay(sized('X: a\r\n'.repeat(fieldsMax))).end).toBe('invalid');
  });

  it('a head as large as the limit is read, and one larger by a byte is refused', () => {
    const text = sized('X: abc\r\n');
    const headBytesMax = text.length - 2;
    expect(everyWay(text, { headBytesMax }).end).toBe('complete');
    expect(everyWay(text, { headBytesMax: headBytesMax - 1 }).end).toBe('invalid');
  });
});

describe('RFC 9112 section 6.3: where the body ends', () => {
  it.each([
    ['a length', sized(''), {}, 'complete', 'ok'],
    ['a length of 0', `${ok}Content-Length: 0\r\n\r\n`, {}, 'complete', ''],
    ['a length that is not reached', `${ok}Content-Length: 3\r\n\r\nok`, {}, 'open', 'ok'],
    ['a length that is not reached by a close', `${ok}Content-Length: 3\r\n\r\nok`, { closes: true }, 'cut', 'ok'],
    ['the close', `${ok}\r\nok`, { closes: true }, 'complete', 'ok'],
    ['the close, with nothing before it', `${ok}\r\n`, { closes: true }, 'complete', ''],
    ['nothing as yet', `${ok}\r\nok`, {}, 'open', 'ok'],
    ['a close within the head', `${ok}X: a\r\n`, { closes: true }, 'cut', ''],
    ['no body for HEAD', `${ok}Content-Length: 9\r\n\r\n`, { method: 'HEAD' }, 'complete', ''],
    ['no body for HEAD, chunked', `${ok}Transfer-Encoding: chunked\r\n\r\n`, { method: 'HEAD' }, 'complete', ''],
    ['no body for 204', 'HTTP/1.1 204 No\r\nContent-Length: 9\r\n\r\n', {}, 'complete', ''],
    ['no body for 304', 'HTTP/1.1 304 No\r\nTransfer-Encoding: chunked\r\n\r\n', {}, 'complete', ''],
  ] as const)('%s', (_, text, options, end, content) => {
    expect(everyWay(text, options)).toMatchObject({ end, content, behind: false });
  }); // prettier-ignore

  it.each([
    ['a sized answer', sized('')],
    ['an empty one', `${ok}Content-Length: 0\r\n\r\n`],
    ['a chunked one', chunked('2\r\nok\r\n0\r\n\r\n')],
    ['one with trailers', chunked('0\r\nX: a\r\n\r\n')],
  ])('what comes behind %s is told', (_, text) => {
    expect(everyWay(text).behind).toBe(false);
    for (const more of ['\0', '\r\n', sized('')])
      expect(everyWay(text + more)).toEqual({ ...everyWay(text), behind: true });
  });
});

describe('RFC 9112 section 7.1: the chunked coding', () => {
  it.each([
    ['2\r\nok\r\n0\r\n\r\n', 'ok'],
    ['0\r\n\r\n', ''],
    ['00000000000000a\r\n0123456789\r\n0000\r\n\r\n', '0123456789'],
    ['A\r\n0123456789\r\n1\r\n\n\r\n0\r\n\r\n', '0123456789\n'],
    ['2;a\r\nok\r\n0;b=c\r\n\r\n', 'ok'],
    ['2;a="b; \\" c"\r\nok\r\n0\r\n\r\n', 'ok'],
    [`2;${'a'.repeat(extensionBytesMax)}\r\nok\r\n0\r\n\r\n`, 'ok'],
    ['2\r\nok\r\n0\r\nX: a\r\nY: b\r\n\r\n', 'ok'],
  ])('%j is decoded', (body, content) => {
    expect(everyWay(chunked(body))).toMatchObject({ end: 'complete', content });
  });

  it.each([
    '\r\nok', 'g\r\n', '-2\r\nok\r\n', '+2\r\nok\r\n', ' 2\r\nok\r\n', '2 \r\nok\r\n', '2\t;a\r\nok\r\n', '2\nok\r\n', '2\r\nok\n0\r\n\r\n', '2\r\nokX\r\n', '2\r\nok\rX',
    '2;\r\nok\r\n', '2; a\r\nok\r\n', '2;a\nok\r\n', '2;a\rb\r\nok\r\n', '2;\0\r\nok\r\n', `2;${'a'.repeat(extensionBytesMax + 1)}\r\nok\r\n`, '00000000000000002\r\nok\r\n', '20000000000000\r\n', 'ffffffffffffffff\r\n',
    '0\r\nX : a\r\n\r\n', '0\r\n X: a\r\n\r\n', '0\r\nX: a\n\r\n', '0\r\n\n', '0\n\r\n', '0\r\nTransfer-Encoding: chunked\r\n\r\n', '0\r\ncontent-length: 1\r\n\r\n',
    `0\r\n${'X: a\r\n'.repeat(fieldsMax + 1)}\r\n`, `0\r\nX: ${'a'.repeat(trailerBytesMax)}\r\n\r\n`,
  ])('%j is refused', (body) => {
    expect(everyWay(chunked(body)).end).toBe('invalid');
  }); // prettier-ignore

  it.each([
    '2',
    '2\r',
    '2\r\no',
    '2\r\nok',
    '2\r\nok\r\n',
    '2\r\nok\r\n0',
    '0\r\n',
    '0\r\nX: a\r\n',
    '0\r\n\r',
  ])('%j is cut short by a close', (body) =>
    expect(everyWay(chunked(body), { closes: true }).end).toBe('cut'),
  );
});

describe('the content of chunks', () => {
  /** Each piece, and whether it was said to be the last. */
  const piecesOf = (...pushes: string[]): [string, boolean][] => {
    const pieces: [string, boolean][] = [];
    const parser = new AnswerParser(
      {
        onInterim: () => true,
        onHead: () => ({ framing: 'chunked', length: null }),
        onContent: (piece, last) => void pieces.push([piece.toString('latin1'), last]),
      },
      1000,
    );
    parser.begin();
    for (const text of pushes) parser.push(Buffer.from(text, 'latin1'), text.length);
    return pieces;
  };

  it('is one piece for each push, however small the chunks are', () => {
    expect(
      piecesOf(chunked('1\r\na\r\n2;x\r\nbc\r\n1\r\nd'), '\r\n1\r\ne\r\n', '1\r\nf\r\n0\r\n\r\n'),
    ).toEqual([
      ['abcd', false],
      ['e', false],
      ['f', true],
    ]);
  });

  it('is told to be the last only when the answer is complete with it', () => {
    expect(piecesOf(chunked('1\r\na\r\n0\r\n\r\n'))).toEqual([['a', true]]);
    expect(piecesOf(chunked('1\r\na\r\n0\r\nX: a\r\n\r\n'))).toEqual([['a', true]]);
    expect(piecesOf(chunked('1\r\na\r\n0\r\n'))).toEqual([['a', false]]);
    expect(piecesOf(chunked('1\r\na\r\n0\r\nX : a\r\n\r\n'))).toEqual([['a', false]]);
    expect(piecesOf(chunked('1\r\na\r\n'), '0\r\n\r\n')).toEqual([['a', false]]);
  });
});

describe('RFC 9110 section 15.2: interim answers', () => {
  it.each([
    ['HTTP/1.1 100 Continue\r\n\r\n', 1],
    ['HTTP/1.1 103 Early\r\nLink: a\r\nContent-Length: 5\r\n\r\n', 1],
    ['HTTP/1.1 102 P\r\n\r\n'.repeat(16), 16],
  ])('%j are read past', (interim, interims) => {
    expect(everyWay(interim + sized(''))).toMatchObject({
      end: 'complete',
      interims,
      status: 200,
      fields: ['content-length', '2'],
    });
  });

  it.each(['HTTP/1.1 102 P\r\n\r\n'.repeat(17), 'HTTP/1.1 101 S\r\nUpgrade: x\r\n\r\n'])(
    '%j are refused',
    (interim) => expect(everyWay(interim + sized('')).end).toBe('invalid'),
  );

  it('each has the whole limit for its head, and no more', () => {
    const interim = `HTTP/1.1 103 Early\r\nX: ${'a'.repeat(30)}\r\n\r\n`;
    const limit = { headBytesMax: interim.length };
    expect(everyWay(interim.repeat(3) + sized(''), limit).end).toBe('complete');
    expect(everyWay(interim + interim.replace('a', 'aa') + sized(''), limit).end).toBe('invalid');
  });
});

describe('U3: whatever no upstream should send is refused, however it is cut into pieces', () => {
  it.each(Object.entries(hostileAnswers))('%s', (_, text) => {
    expect(everyWay(text).end).toBe('invalid');
  });

  it.each(Object.entries(hostileBodies))('%s', (_, body) => {
    expect(everyWay(chunked(body)).end).toBe('invalid');
  });
});
