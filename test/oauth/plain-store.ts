/** A credential store in memory that keeps the contract of fences, and stops where a test wants it to. */
import {
  type Credential,
  type CredentialId,
  type CredentialListing,
  type CredentialStore,
  StoreFault,
  type StoredCredential,
} from '../../gateway/oauth/credential.ts';
import type { Fence } from '../../gateway/oauth/protocol/fence.ts';

interface Kept {
  readonly fence: Fence;
  readonly credential: Credential | null;
}

/** One shelf is what several stores, one a thread, are opened on. */
export class Shelf {
  readonly kept = new Map<string, Kept>();
  /** Every write that took place, in order. */
  readonly written: Credential[] = [];
}

const keyOf = ({ provider, account }: CredentialId): string => `${provider} ${account}`;

export class PlainStore implements CredentialStore {
  readonly #shelf: Shelf;
  /** Awaited before a write takes place. */
  beforeWrite: () => Promise<void> = () => Promise.resolve();
  /** Awaited after it. */
  afterWrite: () => Promise<void> = () => Promise.resolve();

  constructor(shelf: Shelf) {
    this.#shelf = shelf;
  }

  read(id: CredentialId): Promise<StoredCredential | null> {
    const kept = this.#shelf.kept.get(keyOf(id));
    const credential = kept?.credential ?? null;
    return Promise.resolve(credential === null ? null : { credential, fence: kept!.fence });
  }

  async write(
    credential: Credential,
    fence: Fence,
    mode: 'replace' | 'update',
  ): Promise<StoredCredential | null> {
    await this.beforeWrite();
    const key = keyOf(credential.id);
    const kept = this.#shelf.kept.get(key);
    if (kept !== undefined && kept.fence > fence) throw new StoreFault('superseded', 'late');
    if (mode === 'update' && (kept?.credential ?? null) === null) throw new StoreFault('absent', 'gone');
    this.#shelf.kept.set(key, { fence, credential });
    this.#shelf.written.push(credential);
    await this.afterWrite();
    return kept === undefined || kept.credential === null ? null : { ...kept, credential: kept.credential };
  }

  delete(id: CredentialId, onlyFence?: Fence): Promise<boolean> {
    const kept = this.#shelf.kept.get(keyOf(id));
    const isThere = kept !== undefined && kept.credential !== null;
    if (!isThere || (onlyFence !== undefined && kept.fence !== onlyFence)) return Promise.resolve(false);
    this.#shelf.kept.set(keyOf(id), { fence: kept.fence, credential: null });
    return Promise.resolve(true);
  }

  list(): Promise<readonly CredentialListing[]> {
    return Promise.resolve([]);
  }

  close(): Promise<void> {
    return Promise.resolve();
  }
}
