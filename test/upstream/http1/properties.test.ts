import * as fc from 'fast-check';
import { expect, it } from 'vitest';
import { madeAnswers, randomFrom, seeds, spoil } from './answers.ts';
import { cutAt, play, playWhole } from './outcome.ts';

const framing = new Set(['content-length', 'transfer-encoding']);

/** Without the fields that frame the body. */
const plain = (fields: readonly string[]): string[] =>
  fields.filter((_, i) => !framing.has(fields[i - (i % 2)]!));

it('RFC 9112: a well-formed answer is read as it was made, however it is cut into pieces', () => {
  fc.assert(
    fc.property(
      madeAnswers,
      fc.array(fc.nat(2000), { maxLength: 8 }),
      ({ bytes, interims, status, fields, content, toEnd }, places) => {
        const cuts = places.filter((place) => place < bytes.length);
        const outcome = play(cutAt(bytes, cuts), { closes: toEnd });
        expect({ ...outcome, fields: plain(outcome.fields) }).toEqual({
          end: 'complete',
          interims,
          status,
          fields,
          content,
          behind: false,
        });
      },
    ),
    { numRuns: 2000 },
  );
});

it('no answer is complete before its last byte', () => {
  fc.assert(
    fc.property(madeAnswers, fc.nat(), ({ bytes, toEnd }, drop) => {
      fc.pre(!toEnd);
      const part = bytes.subarray(0, drop % bytes.length);
      expect(playWhole(part, { closes: true }).end).toBe('cut');
    }),
    { numRuns: 1000 },
  );
});

const runs = 60_000;
const seed = 20_261_128;

it(`${runs} spoilt answers are read alike in any pieces, never throw, and let no control into a field`, () => {
  const random = randomFrom(seed);
  const ends = { complete: 0, invalid: 0, open: 0, cut: 0 };
  for (let run = 0; run < runs; run += 1) {
    const text = spoil(random, seeds[random(seeds.length)]!);
    const bytes = Buffer.from(text, 'latin1');
    const closes = random(2) === 0;
    const whole = playWhole(bytes, { closes });
    const cuts = Array.from({ length: random(6) }, () => random(bytes.length + 1));
    const pieces = play(cutAt(bytes, cuts), { closes });
    if (JSON.stringify(pieces) !== JSON.stringify(whole))
      expect({ text, ...pieces }).toEqual({ text, ...whole });
    // oxlint-disable-next-line no-control-regex -- what must not be there.
    if (/[\0-\x08\x0a-\x1f\x7f]/.test(whole.fields.join(' '))) expect.unreachable(JSON.stringify(text));
    if (whole.content.length > text.length) expect.unreachable(JSON.stringify(text));
    ends[whole.end] += 1;
  }
  // Spoilt is not the same as bad: a good part of each kind was tried.
  for (const count of Object.values(ends)) expect(count).toBeGreaterThan(runs / 50);
}, 60_000);
