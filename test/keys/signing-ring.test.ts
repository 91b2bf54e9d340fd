/** Real files: what signs is what the file says, and a broken file never takes a key away. */
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import type { SignerConfig } from '../../gateway/config/schema.ts';
import { systemClock } from '../../gateway/core/clock.ts';
import { systemTimers } from '../../gateway/core/timers.ts';
import { readBounded, watchFolder } from '../../gateway/keys/files.ts';
import { SigningRing } from '../../gateway/keys/signing-ring.ts';
import { until } from '../support/until.ts';
import { makeSigner } from '../token/tokens.ts';

let folder: string;
let ring: SigningRing;
let complaints: string[];
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'sallyport-signing-'));
  complaints = [];
  ring = new SigningRing({
    readFile: readBounded,
    watchFolder,
    clock: systemClock,
    timers: systemTimers,
    environment: (name) => (name === 'SECRET' ? 's'.repeat(64) : undefined),
    failed: (signer, reason) => void complaints.push(`${signer}: ${reason}`),
  });
});
afterEach(async () => {
  ring.close();
  await rm(folder, { recursive: true });
});

const signer = (more: Partial<SignerConfig>): SignerConfig => ({
  algorithm: 'EdDSA',
  secretEncoding: 'utf8',
  lifetimeSeconds: 600,
  ...more,
});
const pem = (): string => makeSigner('EdDSA').privateKey!.export({ type: 'pkcs8', format: 'pem' }) as string;
const kid = (): string | null => ring.keys()[0]?.signing.kid ?? null;

test('a file that is replaced signs from then on; a broken one changes nothing and is complained of', async () => {
  const keyFile = join(folder, 'key.pem');
  await writeFile(keyFile, pem());
  let changes = 0;
  ring.onChange(() => (changes += 1));
  expect([...(await ring.configure({ own: signer({ keyFile }) }))]).toEqual([]);
  const first = kid();
  expect(first).toHaveLength(43);
  await writeFile(keyFile, 'rubbish');
  await until('the broken file was read', () => complaints.length > 0);
  expect(complaints[0]).toBe('own: neither PEM nor JSON');
  expect(kid()).toBe(first);
  const before = changes;
  await writeFile(keyFile, pem());
  await until('the new file was read', () => changes > before);
  expect(kid()).not.toBe(first);
});

test('a signer without a key is named with its reason, and the former ones stay', async () => {
  const good = { own: signer({ algorithm: 'HS512', secretEnv: 'SECRET', kid: 'not-used' }) };
  expect((await ring.configure(good)).size).toBe(0);
  const reasons = await ring.configure({
    gone: signer({ keyFile: join(folder, 'nothing') }),
    unset: signer({ algorithm: 'HS512', secretEnv: 'NOTHING' }),
    short: signer({ algorithm: 'HS512', secretEnv: 'SECRET', secretEncoding: 'hex' }),
  });
  expect([...reasons]).toEqual([
    ['gone', 'the file cannot be read (ENOENT)'],
    ['unset', 'the environment variable is not set'],
    ['short', 'the secret is not hex'],
  ]);
  expect(kid()).toBe('not-used');
});
