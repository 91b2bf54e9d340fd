/** The contract of `CredentialStore`, on real files. */
import {
  chmod,
  mkdir,
  readdir,
  readFile,
  rename,
  rm,
  rmdir,
  stat,
  symlink,
  writeFile,
} from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import type { StoreFaultCode } from '../../../gateway/oauth/credential.ts';
import {
  ann,
  bob,
  faultOf,
  markOf,
  nowMs,
  onlyVersion,
  openRecords,
  openStore,
  recordFolders,
  ringEntry,
  tokens,
  versionsIn,
  withFolder,
} from './stores.ts';

const refuses = async (promise: Promise<unknown>, code: StoreFaultCode): Promise<void> =>
  expect((await faultOf(promise)).code).toBe(code);

/** A store in a folder of its own. */
const withStore = (run: (store: Awaited<ReturnType<typeof openStore>>, directory: string) => Promise<void>) =>
  withFolder(async (folder) => {
    const directory = join(folder, 'credentials');
    await run(await openStore(directory), directory);
  });

describe('reading and writing', () => {
  test('what was written is read back by another store on the directory, with its fence', () =>
    withStore(async (store, directory) => {
      expect(await store.read(ann)).toBeNull();
      await store.write(tokens(ann, 'one'), 1n << 159n, 'replace');
      const other = await openStore(directory);
      expect(await other.read(ann)).toEqual({ credential: tokens(ann, 'one'), fence: 1n << 159n });
      expect(await other.read(bob)).toBeNull();
    }));

  test('a linked credential is kept as such, and listed without an expiry', () =>
    withStore(async (store) => {
      await store.write({ id: ann, grant: { kind: 'linked', linkedAtMs: 5 } }, 0n, 'replace');
      expect((await store.read(ann))!.credential.grant).toEqual({ kind: 'linked', linkedAtMs: 5 });
      expect(await store.list()).toEqual([{ id: ann, kind: 'linked', expiresAtMs: null, refused: false }]);
    }));

  test('a smaller fence is refused and changes nothing; an equal one is the same writer again', () =>
    withStore(async (store) => {
      await store.write(tokens(ann, 'five'), 5n, 'replace');
      await refuses(store.write(tokens(ann, 'four'), 4n, 'replace'), 'superseded');
      await refuses(store.write(tokens(ann, 'four'), 4n, 'update'), 'superseded');
      expect(markOf(await store.read(ann))).toBe('five');
      await store.write(tokens(ann, 'five again'), 5n, 'update');
      expect(markOf(await store.read(ann))).toBe('five again');
    }));

  test('an update needs a record', () =>
    withStore(async (store) => {
      await refuses(store.write(tokens(ann, 'one'), 1n, 'update'), 'absent');
      await store.write(tokens(ann, 'one'), 1n, 'replace');
      await store.delete(ann);
      await refuses(store.write(tokens(ann, 'two'), 2n, 'update'), 'absent');
      expect(await store.read(ann)).toBeNull();
    }));

  test('a deleted record keeps its fence: a late writer stays refused', () =>
    withStore(async (store) => {
      await store.write(tokens(ann, 'five'), 5n, 'replace');
      expect(await store.delete(ann)).toBe(true);
      expect(await store.delete(ann)).toBe(false);
      await refuses(store.write(tokens(ann, 'four'), 4n, 'replace'), 'superseded');
      await store.write(tokens(ann, 'six'), 6n, 'replace');
      expect(markOf(await store.read(ann))).toBe('six');
    }));

  test('a deletion of what one fence wrote leaves a newer record alone', () =>
    withStore(async (store) => {
      expect(await store.delete(ann, 5n)).toBe(false);
      await store.write(tokens(ann, 'six'), 6n, 'replace');
      expect(await store.delete(ann, 5n)).toBe(false);
      expect(markOf(await store.read(ann))).toBe('six');
      expect(await store.delete(ann, 6n)).toBe(true);
    }));

  test('the list tells accounts, expiry and refusals, and no secrets', () =>
    withStore(async (store) => {
      const refused = tokens(bob, 'two');
      if (refused.grant.kind !== 'tokens') throw new Error('tokens are tokens');
      const grant = { ...refused.grant, expiresAtMs: null, refusal: { code: 'invalid_grant', atMs: nowMs } };
      await store.write(tokens(ann, 'one'), 1n, 'replace');
      await store.write({ id: bob, grant }, 1n, 'replace');
      const listed = (await store.list()).toSorted((a, b) => a.id.account.localeCompare(b.id.account));
      expect(listed).toEqual([
        { id: ann, kind: 'tokens', expiresAtMs: 1_800_003_600_000, refused: false },
        { id: bob, kind: 'tokens', expiresAtMs: null, refused: true },
      ]);
    }));

  test('a record has a largest size', () =>
    withStore(async (store) => {
      await refuses(store.write(tokens(ann, 'x'.repeat(200_000)), 1n, 'replace'), 'unavailable');
      expect(await store.read(ann)).toBeNull();
    }));

  test('names that run together are different accounts', () =>
    withStore(async (store) => {
      await store.write(tokens({ provider: 'a', account: 'bc' }, 'one'), 1n, 'replace');
      expect(await store.read({ provider: 'ab', account: 'c' })).toBeNull();
    }));
});

