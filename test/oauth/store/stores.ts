/** Stores, rings and credentials for tests, on real files in a folder of their own. */
import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Credential, type CredentialId, StoreFault } from '../../../gateway/oauth/credential.ts';
import { DirectoryStore } from '../../../gateway/oauth/store/directory-store.ts';
import { type Files, systemFiles } from '../../../gateway/oauth/store/files.ts';
import { parseKeyRing } from '../../../gateway/oauth/store/key-ring.ts';
import { Records, type RecordsParts } from '../../../gateway/oauth/store/records.ts';

/** Entries of rings, the same in every run. */
export const ringEntry = (id: string, byte: number): string =>
  `sallyport-key.v1.${id}.${Buffer.alloc(32, byte).toString('base64url')}`;

export const oldKey = ringEntry('old', 1);
export const newKey = ringEntry('new', 2);

export const ann: CredentialId = { provider: 'example', account: 'ann@example.test' };
export const bob: CredentialId = { provider: 'example', account: 'bob@example.test' };

/** Tokens that tell the grants apart. */
export function tokens(id: CredentialId, mark: string): Credential {
  return {
    id,
    grant: {
      kind: 'tokens',
      accessToken: `access-${mark}`,
      tokenType: 'bearer',
      refreshToken: `refresh-${mark}`,
      scope: null,
      subject: 'subject-1',
      obtainedAtMs: 1_800_000_000_000,
      expiresAtMs: 1_800_003_600_000,
      refusal: null,
    },
  };
}

/** The mark of what is stored; null when there is nothing. */
export function markOf(stored: { readonly credential: Credential } | null): string | null {
  const grant = stored?.credential.grant;
  return grant?.kind === 'tokens' ? grant.accessToken.slice('access-'.length) : null;
}

export const nowMs = 1_800_000_000_000;

export interface StoreOptions {
  readonly ring?: string;
  readonly files?: Files;
  readonly warnings?: string[];
  readonly nowMs?: number;
}

export function partsOf(directory: string, options: StoreOptions = {}): RecordsParts {
  return {
    directory,
    readKeyRing: async () => parseKeyRing(options.ring ?? oldKey),
    files: options.files ?? systemFiles,
    clock: { nowMs: () => options.nowMs ?? nowMs, monotonicMs: () => 0 },
  };
}

export function openStore(directory: string, options: StoreOptions = {}): Promise<DirectoryStore> {
  const warn = (message: string): void => void options.warnings?.push(message);
  return DirectoryStore.open({ ...partsOf(directory, options), warn });
}

export const openRecords = (directory: string, options: StoreOptions = {}): Promise<Records> =>
  Records.open(partsOf(directory, options));

/** Runs with a folder that is removed afterwards. */
export async function withFolder<T>(run: (folder: string) => Promise<T>): Promise<T> {
  const folder = await mkdtemp(join(tmpdir(), 'sallyport-store-'));
  try {
    return await run(folder);
  } finally {
    await rm(folder, { recursive: true });
  }
}

/** The record folders of a store. */
export async function recordFolders(directory: string): Promise<readonly string[]> {
  const names = await readdir(directory);
  return names.filter((name) => /^[0-9a-f]{40}$/.test(name)).map((name) => join(directory, name));
}

/** The files of a record that count as versions. */
export async function versionsIn(folder: string): Promise<readonly string[]> {
  return (await readdir(folder)).filter((name) => /^\d+$/.test(name)).map((name) => join(folder, name));
}

/** The file of the only record there is. */
export async function onlyVersion(directory: string): Promise<string> {
  const [folder] = await recordFolders(directory);
  const [file] = await versionsIn(folder!);
  return file!;
}

/** The fault that a promise ends with. Throws for any other end. */
export async function faultOf(promise: Promise<unknown>): Promise<StoreFault> {
  const end = await promise.then(
    () => new Error('it went well'),
    (reason: unknown) => reason,
  );
  if (end instanceof StoreFault) return end;
  throw end;
}
