/** Real files in a real folder: what editors and Kubernetes do to them. */
import { mkdtemp, mkdir, rename, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { systemClock } from '../../gateway/core/clock.ts';
import { systemTimers } from '../../gateway/core/timers.ts';
import { KeyFile, readBounded, watchFolder } from '../../gateway/keys/files.ts';
import { SourceError } from '../../gateway/keys/source.ts';

let folder: string;
let file: KeyFile | null = null;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'sallyport-keys-'));
});
afterEach(async () => {
  file?.stop();
  await rm(folder, { recursive: true });
});

/** Watches a file; `next` resolves with the content that is taken next. */
async function watched(path: string): Promise<{ readonly next: () => Promise<string> }> {
  const taken: string[] = [];
  const waiting: ((text: string) => void)[] = [];
  const parts = { readFile: readBounded, watchFolder, clock: systemClock, timers: systemTimers };
  file = new KeyFile(path, 1000, parts, {
    taken: async (content) => {
      const text = content.toString();
      const next = waiting.shift();
      if (next === undefined) taken.push(text);
      else next(text);
      return true;
    },
    unchanged: () => {},
    failed: () => {},
    attempted: () => {},
  });
  await file.start();
  return {
    next: () =>
      new Promise((resolve) => {
        const text = taken.shift();
        if (text === undefined) waiting.push(resolve);
        else resolve(text);
      }),
  };
}

test('a file that is rewritten, and one that is replaced, is read again', async () => {
  const path = join(folder, 'jwks.json');
  await writeFile(path, 'one');
  const { next } = await watched(path);
  expect(await next()).toBe('one');
  await writeFile(path, 'two');
  expect(await next()).toBe('two');
  await writeFile(join(folder, 'new'), 'three');
  await rename(join(folder, 'new'), path);
  expect(await next()).toBe('three');
});

test('the symlink swap of a Kubernetes volume is noticed', async () => {
  const publish = async (name: string, text: string): Promise<void> => {
    await mkdir(join(folder, name));
    await writeFile(join(folder, name, 'jwks.json'), text);
    await symlink(name, join(folder, '..data_tmp'));
    await rename(join(folder, '..data_tmp'), join(folder, '..data'));
  };
  await publish('..2030_01', 'one');
  await symlink(join('..data', 'jwks.json'), join(folder, 'jwks.json'));
  const { next } = await watched(join(folder, 'jwks.json'));
  expect(await next()).toBe('one');
  await publish('..2030_02', 'two');
  await rm(join(folder, '..2030_01'), { recursive: true });
  expect(await next()).toBe('two');
});

test('a file above the bound is an error, one of exactly its size is not', async () => {
  const path = join(folder, 'big');
  await writeFile(path, 'x'.repeat(100));
  expect((await readBounded(path, 100)).length).toBe(100);
  await expect(readBounded(path, 99)).rejects.toBeInstanceOf(SourceError);
});
