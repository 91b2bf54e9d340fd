/**
 * A store that keeps an `auth.json` beside another store, as a further output of it. The store is what counts: a file that
 * cannot be written is told to the operator and fails nothing.
 *
 * The file is made from what the store says, not from what was written last, and after it is in place the store is asked
 * again: whoever is last to write a file has looked at the store after every change, so that of several threads and
 * processes the last file shows the last state.
 */
import { randomBytes } from 'node:crypto';
import { basename, dirname, join } from 'node:path';
import type { Clock } from '../../core/clock.ts';
import type {
  Credential,
  CredentialId,
  CredentialListing,
  CredentialStore,
  StoredCredential,
} from '../credential.ts';
import type { Fence } from '../protocol/fence.ts';
import { type AuthJsonPool, ForeignAuthJson, mergeAuthJson } from './auth-json.ts';
import { codeOf, createSynced, type Files, removeQuietly } from './files.ts';

export interface AuthJsonParts {
  /** `{account}` in it stands for the account, unless it is the file of one account. */
  readonly file: string;
  readonly account: string | null;
  readonly pools: readonly AuthJsonPool[];
  readonly files: Files;
  readonly clock: Clock;
  /** Told in a sentence what went wrong. Names no secret. */
  readonly warn: (message: string) => void;
}

const fileBytesMax = 1_048_576;
const attemptsMax = 8;
/** Accounts that may be part of a file name; the slash of an issuer's account is written as in an address. */
const accountPattern = /^(?:[A-Za-z0-9_@][A-Za-z0-9._@+-]{0,63}\/)?[A-Za-z0-9_@][A-Za-z0-9._@+-]{0,127}$/;
const placeholder = '{account}';

export class AuthJsonStore implements CredentialStore {
  readonly #store: CredentialStore;
  readonly #parts: AuthJsonParts;
  readonly #pools: ReadonlyMap<string, AuthJsonPool>;
  /** By account: the file that is being written by this thread. */
  readonly #writing = new Map<string, Promise<void>>();

  constructor(store: CredentialStore, parts: AuthJsonParts) {
    this.#store = store;
    this.#parts = parts;
    this.#pools = new Map(parts.pools.map((pool) => [pool.provider, pool]));
  }

  read(id: CredentialId): Promise<StoredCredential | null> {
    return this.#store.read(id);
  }

  async write(
    credential: Credential,
    fence: Fence,
    mode: 'replace' | 'update',
  ): Promise<StoredCredential | null> {
    const replaced = await this.#store.write(credential, fence, mode);
    await this.#show(credential.id);
    return replaced;
  }

  async delete(id: CredentialId, onlyFence?: Fence): Promise<boolean> {
    const isDeleted = await this.#store.delete(id, onlyFence);
    if (isDeleted) await this.#show(id);
    return isDeleted;
  }

  list(): Promise<readonly CredentialListing[]> {
    return this.#store.list();
  }

  async close(): Promise<void> {
    await Promise.all(this.#writing.values());
    await this.#store.close();
  }

  /** Resolves when the file shows what the store has said since the call. Never rejects. */
  #show({ provider, account }: CredentialId): Promise<void> {
    const { account: only } = this.#parts;
    if (!this.#pools.has(provider) || (only !== null && only !== account)) return Promise.resolve();
    const before = this.#writing.get(account) ?? Promise.resolve();
    const writing = before
      .then(() => this.#project(account))
      .catch((error: unknown) => this.#parts.warn(`auth.json was not written: ${reasonOf(error)}`))
      .finally(() => {
        if (this.#writing.get(account) === writing) this.#writing.delete(account);
      });
    this.#writing.set(account, writing);
    return writing;
  }

  async #project(account: string): Promise<void> {
    const path = this.#pathOf(account);
    if (path === null) throw new ForeignAuthJson('the account cannot be part of a file name');
    for (let attempt = 0; attempt < attemptsMax; attempt++) {
      const stored = await this.#storedOf(account);
      const credentials = new Map([...stored].map(([pool, entry]) => [pool, entry?.credential ?? null]));
      const text = mergeAuthJson(await this.#textOf(path), credentials, this.#parts.clock.nowMs());
      if (text !== null) await this.#replace(path, text);
      if (isSame(stored, await this.#storedOf(account))) return;
    }
  }

  #pathOf(account: string): string | null {
    const { file, account: only } = this.#parts;
    if (only !== null) return file;
    if (!accountPattern.test(account)) return null;
    return file.replaceAll(placeholder, () => account.replace('/', '%2F'));
  }

  /** A record that cannot be read is left as the file has it. */
  async #storedOf(account: string): Promise<Stored> {
    const entries = new Map<AuthJsonPool, StoredCredential | null>();
    for (const [provider, pool] of this.#pools) {
      const stored = await this.#store.read({ provider, account }).catch(() => undefined);
      if (stored !== undefined) entries.set(pool, stored);
    }
    return entries;
  }

  async #textOf(path: string): Promise<string | null> {
    try {
      const { facts, bytes } = await this.#parts.files.read(path, fileBytesMax);
      if (facts.kind !== 'file') throw new ForeignAuthJson('it is not a regular file');
      if (bytes.length > fileBytesMax) throw new ForeignAuthJson('it is too large');
      return bytes.toString('utf8');
    } catch (error) {
      if (codeOf(error) === 'ENOENT') return null;
      throw error;
    }
  }

  async #replace(path: string, text: string): Promise<void> {
    const { files } = this.#parts;
    const folder = dirname(path);
    const fresh = join(folder, `.${basename(path)}.${randomBytes(8).toString('hex')}`);
    if ((await files.stat(folder)) === null) await files.makeFolder(folder);
    try {
      await createSynced(files, fresh, Buffer.from(text));
      await files.rename(fresh, path);
    } catch (error) {
      await removeQuietly(files, fresh);
      throw error;
    }
    await files.syncFolder(folder);
  }
}

type Stored = ReadonlyMap<AuthJsonPool, StoredCredential | null>;

function isSame(before: Stored, after: Stored): boolean {
  return (
    before.size === after.size &&
    [...after].every(([pool, stored]) => before.has(pool) && textOf(before.get(pool)) === textOf(stored))
  );
}

const textOf = (stored: StoredCredential | null | undefined): string =>
  stored ? `${stored.fence} ${JSON.stringify(stored.credential)}` : '';

/** What may be told: our own sentences, and codes of the system. */
function reasonOf(error: unknown): string {
  return error instanceof ForeignAuthJson ? error.message : (codeOf(error) ?? 'a defect');
}
