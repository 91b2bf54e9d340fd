/** The `auth.json` beside the store: onboarding-oauth 1.6, its cases 13, 15, 19 and 23 in substance. */
import { mkdir, readdir, readFile, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { CredentialStore } from '../../../gateway/oauth/credential.ts';
import { AuthJsonStore } from '../../../gateway/oauth/store/auth-json-writer.ts';
import { type Files, systemFiles } from '../../../gateway/oauth/store/files.ts';
import { openCredentialStore } from '../../../gateway/oauth/store/open.ts';
import { PlainFiles } from './plain-files.ts';
import { nowMs, oldKey, openStore, tokens, withFolder } from './stores.ts';

const codex = (account: string) => ({ provider: 'codex', account });
const claude = (account: string) => ({ provider: 'claude', account });

const clock = { nowMs: () => nowMs, monotonicMs: () => 0 };

const authJson = {
  file: 'auth.json',
  providers: {
    codex: { name: 'openai-codex', baseUrl: 'https://api.example/codex' },
    claude: { name: 'anthropic' },
  },
};

interface Site {
  readonly folder: string;
  readonly store: CredentialStore;
  readonly warnings: readonly string[];
}

/** A store whose files are `<folder>/homes/<account>/auth.json`. */
const withSite = (use: (site: Site) => Promise<void>) =>
  withFolder(async (folder) => {
    await mkdir(join(folder, 'homes'));
    const warnings: string[] = [];
    const config = {
      file: join(folder, 'credentials'),
      keyEnv: 'KEYS',
      authJson: { ...authJson, file: join(folder, 'homes', '{account}', 'auth.json') },
    };
    const warn = (message: string): void => void warnings.push(message);
    const store = await openCredentialStore(config, { env: { KEYS: oldKey }, clock, warn });
    await use({ folder, store, warnings });
  });

const poolOf = async (folder: string, account: string): Promise<Record<string, unknown>> =>
  (JSON.parse(await readFile(join(folder, 'homes', account, 'auth.json'), 'utf8')) as Document)
    .credential_pool;

interface Document {
  readonly credential_pool: Record<string, unknown>;
}

describe('a stored login', () => {
  test('13: stands in the file of its account alone, mode 0600, with the fields of an entry', () =>
    withSite(async ({ folder, store }) => {
      await store.write(tokens(codex('ann'), 'one'), 1n, 'replace');
      expect(await readdir(join(folder, 'homes'))).toEqual(['ann']);
      const path = join(folder, 'homes', 'ann', 'auth.json');
      expect((await stat(path)).mode & 0o777).toBe(0o600);
      expect(await readdir(join(folder, 'homes', 'ann'))).toEqual(['auth.json']);
      const time = new Date(nowMs).toISOString();
      expect(JSON.parse(await readFile(path, 'utf8'))).toEqual({
        version: 1,
        updated_at: time,
        credential_pool: {
          'openai-codex': [
            {
              id: expect.stringMatching(/^codex-oauth-[0-9a-f]{12}$/),
              label: 'codex',
              auth_type: 'oauth',
              priority: 0,
              source: 'manual:device_code',
              access_token: 'access-one',
              refresh_token: 'refresh-one',
              base_url: 'https://api.example/codex',
              created_at: time,
              last_refresh: time,
              updated_at: time,
            },
          ],
        },
      });
      expect(await readdir(join(folder, 'credentials'))).toHaveLength(2);
    }));

  test('that is renewed is updated in place, in an older spelling too; what others wrote stays', () =>
    withSite(async ({ folder, store }) => {
      const path = join(folder, 'homes', 'ann', 'auth.json');
      await mkdir(join(folder, 'homes', 'ann'));
      const others = { id: 'x', source: 'env', access_token: 'of another' };
      const old = {
        id: 'codex-oauth-0',
        source: 'oauth_device',
        priority: 3,
        created_at: 'long ago',
        note: 'n',
      };
      const pool = { 'openai-codex': [others, old], gemini: [{ id: 'y' }] };
      await writeFile(path, JSON.stringify({ version: 1, active: 'x', credential_pool: pool }));
      await store.write(tokens(codex('ann'), 'one'), 1n, 'replace');
      const document = JSON.parse(await readFile(path, 'utf8')) as Document & { active: string };
      expect(document.active).toBe('x');
      expect(document.credential_pool).toMatchObject({
        gemini: [{ id: 'y' }],
        'openai-codex': [
          others,
          {
            id: 'codex-oauth-0',
            source: 'manual:device_code',
            priority: 3,
            created_at: 'long ago',
            note: 'n',
          },
        ],
      });
    }));

  test('15, 23: that is linked leaves a mark without secrets', () =>
    withSite(async ({ folder, store }) => {
      await store.write({ id: claude('ann'), grant: { kind: 'linked', linkedAtMs: 1 } }, 1n, 'replace');
      const entry = (await poolOf(folder, 'ann'))['anthropic'] as readonly object[];
      expect(entry).toHaveLength(1);
      expect(entry[0]).toMatchObject({ source: 'claude_code_linked', auth_type: 'oauth' });
      expect(Object.keys(entry[0]!).join(' ')).not.toMatch(/token|url|home|path/);
    }));

  test('19: that is taken back is gone from the file too', () =>
    withSite(async ({ folder, store }) => {
      await store.write(tokens(codex('ann'), 'one'), 1n, 'replace');
      await store.write({ id: claude('ann'), grant: { kind: 'linked', linkedAtMs: 1 } }, 5n, 'replace');
      expect(await store.delete(claude('ann'), 5n)).toBe(true);
      expect(Object.keys(await poolOf(folder, 'ann'))).toEqual(['openai-codex']);
    }));

  test('of an account that is named after its issuer lies in a folder of that name', () =>
    withSite(async ({ folder, store }) => {
      await store.write(tokens(codex('main/ann'), 'one'), 1n, 'replace');
      expect(Object.keys(await poolOf(folder, 'main%2Fann'))).toEqual(['openai-codex']);
    }));

  test('of a provider that is not named is not written', () =>
    withSite(async ({ folder, store }) => {
      await store.write(tokens({ provider: 'other', account: 'ann' }, 'one'), 1n, 'replace');
      expect(await readdir(join(folder, 'homes'))).toEqual([]);
    }));
});

describe('a file that cannot be written', () => {
  test.each(['../bob', '/bob', 'a/b/c', 'a/..', '..', '.hidden', '', 'a\0b', 'x'.repeat(200)])(
    'because the account is %j fails nothing, writes nowhere and is told',
    (account) =>
      withSite(async ({ folder, store, warnings }) => {
        await store.write(tokens(codex(account), 'one'), 1n, 'replace');
        expect((await store.read(codex(account)))!.fence).toBe(1n);
        expect(await readdir(folder)).toEqual(['credentials', 'homes']);
        expect(await readdir(join(folder, 'homes'))).toEqual([]);
        expect(warnings).toEqual([expect.stringContaining('the account cannot be part of a file name')]);
      }),
  );

  test.each([
    ['not JSON', '{"access_token":"secret-1'],
    ['of another version', '{"version":2}'],
    ['a list', '[]'],
    ['with pools of another shape', '{"version":1,"credential_pool":[]}'],
    ['with a pool of another shape', '{"version":1,"credential_pool":{"openai-codex":{}}}'],
  ])('because what is there is %s is left as it is', (_, text) =>
    withSite(async ({ folder, store, warnings }) => {
      const path = join(folder, 'homes', 'ann', 'auth.json');
      await mkdir(join(folder, 'homes', 'ann'));
      await writeFile(path, text);
      await store.write(tokens(codex('ann'), 'one'), 1n, 'replace');
      expect(await readFile(path, 'utf8')).toBe(text);
      expect(warnings).toHaveLength(1);
      expect(warnings[0]).not.toContain('secret-1');
    }),
  );

  test('because the folder is not ours to write fails nothing', () =>
    withSite(async ({ folder, store, warnings }) => {
      await writeFile(join(folder, 'homes', 'ann'), 'a file');
      await store.write(tokens(codex('ann'), 'one'), 1n, 'replace');
      expect((await store.read(codex('ann')))!.fence).toBe(1n);
      expect(warnings).toEqual(['auth.json was not written: ENOTDIR']);
    }));
});

/** Files whose operations take turns. */
function inTurns(files: Files, turn: () => Promise<unknown>): Files {
  const rename: Files['rename'] = async (from, to) => {
    await turn();
    return files.rename(from, to);
  };
  const read: Files['read'] = async (path, bytesMax) => {
    await turn();
    return files.read(path, bytesMax);
  };
  const { stat, list, makeFolder, removeFolder, create, link, remove, syncFolder } = files;
  return { stat, list, makeFolder, removeFolder, create, link, remove, syncFolder, rename, read };
}

test('of several threads that write at once the file shows what the store says in the end', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.scheduler(),
      fc.array(fc.boolean(), { minLength: 2, maxLength: 4 }),
      async (s, kinds) => {
        const plain = new PlainFiles();
        const files = inTurns(plain, () => s.schedule(Promise.resolve()));
        const pools = [
          { provider: 'codex', name: 'c', baseUrl: null },
          { provider: 'claude', name: 'a', baseUrl: null },
        ];
        const thread = async (isCodex: boolean, index: number): Promise<void> => {
          const store = new AuthJsonStore(await openStore('/credentials', { files }), {
            file: '/home/auth.json',
            account: 'ann',
            pools,
            files,
            clock,
            warn: (message) => {
              throw new Error(message);
            },
          });
          const id = isCodex ? codex('ann') : claude('ann');
          await store.write(tokens(id, String(index)), BigInt(index), 'replace').catch(() => {});
        };
        await s.waitFor(Promise.all(kinds.map(thread)));
        const { bytes } = await plain.read('/home/auth.json', 1_000_000);
        const document = JSON.parse(bytes.toString()) as Document;
        const last = (isCodex: boolean): string | undefined => {
          const index = kinds.lastIndexOf(isCodex);
          return index === -1 ? undefined : `access-${index}`;
        };
        const shown = (name: string): unknown =>
          (document.credential_pool[name] as readonly { access_token: string }[] | undefined)?.[0]
            ?.access_token;
        expect([shown('c'), shown('a')]).toEqual([last(true), last(false)]);
      },
    ),
    { numRuns: 300 },
  );
});

test('the file is written with the operations of the store, and left whole when one fails', () =>
  withFolder(async (folder) => {
    const path = join(folder, 'auth.json');
    const warnings: string[] = [];
    const files: Files = {
      ...systemFiles,
      rename: () => Promise.reject(Object.assign(new Error('no'), { code: 'EIO' })),
    };
    const store = new AuthJsonStore(await openStore(join(folder, 'credentials')), {
      file: path,
      account: 'ann',
      pools: [{ provider: 'codex', name: 'c', baseUrl: null }],
      files,
      clock,
      warn: (message) => void warnings.push(message),
    });
    await writeFile(path, '{"version":1}');
    await store.write(tokens(codex('ann'), 'one'), 1n, 'replace');
    await store.write(tokens(codex('bob'), 'two'), 1n, 'replace');
    expect(await readFile(path, 'utf8')).toBe('{"version":1}');
    expect((await readdir(folder)).toSorted()).toEqual(['auth.json', 'credentials']);
    expect(warnings).toEqual(['auth.json was not written: EIO']);
    await store.close();
  }));
