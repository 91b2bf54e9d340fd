/** Writers and readers whose file operations come in any order: there is no lock, and none is needed. */
import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import { StoreFault } from '../../../gateway/oauth/credential.ts';
import type { Files } from '../../../gateway/oauth/store/files.ts';
import { rotateRecords } from '../../../gateway/oauth/store/rotate.ts';
import { PlainFiles } from './plain-files.ts';
import { ann, markOf, newKey, nowMs, oldKey, openRecords, openStore, tokens } from './stores.ts';

/** Every operation waits for its turn. */
function inTurns(files: Files, turn: (label: string) => Promise<unknown>): Files {
  const wait =
    <A extends readonly unknown[], R>(label: string, operation: (...args: A) => Promise<R>) =>
    async (...args: A): Promise<R> => {
      await turn(label);
      return operation(...args);
    };
  return {
    stat: wait('stat', files.stat),
    list: wait('list', files.list),
    read: wait('read', files.read),
    makeFolder: wait('makeFolder', files.makeFolder),
    removeFolder: wait('removeFolder', files.removeFolder),
    create: wait('create', files.create),
    link: wait('link', files.link),
    rename: wait('rename', files.rename),
    remove: wait('remove', files.remove),
    syncFolder: wait('syncFolder', files.syncFolder),
  };
}

test('of writers in any interleaving the largest fence stays, and readers never go back', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.scheduler(),
      fc.array(fc.array(fc.bigInt({ min: 1n, max: 9n }), { minLength: 1, maxLength: 3 }), {
        minLength: 2,
        maxLength: 3,
      }),
      fc.boolean(),
      async (scheduler, writers, startsEmpty) => {
        const plain = new PlainFiles();
        const calm = await openStore('/credentials', { files: plain });
        if (!startsEmpty) await calm.write(tokens(ann, 'first'), 0n, 'replace');
        const files = inTurns(plain, (label) => scheduler.schedule(Promise.resolve(), label));
        // Its first key is the old one still.
        const ring = `${oldKey} ${newKey}`;
        const written: bigint[] = startsEmpty ? [] : [0n];
        const seen: bigint[] = [];

        const write = async (fences: readonly bigint[]): Promise<void> => {
          const store = await openStore('/credentials', { files, ring });
          for (const fence of fences) {
            const largest = largestOf(written);
            try {
              await store.write(tokens(ann, String(fence)), fence, 'replace');
              written.push(fence);
              expect(fence >= largest).toBe(true);
            } catch (error) {
              if (!(error instanceof StoreFault) || error.code !== 'superseded') throw error;
            }
          }
        };
        const read = async (): Promise<void> => {
          const store = await openStore('/credentials', { files, ring });
          for (let round = 0; round < 4; round++) {
            const largest = largestOf(written);
            const stored = await store.read(ann);
            const fence = stored?.fence ?? -1n;
            expect(fence >= largest).toBe(true);
            expect(fence >= largestOf(seen)).toBe(true);
            seen.push(fence);
          }
        };
        const rotate = async (): Promise<void> => {
          const ring = `${newKey} ${oldKey}`;
          const records = await openRecords('/credentials', { files, ring });
          expect((await rotateRecords(records, nowMs)).unreadable).toEqual([]);
        };
        await scheduler.waitFor(Promise.all([...writers.map(write), read(), rotate()]));

        const last = await openStore('/credentials', { files: plain, ring: `${newKey} ${oldKey}` });
        expect((await last.read(ann))!.fence).toBe(largestOf(written));
      },
    ),
    { numRuns: 400 },
  );
});

const largestOf = (fences: readonly bigint[]): bigint =>
  fences.reduce((largest, fence) => (fence > largest ? fence : largest), -1n);

test('a writer that slept while others wrote does not take a number that has become free', async () => {
  const plain = new PlainFiles();
  const calm = await openStore('/credentials', { files: plain });
  await calm.write(tokens(ann, 'one'), 1n, 'replace');
  let wake = (): void => {};
  const asleep = new Promise<void>((resolve) => {
    wake = resolve;
  });
  let isAtLink = (): void => {};
  const atLink = new Promise<void>((resolve) => {
    isAtLink = resolve;
  });
  const sleeper = await openStore('/credentials', {
    files: {
      ...inTurns(plain, () => Promise.resolve()),
      link: async (from, to) => {
        isAtLink();
        await asleep;
        return plain.link(from, to);
      },
    },
  });
  const late = sleeper.write(tokens(ann, 'late'), 2n, 'replace');
  await atLink;
  // The number it has in mind is used, passed and removed.
  for (const fence of [3n, 4n, 5n]) await calm.write(tokens(ann, String(fence)), fence, 'replace');
  wake();
  await expect(late).rejects.toMatchObject({ code: 'superseded' });
  expect(markOf(await calm.read(ann))).toBe('5');
});
