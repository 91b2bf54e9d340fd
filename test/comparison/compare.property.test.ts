import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import { compareConfigs } from '../../gateway/comparison/compare.ts';
import { compareScopes } from '../../gateway/comparison/scopes.ts';
import { config, judgeOf, request, sideOf } from './world.ts';

/**
 * Two configurations that have nothing to do with each other, or, which is what people make, one and an edit of it: one
 * setting of one node is replaced or taken out, or one setting of an issuer.
 */
const pair = fc
  .tuple(config, config, fc.nat(), fc.nat(), fc.boolean())
  .map(([old, other, at, which, takenOut]): readonly [object, object] => {
    if (at % 4 === 0) return [old, other];
    const edited = structuredClone(old);
    const node: Record<string, unknown> =
      at % 4 === 1 ? edited.issuers.one : edited.routes[which % edited.routes.length]!;
    const child = (node['routes'] as Record<string, unknown>[] | undefined)?.[0];
    const target = at % 4 === 2 && child !== undefined ? child : node;
    const donor: Record<string, unknown> = at % 4 === 1 ? other.issuers.one : other.routes[0]!;
    const keys = Object.keys(takenOut ? target : donor).filter((key) => !fixed.has(key));
    const key = keys[which % Math.max(1, keys.length)];
    if (key === undefined) return [old, other];
    if (takenOut && at % 4 !== 1) delete target[key];
    else target[key] = donor[key] ?? target[key];
    return [old, edited];
  })
  .map(([old, now]) => [sideOf(old), sideOf(now)] as const);

const fixed = new Set(['path', 'prefix', 'upstream', 'issuer', 'keys', 'routes']);

test('a request that is permitted anew is among what is told to be loosened, and one refused anew among the rest', () => {
  let [loosened, tightened] = [0, 0];
  fc.assert(
    fc.property(pair, fc.array(request, { minLength: 60, maxLength: 60 }), ([old, now], requests) => {
      if (old === null || now === null) return;
      const found = new Set(compareConfigs(old, now).map(({ effect }) => effect));
      const [wasPermitted, isPermitted] = [judgeOf(old), judgeOf(now)];
      for (const each of requests) {
        const [before, after] = [wasPermitted(each), isPermitted(each)];
        if (after && !before) {
          loosened += 1;
          expect(found).toContain('loosened');
        }
        if (before && !after) {
          tightened += 1;
          expect(found.has('tightened') || found.has('loosened')).toBe(true);
        }
      }
    }),
    { numRuns: 500 },
  );
  // The generators do reach what the property is about.
  expect(loosened).toBeGreaterThan(100);
  expect(tightened).toBeGreaterThan(100);
});

test('a configuration does not differ from itself', () => {
  fc.assert(
    fc.property(config, (made) => {
      const [old, now] = [sideOf(made), sideOf(made)];
      if (old !== null && now !== null) expect(compareConfigs(old, now)).toEqual([]);
    }),
    { numRuns: 100 },
  );
});

test('scope requirements are compared exactly: loosened where some set of scopes passes anew, and nowhere else', () => {
  const names = ['a', 'b', 'c', 'd'];
  const sets = Array.from({ length: 16 }, (_, bits) => new Set(names.filter((_name, bit) => (bits >> bit) & 1)));
  const requirement = fc
    .array(fc.uniqueArray(fc.constantFrom(...names), { minLength: 1 }), { maxLength: 3 })
    .map((clauses) => ({ clauses: clauses.map((clause) => new Set(clause)) }));
  const meets = (set: ReadonlySet<string>, { clauses }: { clauses: readonly ReadonlySet<string>[] }): boolean =>
    clauses.every((clause) => [...clause].some((name) => set.has(name)));
  fc.assert(
    fc.property(requirement, requirement, (old, now) => {
      const effects = new Set(compareScopes(old, now).map(({ effect }) => effect));
      expect(effects.has('loosened')).toBe(sets.some((set) => meets(set, now) && !meets(set, old)));
      expect(effects.has('tightened')).toBe(sets.some((set) => meets(set, old) && !meets(set, now)));
    }),
    { numRuns: 2000 },
  );
}); // prettier-ignore
