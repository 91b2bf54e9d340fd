import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { array, assert, boolean, constantFrom, nat, property, record } from 'fast-check';
import { expect, test } from 'vitest';
import { BriefMap } from '../../gateway/core/brief-map.ts';

const compiled = fileURLToPath(new URL('../../dist/gateway/core/brief-map.js', import.meta.url));

/** Bytes that the old space grew by while 20,000 entries came and went, 64 at a time; there is no full collection. */
const churn = (maker: string): string => `
  import v8 from 'node:v8';
  import { BriefMap } from ${JSON.stringify(compiled)};
  const oldSpace = () => v8.getHeapSpaceStatistics().find((each) => each.space_name === 'old_space').space_used_size;
  const scavenge = () => gc({ type: 'minor' });
  const map = ${maker};
  for (let i = 0; i < 4; i += 1) scavenge();
  const before = oldSpace();
  for (let i = 0; i < 20_000; i += 1) {
    map.set(i, { text: new Array(100).fill(i) });
    map.delete(i - 64);
    if (i % 500 === 0) scavenge();
  }
  scavenge();
  console.log(oldSpace() - before);
`;

async function grownBy(maker: string): Promise<number> {
  const flags = ['--expose-gc', '--input-type=module', '-e', churn(maker)];
  const { stdout } = await promisify(execFile)(process.execPath, flags);
  return Number(stdout);
}

test('is a map, however often it is renewed', () => {
  const step = record({ key: nat(60), isSet: boolean(), times: constantFrom(1, 1, 500) });
  assert(
    property(array(step, { maxLength: 60 }), (steps) => {
      const brief = new BriefMap<number, number>();
      const plain = new Map<number, number>();
      for (const { key, isSet, times } of steps) {
        for (let n = 0; n < times; n += 1) {
          if (isSet) {
            brief.set(key, n);
            plain.set(key, n);
          } else expect(brief.delete(key)).toBe(plain.delete(key));
        }
        expect(brief.get(key)).toBe(plain.get(key));
        expect(brief.size).toBe(plain.size);
        expect([...brief.values()]).toStrictEqual([...plain.values()]);
      }
    }),
    { numRuns: 200 },
  );
});

test('entries that have gone do not outlive a scavenge, as those of a plain Map do', async () => {
  const [plain, brief] = await Promise.all([grownBy('new Map()'), grownBy('new BriefMap()')]);
  expect(brief).toBeLessThan(plain / 2);
});
