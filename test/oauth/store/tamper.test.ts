/** Records that were changed, cut, swapped or brought from elsewhere: refused, each by itself, and never overwritten unseen. */
import { cp, mkdir, readdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { expect, test } from 'vitest';
import {
  ann,
  bob,
  faultOf,
  markOf,
  newKey,
  oldKey,
  onlyVersion,
  openRecords,
  openStore,
  ringEntry,
  tokens,
  withFolder,
} from './stores.ts';

/** A store with a record of ann's, and the file of it. */
const withRecord = (
  run: (place: {
    readonly directory: string;
    readonly file: string;
    readonly store: Awaited<ReturnType<typeof openStore>>;
    readonly warnings: string[];
  }) => Promise<void>,
) =>
  withFolder(async (folder) => {
    const directory = join(folder, 'credentials');
    const warnings: string[] = [];
    const store = await openStore(directory, { warnings });
    await store.write(tokens(ann, 'one'), 1n, 'replace');
    await run({ directory, file: await onlyVersion(directory), store, warnings });
  });

test('every flipped bit of a record is refused, and its text tells nothing', () =>
  withRecord(async ({ file, store }) => {
    const good = await readFile(file);
    for (let index = 0; index < good.length; index++) {
      const bad = Buffer.from(good);
      bad[index]! ^= 1 << (index % 8);
      await writeFile(file, bad);
      const fault = await faultOf(store.read(ann));
      expect(fault.code).toBe('unreadable');
      expect(fault.message).not.toMatch(/access-|refresh-|ann@|example/);
    }
    await writeFile(file, good);
    expect(markOf(await store.read(ann))).toBe('one');
  }));

test('every truncation of a record, and anything behind it, is refused', () =>
  withRecord(async ({ file, store }) => {
    const good = await readFile(file);
    const lengths = Array.from({ length: good.length }, (_, length) => length);
    const longer = ['\n', 'A', '.', '\0'].map((end) => Buffer.concat([good, Buffer.from(end)]));
    for (const bad of [...lengths.map((length) => good.subarray(0, length)), ...longer]) {
      await writeFile(file, bad);
      expect((await faultOf(store.read(ann))).code).toBe('unreadable');
    }
  }));

test('every flipped bit of the header keeps the store shut', () =>
  withRecord(async ({ directory }) => {
    const file = join(directory, 'store', '1');
    const good = await readFile(file);
    for (let index = 0; index < good.length; index++) {
      const bad = Buffer.from(good);
      bad[index]! ^= 1 << (index % 8);
      await writeFile(file, bad);
      expect((await faultOf(openStore(directory))).code).toBe('unreadable');
    }
  }));

test('records of two accounts that are swapped are refused, file by file and folder by folder', () =>
  withRecord(async ({ directory, file, store }) => {
    await store.write(tokens(bob, 'two'), 1n, 'replace');
    const records = await openRecords(directory);
    const of = { ann: join(directory, records.nameOf(ann)), bob: join(directory, records.nameOf(bob)) };
    const swap = async (a: string, b: string): Promise<void> => {
      await rename(a, `${a}-aside`);
      await rename(b, a);
      await rename(`${a}-aside`, b);
    };
    expect(dirname(file)).toBe(of.ann);
    for (const name of ['', '1']) {
      await swap(join(of.ann, name), join(of.bob, name));
      expect((await faultOf(store.read(ann))).code).toBe('unreadable');
      expect((await faultOf(store.read(bob))).code).toBe('unreadable');
      expect(await store.list()).toEqual([]);
      await swap(join(of.ann, name), join(of.bob, name));
    }
    expect(markOf(await store.read(ann))).toBe('one');
  }));

test('an older version under a newer number is refused', () =>
  withRecord(async ({ file, store }) => {
    const old = await readFile(file);
    await store.write(tokens(ann, 'two'), 2n, 'replace');
    await writeFile(join(dirname(file), '3'), old, { mode: 0o600 });
    expect((await faultOf(store.read(ann))).code).toBe('unreadable');
  }));

test('a record of another store under the same ring is refused, and the header of that store does not help', () =>
  withRecord(async ({ directory, file, store }) => {
    const foreign = `${directory}-foreign`;
    const other = await openStore(foreign);
    await other.write(tokens(ann, 'foreign'), 9n, 'replace');
    await cp(await onlyVersion(foreign), file);
    expect((await faultOf(store.read(ann))).code).toBe('unreadable');
    await cp(join(foreign, 'store'), join(directory, 'store'), { recursive: true });
    expect(await (await openStore(directory)).read(ann)).toBeNull();
  }));

test('a header in place of a record, and a record in place of the header, are refused', () =>
  withRecord(async ({ directory, file, store }) => {
    const header = join(directory, 'store', '1');
    const [record, heading] = [await readFile(file), await readFile(header)];
    await writeFile(file, heading);
    expect((await faultOf(store.read(ann))).code).toBe('unreadable');
    await writeFile(header, record);
    expect((await faultOf(openStore(directory))).code).toBe('unreadable');
  }));

test('a record under a key that is not in the ring says which, and one under another key of that id is refused', () =>
  withRecord(async ({ directory }) => {
    const both = await openStore(directory, { ring: `${newKey} ${oldKey}` });
    await both.write(tokens(bob, 'two'), 1n, 'replace');
    const store = await openStore(directory);
    const fault = await faultOf(store.read(bob));
    expect(fault.code).toBe('unreadable');
    expect(fault.message).toContain('the key ring does not have its key (new)');
    expect(markOf(await store.read(ann))).toBe('one');
    const mistaken = await openStore(directory, { ring: `${oldKey} ${ringEntry('new', 7)}` });
    expect((await faultOf(mistaken.read(bob))).message).toContain('it was changed, or belongs to');
  }));

test('an unreadable record is not updated; a replacement is told to the operator and keeps the old bytes', () =>
  withRecord(async ({ directory, file, store, warnings }) => {
    await writeFile(file, 'torn');
    expect((await faultOf(store.write(tokens(ann, 'two'), 2n, 'update'))).code).toBe('unreadable');
    expect((await faultOf(store.delete(ann, 1n))).code).toBe('unreadable');
    expect(await readFile(file, 'utf8')).toBe('torn');
    await store.write(tokens(ann, 'three'), 3n, 'replace');
    expect(markOf(await store.read(ann))).toBe('three');
    expect(warnings).toHaveLength(1);
    expect(warnings[0]).toMatch(/record [0-9a-f]{40} was replaced, it could not be read: it is torn/);
    const folder = dirname(file);
    expect((await readdir(folder)).toSorted()).toEqual(['1.refused', '2']);
    expect(await readFile(join(folder, '1.refused'), 'utf8')).toBe('torn');

    await writeFile(join(folder, '2'), 'torn again');
    expect(await store.delete(ann)).toBe(true);
    expect(await readdir(folder)).toEqual(['3']);
    expect(await (await openStore(directory)).read(ann)).toBeNull();
  }));

test('what else lies in the directory is left alone', () =>
  withRecord(async ({ directory, store }) => {
    await mkdir(join(directory, 'lost+found'));
    await writeFile(join(directory, 'notes.txt'), 'mine');
    expect(await store.list()).toHaveLength(1);
    await openStore(directory);
    expect(await readFile(join(directory, 'notes.txt'), 'utf8')).toBe('mine');
    await rm(join(directory, 'notes.txt'));
  }));
