/** `sallyport keys`, as its users run it. */
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { parseKeyRing } from '../../../gateway/oauth/store/key-ring.ts';
import { type Ran, run as runAround } from '../../cli/memory-terminal.ts';
import { ann, onlyVersion, openStore, tokens, withFolder } from './stores.ts';

const run = (...args: readonly string[]): Promise<Ran> => runAround(args);

const configuration = `
version: 1
upstreams:
  orders: { urls: [http://127.0.0.1:3000] }
routes:
  - { path: /orders, public: true, upstream: orders }
oauth:
  store: { file: ./credentials, key_file: ./store.key }
  providers:
    example: { flow: device, issuer: https://issuer.example, client_id: cli }
`;

/** A configuration, a ring and a store with one record. */
const withSite = (use: (site: { readonly folder: string; readonly config: string }) => Promise<void>) =>
  withFolder(async (folder) => {
    const config = join(folder, 'sallyport.yaml');
    await writeFile(config, configuration);
    await run('keys', 'new', join(folder, 'store.key'));
    const ring = await readFile(join(folder, 'store.key'), 'utf8');
    const store = await openStore(join(folder, 'credentials'), { ring });
    await store.write(tokens(ann, 'one'), 1n, 'replace');
    await use({ folder, config });
  });

test('"keys new" prints an entry, and makes and prolongs a file without printing its keys', () =>
  withFolder(async (folder) => {
    const printed = await run('keys', 'new');
    expect(printed.code).toBe(0);
    expect(parseKeyRing(printed.out).keys.size).toBe(1);
    const path = join(folder, 'store.key');
    for (const [index, says] of ['made, with the key', 'is the first one now'].entries()) {
      const ran = await run('keys', 'new', path);
      const ring = parseKeyRing(await readFile(path, 'utf8'));
      expect([ran.code, ran.err, ring.keys.size]).toEqual([0, '', index + 1]);
      expect(ran.out).toContain(says);
      expect(ran.out).toContain(ring.current.id);
      expect(ran.out).not.toContain('sallyport-key.v1');
    }
  }));

test('a key is changed by "new", "rotate" and "list"', () =>
  withSite(async ({ folder, config }) => {
    await run('keys', 'new', join(folder, 'store.key'));
    const [newId, oldId] = parseKeyRing(await readFile(join(folder, 'store.key'), 'utf8')).keys.keys();
    const before = await run('keys', 'list', '-c', config);
    expect(before.out).toBe(`${newId}  current  0 records\n${oldId}  reading  2 records\n`);
    const rotated = await run('keys', 'rotate', '-c', config);
    expect(rotated).toEqual({ code: 0, out: `2 encrypted with ${newId} now, 0 were before.\n`, err: '' });
    const after = await run('keys', 'list', '-c', config, '--format', 'json');
    expect(JSON.parse(after.out)).toEqual({
      version: 1,
      keys: [
        { keyId: newId, role: 'current', records: 2 },
        { keyId: oldId, role: 'reading', records: 0 },
      ],
      unreadable: [],
    });
  }));

test('a record that cannot be read makes both fail with 1 and is named', () =>
  withSite(async ({ folder, config }) => {
    await writeFile(await onlyVersion(join(folder, 'credentials')), 'torn');
    for (const command of ['rotate', 'list']) {
      const ran = await run('keys', command, '-c', config);
      expect(ran.code).toBe(1);
      expect(ran.err).toMatch(/^record [0-9a-f]{40}: it is torn/);
    }
  }));

test('a configuration, a store or a ring that cannot be used ends with 2', () =>
  withSite(async ({ folder, config }) => {
    const codes = async (): Promise<readonly (number | null)[]> => [
      (await run('keys', 'rotate', '-c', config)).code,
      (await run('keys', 'list', '-c', config)).code,
    ];
    await writeFile(config, configuration.replace('./credentials', './elsewhere'));
    const missing = await run('keys', 'list', '-c', config);
    expect([missing.code, missing.err]).toEqual([
      2,
      `the store ${join(folder, 'elsewhere')}: there is none\n`,
    ]);
    await writeFile(config, configuration.replace(/oauth:[^]*/, ''));
    expect((await run('keys', 'list', '-c', config)).err).toContain('no credential store in it');
    expect(await codes()).toEqual([2, 2]);
    await writeFile(config, configuration);
    await writeFile(join(folder, 'store.key'), 'not a ring\n');
    expect(await codes()).toEqual([2, 2]);
    expect((await run('keys', 'new', join(folder, 'store.key'))).code).toBe(2);
    expect((await run('keys', 'rotate')).code).toBe(2);
    expect((await run('keys', 'rotate', '-c', join(folder, 'none.yaml'))).code).toBe(2);
  }));
