/** The embedded credential store: a directory of encrypted records. What lies where: `versions.ts`. */
import { assert } from '../../core/assert.ts';
import type { Clock } from '../../core/clock.ts';
import {
  type Credential,
  type CredentialId,
  type CredentialListing,
  type CredentialStore,
  type StoredCredential,
  StoreFault,
} from '../credential.ts';
import type { Fence } from '../protocol/fence.ts';
import { isFence, type RecordContent } from './content.ts';
import { codeOf } from './files.ts';
import { Records, type RecordsParts, type RecordState } from './records.ts';

/** Each attempt that fails means that somebody else has written this record. */
const attemptsMax = 64;
/** Records read at once for a listing. */
const listingWidth = 16;

export interface DirectoryStoreParts extends RecordsParts {
  /** Told in a sentence what an operator should know: an unreadable record was replaced. Names no secret. */
  readonly warn: (message: string) => void;
}

export class DirectoryStore implements CredentialStore {
  readonly #records: Records;
  readonly #clock: Clock;
  readonly #warn: (message: string) => void;

  private constructor(records: Records, clock: Clock, warn: (message: string) => void) {
    this.#records = records;
    this.#clock = clock;
    this.#warn = warn;
  }

  /** Opens the store in a directory, or makes it. Errors: `StoreFault`, unavailable or unreadable. */
  static async open(parts: DirectoryStoreParts): Promise<DirectoryStore> {
    const records = await orFault('opened', () => Records.open(parts));
    return new DirectoryStore(records, parts.clock, parts.warn);
  }

  read(id: CredentialId): Promise<StoredCredential | null> {
    return orFault('read', async () => {
      const name = this.#records.nameOf(id);
      const state = await this.#records.state(name);
      if (state.kind === 'unreadable') throw unreadable(name, state.why);
      return storedIn(state);
    });
  }

  write(credential: Credential, fence: Fence, mode: 'replace' | 'update'): Promise<StoredCredential | null> {
    return orFault('written', async () => {
      assert(isFence(fence), 'a fence is not negative and below 2^160');
      const { id, grant } = credential;
      const name = this.#records.nameOf(id);
      const content: RecordContent = {
        kind: 'live',
        fence,
        // Nothing but the id: a caller's object may hold more.
        credential: { id: { provider: id.provider, account: id.account }, grant },
      };
      let replaced: StoredCredential | null = null;
      await this.#change(name, (state) => {
        replaced = storedIn(state);
        if (state.kind === 'read' && state.content.fence > fence) {
          throw new StoreFault('superseded', `record ${name}: a later writer was here`);
        }
        if (mode === 'update') {
          if (state.kind === 'unreadable') throw unreadable(name, state.why);
          if (state.kind === 'none' || state.content.kind === 'deleted') {
            throw new StoreFault('absent', `record ${name}: there is none to update`);
          }
        }
        return content;
      });
      return replaced;
    });
  }

  delete(id: CredentialId, onlyFence?: Fence): Promise<boolean> {
    return orFault('deleted', async () => {
      const name = this.#records.nameOf(id);
      const tombstone = (fence: Fence): RecordContent => ({
        kind: 'deleted',
        fence,
        id: { provider: id.provider, account: id.account },
        atMs: this.#clock.nowMs(),
      });
      const isDeleted = await this.#change(name, (state) => {
        switch (state.kind) {
          case 'none':
            return null;
          case 'unreadable':
            if (onlyFence !== undefined) throw unreadable(name, state.why);
            // Which fence it had cannot be told any more.
            return tombstone(0n);
          case 'read': {
            const { kind, fence } = state.content;
            if (kind === 'deleted' || (onlyFence !== undefined && onlyFence !== fence)) return null;
            return tombstone(fence);
          }
        }
      });
      if (isDeleted) await this.#records.dropRefused(name);
      return isDeleted;
    });
  }

  list(): Promise<readonly CredentialListing[]> {
    return orFault('listed', async () => {
      const names = await this.#records.names();
      const listings: CredentialListing[] = [];
      for (let from = 0; from < names.length; from += listingWidth) {
        const some = names.slice(from, from + listingWidth);
        const states = await Promise.all(some.map((name) => this.#records.state(name)));
        listings.push(...states.flatMap(listingOf));
      }
      return listings;
    });
  }

  /** Nothing is held open between calls. */
  async close(): Promise<void> {}

  /** Decides on what is there and writes it, again and again until nobody else wrote in between. Null: leave it. */
  async #change(name: string, decide: (state: RecordState) => RecordContent | null): Promise<boolean> {
    for (let attempt = 0; attempt < attemptsMax; attempt++) {
      const state = await this.#records.state(name);
      const content = decide(state);
      if (content === null) return false;
      if (!(await this.#records.put(name, state, content))) continue;
      if (state.kind === 'unreadable') {
        this.#warn(`credential store: record ${name} was replaced, it could not be read: ${state.why}`);
      }
      return true;
    }
    throw new StoreFault('unavailable', `record ${name}: others write it all the time`);
  }
}

function listingOf(state: RecordState): readonly CredentialListing[] {
  if (state.kind !== 'read' || state.content.kind !== 'live') return [];
  const { id, grant } = state.content.credential;
  const isLinked = grant.kind === 'linked';
  return [
    {
      id,
      kind: grant.kind,
      expiresAtMs: isLinked ? null : grant.expiresAtMs,
      refused: !isLinked && grant.refusal !== null,
    },
  ];
}

function unreadable(name: string, why: string): StoreFault {
  return new StoreFault('unreadable', `record ${name}: ${why}`);
}

/** What the system refuses is a fault of the store; anything else is none and passes. */
export async function orFault<T>(what: string, run: () => Promise<T>): Promise<T> {
  try {
    return await run();
  } catch (error) {
    const code = codeOf(error);
    if (error instanceof StoreFault || code === undefined) throw error;
    throw new StoreFault('unavailable', `the store cannot be ${what} (${code})`, { cause: error });
  }
}

/** Null for a record that is not there, was deleted, or cannot be read. */
function storedIn(state: RecordState): StoredCredential | null {
  if (state.kind !== 'read' || state.content.kind === 'deleted') return null;
  const { credential, fence } = state.content;
  return { credential, fence };
}