describe('what lies on disk', () => {
  test('is private, and shows neither secrets nor accounts', () =>
    withStore(async (store, directory) => {
      await store.write(tokens(ann, 'one'), 1n, 'replace');
      const modeOf = async (path: string): Promise<number> => (await stat(path)).mode & 0o777;
      const file = await onlyVersion(directory);
      expect(await modeOf(directory)).toBe(0o700);
      expect(await modeOf(join(file, '..'))).toBe(0o700);
      expect(await modeOf(file)).toBe(0o600);
      for (const name of await readdir(directory, { recursive: true })) {
        expect(name).not.toMatch(/ann|example/);
      }
      const text = await readFile(file, 'utf8');
      expect(text).toMatch(/^enc\.v2\.old\.[\w-]+\.[\w-]+\.[\w-]+$/);
      expect(Buffer.from(text.split('.')[5]!, 'base64url').toString('latin1')).not.toMatch(
        /access|refresh|ann/,
      );
    }));

  test('is one version a record, and nothing that was on its way', () =>
    withStore(async (store, directory) => {
      for (let fence = 0n; fence < 5n; fence++) await store.write(tokens(ann, 'x'), fence, 'replace');
      const names = (await readdir(directory, { recursive: true })).toSorted();
      const [folder] = await recordFolders(directory);
      expect(await versionsIn(folder!)).toEqual([join(folder!, '5')]);
      expect(names).toHaveLength(4);
    }));

  test('the same account has another name in another store', () =>
    withFolder(async (folder) => {
      const names = new Set<string>();
      for (const name of ['a', 'b']) names.add((await openRecords(join(folder, name))).nameOf(ann));
      expect(names.size).toBe(2);
    }));

  test.each([0o750, 0o705, 0o770, 0o777])('a directory of mode %o is refused', (mode) =>
    withStore(async (_store, directory) => {
      await chmod(directory, mode);
      const fault = await faultOf(openStore(directory));
      expect(fault.code).toBe('unavailable');
      expect(fault.message).toContain(`its mode is 0${mode.toString(8)}, which lets others in: chmod 700`);
    }),
  );

  test('a symbolic link or a file in place of the directory is refused', () =>
    withStore(async (_store, directory) => {
      await symlink(directory, `${directory}-link`);
      await writeFile(`${directory}-file`, '');
      await refuses(openStore(`${directory}-link`), 'unavailable');
      await refuses(openStore(`${directory}-file`), 'unavailable');
    }));

  test('a record that others may read is refused, and the rest still works', () =>
    withStore(async (store, directory) => {
      await store.write(tokens(ann, 'one'), 1n, 'replace');
      await chmod(await onlyVersion(directory), 0o644);
      await store.write(tokens(bob, 'two'), 1n, 'replace');
      const fault = await faultOf(store.read(ann));
      expect(fault.code).toBe('unreadable');
      expect(fault.message).toContain('its mode is 0644');
      expect(markOf(await store.read(bob))).toBe('two');
    }));

  test('a folder or a link in place of a version is refused', () =>
    withStore(async (store, directory) => {
      await store.write(tokens(ann, 'one'), 1n, 'replace');
      const [folder] = await recordFolders(directory);
      await symlink(join(folder!, '1'), join(folder!, '2'));
      await refuses(store.read(ann), 'unreadable');
      await mkdir(join(folder!, '3'));
      await refuses(store.read(ann), 'unreadable');
      // Nothing was taken for old because of them.
      await rmdir(join(folder!, '3'));
      await rm(join(folder!, '2'));
      expect(markOf(await store.read(ann))).toBe('one');
    }));

  test('what a dead writer left is removed after a while, and not before', () =>
    withStore(async (_store, directory) => {
      const left = `.new-${'0'.repeat(32)}`;
      await writeFile(join(directory, left), '');
      const { mtimeMs } = await stat(join(directory, left));
      await openStore(directory, { nowMs: mtimeMs + 3_500_000 });
      expect(await readdir(directory)).toContain(left);
      await openStore(directory, { nowMs: mtimeMs + 3_700_000 });
      expect(await readdir(directory)).not.toContain(left);
    }));

  test('a store whose header is gone is not made anew over its records', () =>
    withStore(async (store, directory) => {
      await store.write(tokens(ann, 'one'), 1n, 'replace');
      await rename(join(directory, 'store'), `${directory}-header`);
      await refuses(openStore(directory), 'unreadable');
      await rename(`${directory}-header`, join(directory, 'store'));
      expect(markOf(await (await openStore(directory)).read(ann))).toBe('one');
    }));

  test('another ring does not open the store, and says which key is missing', () =>
    withStore(async (_store, directory) => {
      const fault = await faultOf(openStore(directory, { ring: ringEntry('other', 9) }));
      expect(fault.code).toBe('unreadable');
      expect(fault.message).toContain('(old)');
    }));

  test('sixteen stores that are opened at once on nothing agree on one header', () =>
    withFolder(async (folder) => {
      const directory = join(folder, 'credentials');
      const all = await Promise.all(Array.from({ length: 16 }, () => openRecords(directory)));
      expect(new Set(all.map((records) => records.nameOf(ann))).size).toBe(1);
    }));
});
