import { describe, expect, it } from 'vitest';
import { invariants, judge } from '../../sim/invariants/all.ts';
import type { InvariantId } from '../../sim/invariants/ids.ts';
import { history } from './histories/draft.ts';
import { bad } from './histories/bad.ts';
import { good } from './histories/good.ts';

const checkOf = (id: InvariantId) => invariants.find((one) => one.id === id)!;

describe('an invariant', () => {
  it('is there for each of I1 to I20, once', () => {
    const ids = invariants.map((one) => Number(one.id.slice(1))).sort((a, b) => a - b);
    expect(ids).toEqual(Array.from({ length: 20 }, (_, at) => at + 1));
    for (const { id } of invariants) {
      expect(
        good.some((one) => one.id === id),
        `a good history for ${id}`,
      ).toBe(true);
      expect(
        bad.some((one) => one.id === id),
        `a bad history for ${id}`,
      ).toBe(true);
    }
  });

  it.each(good)('$id accepts $what', ({ id, draft }) => {
    expect(checkOf(id).check(history(draft))).toBeUndefined();
  });

  it.each(bad)('$id refuses $what', ({ id, draft }) => {
    const violation = checkOf(id).check(history(draft));
    expect(violation?.invariant).toBe(id);
    expect(violation?.why).toMatch(/\w/);
  });

  it.each(bad)('$id is the one that is named for $what', ({ id, draft }) => {
    expect(judge(history(draft))?.invariant).toBe(id);
  });
});
