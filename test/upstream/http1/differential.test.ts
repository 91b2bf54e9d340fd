/** Our client and undici hear the same answers, good and spoilt: both pass the same on, or it is known why not. */
import * as fc from 'fast-check';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { madeAnswers, randomFrom, seeds, spoil } from './answers.ts';
import { BothClients, type Heard } from './both-clients.ts';

interface Difference {
  readonly why: string;
  readonly text: RegExp;
}

/** Where ours refuses what undici passes on. */
const stricter: readonly Difference[] = [
  {
    why: 'RFC 9112 section 4: a reason holds no controls',
    // oxlint-disable-next-line no-control-regex -- these are the controls.
    text: /(?:^|[\r\n])HTTP\/1\.[01] \d{3} [^\r\n]*[\0-\x08\x0b\x0c\x0e-\x1f\x7f]/,
  },
  {
    why: 'RFC 9112 section 2.2: only a server ignores an empty line before a message',
    text: /(?:^|\r\n\r\n)[\r\n]+(?:HTTP\/|$)/,
  },
];

/** Where ours passes on what undici refuses. */
const laxer: readonly Difference[] = [
  {
    why: 'RFC 9110 section 15.2: a client takes an interim 100 it did not ask for, and a second one (the gate sees one only)',
    text: /\r\n\r\n(?:[^]*\r\n\r\n)?HTTP\/1\.[01] 100/,
  },
  { why: 'what an interim answer says of the connection means nothing', text: /^HTTP\/1\.[01] 1[^]*connection: *close/i },
  { why: 'RFC 9112 section 5.1: blanks around a length are no part of it', text: /content-length:[ \t]*\d+\t/i },
  { why: 'a chunk extension is dropped: that it begins with a name and holds no control is enough', text: /\r\n[0-9a-f]+;[^\r\n]+\r\n/i },
]; // prettier-ignore

let both: BothClients;

beforeAll(async () => {
  both = await BothClients.start();
});
afterAll(() => both.stop());

async function compareAll(texts: readonly string[], methodOf: (i: number) => string): Promise<string[]> {
  const endings: string[] = [];
  let at = 0;
  const lane = async (): Promise<void> => {
    while (at < texts.length) {
      const [text, method] = [texts[at]!, methodOf(at)];
      at += 1;
      const { plain, undici } = await both.hear(method, Buffer.from(text, 'latin1'));
      endings.push(plain.end);
      compare(text, plain, undici);
    }
  };
  await Promise.all(Array.from({ length: 16 }, lane));
  return endings;
}

function compare(text: string, plain: Heard, undici: Heard): void {
  const known = (differences: readonly Difference[]): boolean =>
    differences.some((one) => one.text.test(text));
  if (plain.end === 'ended' && undici.end === 'ended') expect({ text, ...plain }).toEqual({ text, ...undici });
  else if (plain.end === 'ended') expect({ text, passedByOursAlone: !known(laxer) }).toEqual({ text, passedByOursAlone: false }); // prettier-ignore
  else if (undici.end === 'ended') expect({ text, refusedByOursAlone: !known(stricter) }).toEqual({ text, refusedByOursAlone: false }); // prettier-ignore
}

it('what is well-formed, both pass on alike', async () => {
  const made = fc.sample(madeAnswers, { numRuns: 300, seed: 7 });
  const endings = await compareAll(
    made.map(({ bytes }) => bytes.toString('latin1')),
    () => 'GET',
  );
  expect(new Set(endings)).toEqual(new Set(['ended']));
}, 30_000);

it('of what is spoilt, both pass on the same, or it is known why not', async () => {
  const random = randomFrom(20_261_129);
  const texts = Array.from({ length: 1500 }, () => spoil(random, seeds[random(seeds.length)]!));
  const endings = await compareAll(texts, (i) => (i % 10 === 0 ? 'HEAD' : 'GET'));
  for (const end of ['ended', 'invalid', 'reset'])
    expect(endings.filter((one) => one === end).length).toBeGreaterThan(100);
}, 60_000);
