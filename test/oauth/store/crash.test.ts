/** Processes that die, and power that is lost, at every operation: an old record or a new one, never a torn one. */
import { join } from 'node:path';
import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { type CredentialStore, StoreFault } from '../../../gateway/oauth/credential.ts';
import { systemFiles } from '../../../gateway/oauth/store/files.ts';
import { Died, DyingFiles } from './dying-files.ts';
import { PlainFiles } from './plain-files.ts';
import {
  ann,
  bob,
  markOf,
  onlyVersion,
  openStore,
  recordFolders,
  tokens,
  versionsIn,
  withFolder,
} from './stores.ts';

/** Ends where the process does. Returns whether it came to its end. */
async function lived(run: () => Promise<unknown>): Promise<boolean> {
  try {
    await run();
    return true;
  } catch (error) {
    if (error instanceof Died) return false;
    throw error;
  }
}

interface Case {
  readonly name: string;
  readonly before: (store: CredentialStore, directory: string) => Promise<unknown>;
  readonly run: (store: CredentialStore) => Promise<unknown>;
  /** What may be read afterwards when it did not finish; the last one is that of the end. */
  readonly marks: readonly (string | null)[];
}

const cases: readonly Case[] = [
  {
    name: 'a first write',
    before: async () => {},
    run: (store) => store.write(tokens(ann, 'new'), 2n, 'replace'),
    marks: [null, 'new'],
  },
  {
    name: 'a replacement',
    before: (store) => store.write(tokens(ann, 'old'), 1n, 'replace'),
    run: (store) => store.write(tokens(ann, 'new'), 2n, 'update'),
    marks: ['old', 'new'],
  },
  {
    name: 'a deletion',
    before: (store) => store.write(tokens(ann, 'old'), 1n, 'replace'),
    run: (store) => store.delete(ann),
    marks: ['old', null],
  },
  {
    name: 'a write over what cannot be read',
    before: async (store, directory) => {
      await store.write(tokens(ann, 'old'), 1n, 'replace');
      const path = await onlyVersion(directory);
      await systemFiles.remove(path);
      await (await systemFiles.create(path)).close();
    },
    run: (store) => store.write(tokens(ann, 'new'), 2n, 'replace'),
    marks: ['unreadable', 'new'],
  },
];

async function markIn(store: CredentialStore): Promise<string | null> {
  try {
    return markOf(await store.read(ann));
  } catch (error) {
    return (error as StoreFault).code;
  }
}

describe('a process that dies', () => {
  test.each(cases)('at any step of $name leaves the old record or the new one', async (crash) => {
    let wasWhole = false;
    for (let steps = 0; !wasWhole; steps++) {
      wasWhole = await withFolder(async (folder) => {
        const directory = join(folder, 'credentials');
        await crash.before(await openStore(directory), directory);
        // It dies in the write, not before: opening has steps of its own.
        const opening = new DyingFiles(systemFiles);
        await openStore(directory, { files: opening });
        const files = new DyingFiles(systemFiles, opening.steps + steps);
        const store = await openStore(directory, { files });
        const isWhole = await lived(() => crash.run(store));

        const after = await openStore(directory);
        const mark = await markIn(after);
        expect(isWhole ? crash.marks.slice(-1) : crash.marks).toContain(mark);
        // Who reads a record tidies up behind a dead writer.
        for (const record of await recordFolders(directory)) {
          if (mark !== 'unreadable') expect(await versionsIn(record)).toHaveLength(1);
        }
        await after.write(tokens(ann, 'later'), 3n, 'replace');
        expect(markOf(await after.read(ann))).toBe('later');
        return isWhole;
      });
    }
  });

  test('while it makes the store leaves one that can be opened', async () => {
    let wasWhole = false;
    for (let steps = 0; !wasWhole; steps++) {
      wasWhole = await withFolder(async (folder) => {
        const directory = join(folder, 'credentials');
        const files = new DyingFiles(systemFiles, steps);
        const isWhole = await lived(() => openStore(directory, { files }));
        const store = await openStore(directory);
        await store.write(tokens(ann, 'one'), 1n, 'replace');
        expect(markOf(await (await openStore(directory)).read(ann))).toBe('one');
        return isWhole;
      });
    }
  });
});

const ids = [ann, bob] as const;

const operation = fc.record({
  who: fc.constantFrom(0 as const, 1 as const),
  kind: fc.constantFrom('replace', 'update', 'delete'),
  fence: fc.bigInt({ min: 0n, max: 3n }),
});

/**
 * Runs operations one after the other, in processes that die after so many steps, each going on where the one before died.
 * Says what may be there, account by account.
 */
async function runUntilDark(
  operations: readonly { who: 0 | 1; kind: string; fence: bigint }[],
  lives: readonly number[],
  files: PlainFiles,
): Promise<readonly Set<string | null>[]> {
  const may: Set<string | null>[] = [new Set([null]), new Set([null])];
  let next = 0;
  for (const stepsMax of lives) {
    await lived(async () => {
      const store = await openStore('/credentials', { files: new DyingFiles(files, stepsMax) });
      while (next < operations.length) {
        const mark = String(next);
        const { who, kind, fence } = operations[next++]!;
        const end = kind === 'delete' ? null : mark;
        const before = new Set(may[who]);
        may[who]!.add(end);
        try {
          if (kind === 'delete') await store.delete(ids[who]);
          else await store.write(tokens(ids[who], mark), fence, kind as 'replace' | 'update');
          may[who] = new Set([end]);
        } catch (error) {
          if (!(error instanceof StoreFault)) throw error;
          // Refused: nothing was changed.
          may[who] = before;
        }
      }
    });
  }
  return may;
}

test('a loss of power at any step keeps what was acknowledged, and makes nothing unreadable', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(operation, { minLength: 1, maxLength: 5 }),
      fc.array(fc.nat(60), { minLength: 1, maxLength: 4 }),
      fc.infiniteStream(fc.nat(0xffff)),
      async (operations, lives, choices) => {
        const files = new PlainFiles();
        const may = await runUntilDark(operations, lives, files);
        files.losePower((below) => (choices.next().value as number) % below);
        const store = await openStore('/credentials', { files });
        for (const [who, id] of ids.entries()) {
          const mark = markOf(await store.read(id));
          expect([...may[who]!]).toContain(mark);
        }
      },
    ),
    { numRuns: 1500 },
  );
});
