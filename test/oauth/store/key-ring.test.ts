/** Key rings: their text, their files, and what is said of bad ones. */
import { chmod, mkdir, readFile, stat, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { StoreFault } from '../../../gateway/oauth/credential.ts';
import { systemFiles } from '../../../gateway/oauth/store/files.ts';
import { addToKeyFile, readKeyFile } from '../../../gateway/oauth/store/key-file.ts';
import { deriveKey, makeRingEntry, parseKeyRing } from '../../../gateway/oauth/store/key-ring.ts';
import { keyRingReader } from '../../../gateway/oauth/store/open.ts';
import { faultOf, newKey, nowMs, oldKey, ringEntry, withFolder } from './stores.ts';

describe('the text of a ring', () => {
  test.each([
    ['lines', `# a comment\n${newKey}\n\n${oldKey}\n`],
    ['lines of another system', `${newKey}\r\n${oldKey}\r\n`],
    ['one line, as a variable has it', `${newKey},${oldKey}`],
    ['spaces', `  ${newKey}   ${oldKey}  `],
  ])('may have its entries apart by %s; the first one is current', (_, text) => {
    const ring = parseKeyRing(text);
    expect(ring.current.id).toBe('new');
    expect([...ring.keys.keys()]).toEqual(['new', 'old']);
  });

  const secret = Buffer.alloc(32, 5).toString('base64url');
  test.each([
    ['nothing', '', 'it has no key'],
    ['comments only', '# nothing\n', 'it has no key'],
    ['a short key', `${newKey} sallyport-key.v1.short.${secret.slice(1)}`, 'entry 2 is not a key'],
    ['a long key', `sallyport-key.v1.long.${secret}A`, 'entry 1 is not a key'],
    ['bits behind the key', `sallyport-key.v1.odd.${secret.slice(0, -1)}V`, 'entry 1 is not a key'],
    ['another version', `sallyport-key.v2.a.${secret}`, 'entry 1 is not a key'],
    ['an id with a dot', `sallyport-key.v1.a.b.${secret}`, 'entry 1 is not a key'],
    ['no id', `sallyport-key.v1..${secret}`, 'entry 1 is not a key'],
    ['one id twice', `${newKey} ${ringEntry('new', 3)}`, 'entry 2 has the id of an earlier one'],
    [
      'too many keys',
      Array.from({ length: 65 }, (_, i) => ringEntry(`k${i}`, i)).join('\n'),
      'more than 64 keys',
    ],
  ])('is refused with %s, without a word of what is in it', (_, text, why) => {
    const refused = (): StoreFault => {
      try {
        parseKeyRing(text);
      } catch (error) {
        if (error instanceof StoreFault) return error;
      }
      throw new Error('it was taken');
    };
    expect(refused().message).toContain(why);
    expect(refused().message).not.toContain(secret.slice(0, 16));
    expect(String(refused().stack)).not.toContain(secret.slice(0, 16));
  });

  test('is made of entries that differ each time and begin with their day', () => {
    const entries = [makeRingEntry(nowMs), makeRingEntry(nowMs)];
    expect(parseKeyRing(entries.join('\n')).keys.size).toBe(2);
    expect(entries[0]).toMatch(/^sallyport-key\.v1\.20270115-[0-9a-f]{6}\./);
  });

  test('gives each purpose and store a key of its own, and shows none', () => {
    const ring = parseKeyRing(oldKey);
    const derived = [
      deriveKey(ring.current, 'header', 'a'),
      deriveKey(ring.current, 'credential', 'a'),
      deriveKey(ring.current, 'credential', 'b'),
    ].map((key) => key.toString('hex'));
    expect(new Set(derived).size).toBe(3);
    expect(JSON.stringify([...ring.keys.values()])).not.toContain(oldKey.split('.')[3]);
  });
});

describe('the file of a ring', () => {
  test('is made with mode 0600, and gets new keys in front, below its comments', () =>
    withFolder(async (folder) => {
      const path = join(folder, 'store.key');
      expect(await addToKeyFile(path, oldKey, systemFiles)).toBe('made');
      expect((await stat(path)).mode & 0o777).toBe(0o600);
      expect(await addToKeyFile(path, newKey, systemFiles)).toBe('added');
      expect((await stat(path)).mode & 0o777).toBe(0o600);
      const text = await readFile(path, 'utf8');
      expect(text).toMatch(/^# Key ring/);
      expect([...parseKeyRing(text).keys.keys()]).toEqual(['new', 'old']);
    }));

  test('is not replaced where it is something else', () =>
    withFolder(async (folder) => {
      const path = join(folder, 'notes.txt');
      await writeFile(path, 'not a ring\n', { mode: 0o600 });
      await faultOf(addToKeyFile(path, newKey, systemFiles));
      expect(await readFile(path, 'utf8')).toBe('not a ring\n');
    }));

  test.each([0o644, 0o620, 0o660, 0o604, 0o666])('of mode %o is refused', (mode) =>
    withFolder(async (folder) => {
      const path = join(folder, 'store.key');
      await writeFile(path, oldKey);
      await chmod(path, mode);
      const fault = await faultOf(readKeyFile(path, systemFiles, 'follow'));
      expect(fault.message).toContain(`its mode is 0${mode.toString(8)}, which lets others in: chmod 600`);
    }),
  );

  test('may be read by a group and through a link, as services get their secrets', () =>
    withFolder(async (folder) => {
      const path = join(folder, 'store.key');
      await writeFile(path, oldKey);
      await chmod(path, 0o440);
      await symlink(path, `${path}-link`);
      expect(await readKeyFile(`${path}-link`, systemFiles, 'follow')).toBe(oldKey);
    }));

  test('that is missing, a folder, too large or in the store is refused with a reason', () =>
    withFolder(async (folder) => {
      const reasonOf = async (path: string): Promise<string> =>
        (await faultOf(readKeyFile(join(folder, path), systemFiles, 'follow'))).message;
      expect(await reasonOf('none')).toContain('there is none; `sallyport keys new` makes one');
      await mkdir(join(folder, 'folder'));
      expect(await reasonOf('folder')).toContain('it is not a regular file');
      await writeFile(join(folder, 'large'), '#'.repeat(70_000), { mode: 0o600 });
      expect(await reasonOf('large')).toContain('it is larger than 65536 bytes');
      const config = { file: folder, keyFile: join(folder, 'large') };
      expect((await faultOf(keyRingReader(config, {}, systemFiles)())).message).toContain(
        'must not lie in the store it opens',
      );
    }));
});

test('a ring in the environment is read from its variable, which must be set', async () => {
  const config = { file: 'credentials', keyEnv: 'STORE_KEYS' };
  const ring = await keyRingReader(config, { STORE_KEYS: `${newKey},${oldKey}` }, systemFiles)();
  expect(ring.current.id).toBe('new');
  const fault = await faultOf(keyRingReader(config, {}, systemFiles)());
  expect(fault.message).toContain('STORE_KEYS is not set');
});
