import { generateKeyPairSync, sign, verify } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import type { Bench, BenchCase } from '../../bench/case.ts';
import { tableOf } from '../../bench/report.ts';
import { runCase } from '../../bench/run.ts';
import { bootstrapMedian, seededRandom, summarise } from '../../bench/statistics.ts';
import { forger } from '../../bench/tokens/forge.ts';
import { readTokens } from '../../bench/tokens/lines.ts';

const notNeeded = (): Promise<never> => Promise.reject(new Error('not needed'));
const bench: Bench = { seconds: 1, corpus: notNeeded, gateway: notNeeded };

/** Two contenders with given figures, which note when they were measured. */
function caseOf(
  figures: Readonly<Record<string, readonly number[]>>,
  order: string[],
  target: number,
): BenchCase {
  return {
    name: 'a-case',
    question: 'Which?',
    figures: { perSecond: '1/s' },
    contenders: () =>
      Promise.resolve(
        Object.entries(figures).map(([name, values]) => {
          const left = [...values];
          return {
            name,
            measure: () => {
              order.push(name);
              return Promise.resolve({ figures: { perSecond: left.shift()! }, trace: null });
            },
          };
        }),
      ),
    ratios: ({ median }) => [
      {
        name: 'of b',
        value: median('a', 'perSecond') / median('b', 'perSecond'),
        target: { atLeast: target },
      },
    ],
  };
}

describe('a run', () => {
  it('measures contenders forwards, then backwards', async () => {
    const order: string[] = [];
    await runCase(caseOf({ a: [1, 1, 1], b: [1, 1, 1] }, order, 1), bench, 3, () => {});
    expect(order).toEqual(['a', 'b', 'b', 'a', 'a', 'b']);
  });

  it('judges ratios by medians, so that one bad round does not decide', async () => {
    const result = await runCase(caseOf({ a: [90, 1, 92], b: [100, 100, 100] }, [], 0.9), bench, 3, () => {});
    expect(result.ratios).toEqual([{ name: 'of b', value: 0.9, target: { atLeast: 0.9 }, met: true }]);
  });

  it('says in its table which target was missed', async () => {
    const result = await runCase(caseOf({ a: [50], b: [100] }, [], 0.75), bench, 1, () => {});
    expect(tableOf(result)).toContain('0.50  of b  (at least 0.75: MISSED)');
  });
});

describe('a contender whose package is not installed', () => {
  const halfThere: BenchCase = {
    ...caseOf({ a: [1] }, [], 1),
    contenders: () =>
      Promise.resolve([
        { name: 'a', measure: () => Promise.resolve({ figures: { perSecond: 1 }, trace: null }) },
        { name: 'b', needs: [{ name: 'a-package', has: '/nowhere/a-program' }], measure: notNeeded },
      ]),
  };

  it('is left out, with what was to be said about it, and the table tells how to get it', async () => {
    const result = await runCase(halfThere, bench, 1, () => {});
    expect(result.contenders.map(({ name }) => name)).toEqual(['a']);
    expect(result.ratios).toEqual([]);
    expect(tableOf(result)).toContain('SKIPPED  b: apt-get install --no-install-recommends a-package');
  });
});

describe('a summary', () => {
  it('has the middle of an odd number of values and the mean of the two middle ones of an even number', () => {
    expect(summarise([3, 1, 2])).toEqual({ median: 2, min: 1, max: 3, spread: 0.5 });
    expect(summarise([4, 1, 2, 3]).median).toBe(2.5);
  });
});

describe('an interval of the median', () => {
  it('is the same for the same seed, and holds the median between its ends', () => {
    const ratios = [0.97, 1.02, 1, 0.99, 1.05, 0.98];
    const interval = bootstrapMedian(ratios, seededRandom(7));
    expect(bootstrapMedian(ratios, seededRandom(7))).toEqual(interval);
    expect(interval.low).toBeLessThanOrEqual(summarise(ratios).median);
    expect(interval.high).toBeGreaterThanOrEqual(summarise(ratios).median);
    expect(interval.low).toBeGreaterThanOrEqual(0.97);
    expect(interval.high).toBeLessThanOrEqual(1.05);
  });

  it('of values that are all slower lies below 1', () => {
    const slower = bootstrapMedian([0.8, 0.82, 0.79, 0.81, 0.8, 0.83], seededRandom(1));
    expect(slower.high).toBeLessThan(0.85);
  });
});

describe('a forged token', () => {
  const { privateKey, publicKey } = generateKeyPairSync('rsa', { modulusLength: 2048 });
  const part = (value: object): string => Buffer.from(JSON.stringify(value)).toString('base64url');
  const input = `${part({ alg: 'RS256' })}.${part({ sub: 'a', jti: 'genuine' })}`;
  const genuine = `${input}.${sign('sha256', Buffer.from(input), privateKey).toString('base64url')}`;

  const isGenuine = (token: string): boolean => {
    const [header, payload, signature] = token.split('.');
    return verify(
      'sha256',
      Buffer.from(`${header}.${payload}`),
      publicKey,
      Buffer.from(signature!, 'base64url'),
    );
  };

  it('differs from every other, looks like the genuine one and is not', () => {
    const forge = forger(genuine);
    const [first, second] = [forge(), forge()];
    expect(isGenuine(genuine)).toBe(true);
    expect([isGenuine(first), isGenuine(second)]).toEqual([false, false]);
    expect(first).not.toBe(second);
    const claims = JSON.parse(Buffer.from(first.split('.')[1]!, 'base64url').toString()) as { sub: string };
    expect(claims.sub).toBe('a');
    expect(Math.abs(first.length - genuine.length)).toBeLessThan(32);
  });
});

describe('tokens of a corpus', () => {
  const folder = mkdtempSync(join(tmpdir(), 'sallyport-test-'));
  const file = join(folder, 'tokens.txt');
  afterAll(() => rmSync(folder, { recursive: true }));

  it('are read from one line to another, as far as there are so many', () => {
    writeFileSync(file, 'a\nb\nc\n');
    expect(readTokens(file, 0, 2)).toEqual(['a', 'b']);
    expect(readTokens(file, 1, 3)).toEqual(['b', 'c']);
    expect(readTokens(file, 2, 9)).toEqual(['c']);
  });
});
