/** A short soak; the whole one runs by hand (`soak.ts`). */
import { expect, it } from 'vitest';
import { isFlat, trendOf } from './memory.ts';
import { runSoak } from './run.ts';

it(
  'holds for 20 seconds of mixed load while listeners throw and verify workers end',
  { timeout: 60_000 },
  async () => {
    const result = await runSoak({ seconds: 20, throwEverySeconds: 7, terminateEverySeconds: 4 });
    expect(result.violations).toEqual([]);
    expect(result.listenersRestarted).toBe(2);
    expect(result.workersTerminated).toBe(4);
    for (const kind of ['repeated', 'fresh', 'upload', 'slow'])
      expect(result.outcomes[kind]?.['200']).toBeGreaterThan(30);
    expect(result.outcomes['bad']?.['401 token_signature']).toBeGreaterThan(30);
  },
);

it('notices memory that grows', () => {
  const mebibyte = 1_048_576;
  const flat = Array.from({ length: 40 }, () => 100 * mebibyte);
  expect(isFlat(trendOf(flat))).toBe(true);
  expect(isFlat(trendOf(flat.map((bytes, second) => bytes + second * 2 * mebibyte)))).toBe(false);
});
