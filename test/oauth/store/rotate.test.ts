/** Rotation: all records under the current key, while gateways run, and however often it is interrupted. */
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { StoreFault } from '../../../gateway/oauth/credential.ts';
import { DirectoryStore } from '../../../gateway/oauth/store/directory-store.ts';
import { systemFiles } from '../../../gateway/oauth/store/files.ts';
import { parseKeyRing } from '../../../gateway/oauth/store/key-ring.ts';
import { countKeys, rotateRecords } from '../../../gateway/oauth/store/rotate.ts';
import { Died, DyingFiles } from './dying-files.ts';
import {
  ann,
  bob,
  faultOf,
  markOf,
  newKey,
  nowMs,
  oldKey,
  onlyVersion,
  openRecords,
  openStore,
  partsOf,
  tokens,
  withFolder,
} from './stores.ts';

const ring = `${newKey}\n${oldKey}`;
const dayMs = 86_400_000;
const accounts = ['a', 'b', 'c'].map((account) => ({ provider: 'example', account }));

async function filled(directory: string): Promise<void> {
  const store = await openStore(directory);
  for (const id of accounts) await store.write(tokens(id, id.account), 7n, 'replace');
  await store.delete(accounts[2]!);
}

test('every record, the header and what was deleted are readable with the new key alone afterwards', () =>
  withFolder(async (folder) => {
    const directory = join(folder, 'credentials');
    await filled(directory);
    const records = await openRecords(directory, { ring });
    expect(await rotateRecords(records, nowMs)).toEqual({
      currentKeyId: 'new',
      rotated: 4,
      alreadyCurrent: 0,
      forgotten: 0,
      unreadable: [],
    });
    const store = await openStore(directory, { ring: newKey });
    expect(await store.read(accounts[0]!)).toEqual({ credential: tokens(accounts[0]!, 'a'), fence: 7n });
    expect(await store.read(accounts[2]!)).toBeNull();
    expect((await faultOf(store.write(tokens(accounts[2]!, 'late'), 6n, 'replace'))).code).toBe('superseded');
    const again = await rotateRecords(records, nowMs);
    expect(again).toMatchObject({ rotated: 0, alreadyCurrent: 4 });
  }));

test('interrupted at any step, nothing is lost, and the next one goes on', async () => {
  let wasWhole = false;
  for (let steps = 0; !wasWhole; steps += 1) {
    wasWhole = await withFolder(async (folder) => {
      const directory = join(folder, 'credentials');
      await filled(directory);
      let isWhole = false;
      try {
        const files = new DyingFiles(systemFiles, steps);
        await rotateRecords(await openRecords(directory, { ring, files }), nowMs);
        isWhole = true;
      } catch (error) {
        if (!(error instanceof Died)) throw error;
      }
      const between = await openStore(directory, { ring });
      for (const id of accounts.slice(0, 2)) expect(markOf(await between.read(id))).toBe(id.account);
      const { rotated, alreadyCurrent, unreadable } = await rotateRecords(
        await openRecords(directory, { ring }),
        nowMs,
      );
      expect([rotated + alreadyCurrent, unreadable]).toEqual([4, []]);
      if (isWhole) expect(rotated).toBe(0);
      const after = await openStore(directory, { ring: newKey });
      expect(markOf(await after.read(accounts[0]!))).toBe('a');
      return isWhole;
    });
  }
});

test('a record that cannot be read is told and left alone; the others are rotated', () =>
  withFolder(async (folder) => {
    const directory = join(folder, 'credentials');
    const store = await openStore(directory);
    await store.write(tokens(ann, 'one'), 1n, 'replace');
    const file = await onlyVersion(directory);
    await store.write(tokens(bob, 'two'), 1n, 'replace');
    await writeFile(file, 'torn');
    const { rotated, unreadable } = await rotateRecords(await openRecords(directory, { ring }), nowMs);
    expect(rotated).toBe(2);
    expect(unreadable).toEqual([
      { name: expect.stringMatching(/^[0-9a-f]{40}$/), why: expect.stringContaining('it is torn') },
    ]);
  }));

test('deleted records are forgotten after thirty days, and only those', () =>
  withFolder(async (folder) => {
    const directory = join(folder, 'credentials');
    await filled(directory);
    const records = await openRecords(directory);
    expect(await rotateRecords(records, nowMs + 29 * dayMs)).toMatchObject({ forgotten: 0 });
    expect(await rotateRecords(records, nowMs + 31 * dayMs)).toMatchObject({
      forgotten: 1,
      alreadyCurrent: 3,
    });
    expect(await records.names()).toHaveLength(2);
    const store = await openStore(directory);
    await store.write(tokens(accounts[2]!, 'again'), 1n, 'replace');
    expect(markOf(await store.read(accounts[2]!))).toBe('again');
  }));

test('a gateway that runs takes up the new ring when it meets a key that it does not know', () =>
  withFolder(async (folder) => {
    const directory = join(folder, 'credentials');
    let text = oldKey;
    const running = await DirectoryStore.open({
      ...partsOf(directory),
      readKeyRing: async () => parseKeyRing(text),
      warn: () => {},
    });
    await running.write(tokens(ann, 'one'), 1n, 'replace');
    text = ring;
    await rotateRecords(await openRecords(directory, { ring }), nowMs);
    expect(markOf(await running.read(ann))).toBe('one');
    await running.write(tokens(bob, 'two'), 1n, 'replace');
    const { keys } = await countKeys(await openRecords(directory, { ring }));
    expect(keys).toEqual([
      { keyId: 'new', role: 'current', records: 3 },
      { keyId: 'old', role: 'reading', records: 0 },
    ]);
  }));

test('the count of keys tells those that are needed and missing', () =>
  withFolder(async (folder) => {
    const directory = join(folder, 'credentials');
    await openStore(directory);
    await (await openStore(directory, { ring })).write(tokens(ann, 'one'), 1n, 'replace');
    const census = await countKeys(await openRecords(directory));
    expect(census.keys).toEqual([
      { keyId: 'old', role: 'current', records: 1 },
      { keyId: 'new', role: 'missing', records: 1 },
    ]);
    expect(census.unreadable).toHaveLength(1);
  }));

test('what the system refuses is unavailable, with its code and no path', () =>
  withFolder(async (folder) => {
    const files = {
      ...systemFiles,
      create: () => Promise.reject(Object.assign(new Error('ENOSPC: /secret/place'), { code: 'ENOSPC' })),
    };
    const fault = await faultOf(openStore(join(folder, 'credentials'), { files }));
    expect(fault).toBeInstanceOf(StoreFault);
    expect([fault.code, fault.message]).toEqual(['unavailable', 'the store cannot be opened (ENOSPC)']);
  }));
