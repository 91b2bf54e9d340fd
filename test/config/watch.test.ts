import { mkdir, mkdtemp, rename, rm, symlink, unlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { watchFile, type FileWatch } from '../../gateway/config/watch.ts';
import { until } from '../support/until.ts';

let folder: string;
let watch: FileWatch | null;
let changes: number;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'sallyport-watch-'));
  [watch, changes] = [null, 0];
});

afterEach(async () => {
  watch?.close();
  await rm(folder, { recursive: true });
});

async function watching(file: string): Promise<void> {
  watch = await watchFile(file, () => {
    changes += 1;
  });
}

test('a file written in place is noticed, each time', async () => {
  const file = join(folder, 'gw.yaml');
  await writeFile(file, 'one');
  await watching(file);
  await writeFile(file, 'two');
  await until('the change is noticed', () => changes > 0);
  const before = changes;
  await writeFile(file, 'three');
  await until('the next one too', () => changes > before);
});

test('a file replaced by another, as editors do, is noticed', async () => {
  const file = join(folder, 'gw.yaml');
  await writeFile(file, 'one');
  await watching(file);
  await unlink(file);
  await writeFile(`${file}.new`, 'two');
  await rename(`${file}.new`, file);
  await until('the change is noticed', () => changes === 1);
});

test('a swapped symlink beside it, as Kubernetes does, is noticed', async () => {
  for (const version of ['1', '2']) {
    await mkdir(join(folder, `..${version}`));
    await writeFile(join(folder, `..${version}`, 'gw.yaml'), version);
  }
  await symlink('..1', join(folder, '..data'));
  await symlink(join('..data', 'gw.yaml'), join(folder, 'gw.yaml'));
  await watching(join(folder, 'gw.yaml'));
  await symlink('..2', join(folder, '..new'));
  await rename(join(folder, '..new'), join(folder, '..data'));
  await until('the change is noticed', () => changes === 1);
});

test('the same content written again is no change, nor is another file', async () => {
  const file = join(folder, 'gw.yaml');
  await writeFile(file, 'one');
  await watching(file);
  await writeFile(join(folder, 'other'), 'x');
  await writeFile(file, 'one');
  // The next change comes behind those events: it would be the second.
  await writeFile(file, 'two');
  await until('a change is noticed', () => changes > 0);
  expect(changes).toBe(1);
});
