/**
 * A credential store that is opened when it is first needed, and again after that failed: a key ring that cannot be read
 * ends neither the thread nor the requests that need no credential.
 */
import type {
  Credential,
  CredentialId,
  CredentialListing,
  CredentialStore,
  StoredCredential,
} from './credential.ts';
import type { Fence } from './protocol/fence.ts';

export class LazyStore implements CredentialStore {
  readonly #open: () => Promise<CredentialStore>;
  #opened: Promise<CredentialStore> | null = null;

  /** Errors of `open` are those of the operation that needed it: `StoreFault`. */
  constructor(open: () => Promise<CredentialStore>) {
    this.#open = open;
  }

  async read(id: CredentialId): Promise<StoredCredential | null> {
    return (await this.#store()).read(id);
  }

  async write(
    credential: Credential,
    fence: Fence,
    mode: 'replace' | 'update',
  ): Promise<StoredCredential | null> {
    return (await this.#store()).write(credential, fence, mode);
  }

  async delete(id: CredentialId, onlyFence?: Fence): Promise<boolean> {
    const store = await this.#store();
    return onlyFence === undefined ? store.delete(id) : store.delete(id, onlyFence);
  }

  async list(): Promise<readonly CredentialListing[]> {
    return (await this.#store()).list();
  }

  async close(): Promise<void> {
    const opened = this.#opened;
    if (opened === null) return;
    const store = await opened.catch(() => null);
    await store?.close();
  }

  #store(): Promise<CredentialStore> {
    if (this.#opened !== null) return this.#opened;
    const opened = this.#open();
    this.#opened = opened;
    opened.catch(() => {
      if (this.#opened === opened) this.#opened = null;
    });
    return opened;
  }
}
