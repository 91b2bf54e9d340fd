/**
 * Records as numbered versions, each a file that is never written to again; the one with the highest number counts.
 *
 * ```
 * <directory>/
 *   .new-<random>       content on its way; left behind by a process that died, removed after a while
 *   <record>/           one folder a record
 *     7                 what counts
 *     6                 the version before, until version 7 is durable; who finds both makes it so
 *     5.refused         an unreadable version that was replaced, kept for the operator
 * ```
 *
 * A version is written to a file of its own, synced, and then linked to the number behind the one its writer has seen.
 * Linking fails where there is something, so of all writers that saw the same version one gets through and the others
 * look again: a compare-and-swap by the file system. There is no lock, so none can be left behind: a process that dies or
 * hangs at any point stops nobody, and what it did not finish does not count. A rename could not do this: it replaces
 * whatever is there.
 *
 * A writer that saw version 5, slept while 6 and 7 were made and 5 and 6 removed, would find 6 free. So a writer looks again
 * after it has linked, and where it is not the highest it has not written.
 *
 * Guarantees: single records are linearizable against all threads and processes of a host, on local file systems (a listing of
 * such a small folder is one system call there, one step against links). Network file systems are not covered.
 */
import { randomBytes } from 'node:crypto';
import { join } from 'node:path';
import { StoreFault } from '../credential.ts';
import { codeOf, createSynced, type FileContent, type Files, removeQuietly } from './files.ts';

export interface Version {
  readonly number: number;
  readonly content: FileContent;
  /** An older one is there still: `removeOlder`, once this one is seen to be good. */
  readonly hasOlder: boolean;
}

/** Each attempt that fails means that somebody else has written. */
const attemptsMax = 64;
const numberPattern = /^[1-9][0-9]{0,14}$/;
const newPattern = /^\.new-[0-9a-f]{32}$/;
const refusedSuffix = '.refused';

/** A new file of a living writer is linked long before. */
const leftoverAgeMs = 3_600_000;

export class Versions {
  readonly #files: Files;
  readonly #directory: string;
  readonly #bytesMax: number;

  /** `bytesMax`: the size of a version. A larger one is read to a byte more. */
  constructor(files: Files, directory: string, bytesMax: number) {
    this.#files = files;
    this.#directory = directory;
    this.#bytesMax = bytesMax;
  }

  /** The version that counts; null when the record has none. */
  async latest(record: string): Promise<Version | null> {
    const folder = join(this.#directory, record);
    for (let attempt = 0; attempt < attemptsMax; attempt++) {
      const numbers = numbersOf(await this.#listed(folder));
      const number = numbers.at(-1);
      if (number === undefined) {
        if (await this.#isGone(folder)) return null;
        continue;
      }
      const hasOlder = numbers.length > 1;
      try {
        // Its writer is at work, or has died: nobody acts on what a loss of power could take back.
        if (hasOlder) await this.sync(record);
        const content = await this.#files.read(join(folder, String(number)), this.#bytesMax);
        return { number, content, hasOlder };
      } catch (error) {
        // Another has taken its place since.
        if (codeOf(error) === 'ENOENT') continue;
        if (codeOf(error) === 'ELOOP') return { number, content: notAFile, hasOlder };
        throw error;
      }
    }
    throw contended(record);
  }

  /**
   * Writes the version behind `after` (0: the first one); durable when it resolves. False: somebody else has written, look
   * again.
   */
  async append(record: string, after: number, bytes: Buffer): Promise<boolean> {
    const folder = join(this.#directory, record);
    const fresh = join(this.#directory, `.new-${randomBytes(16).toString('hex')}`);
    const number = after + 1;
    try {
      await createSynced(this.#files, fresh, bytes);
      if (!(await this.#link(fresh, record, number))) return false;
      if (numbersOf(await this.#listed(folder)).at(-1) !== number) {
        await removeQuietly(this.#files, join(folder, String(number)));
        return false;
      }
      await this.sync(record);
      await this.removeOlder(record, number);
      return true;
    } finally {
      await removeQuietly(this.#files, fresh);
    }
  }

  /** Makes the names of a record durable, whoever gave them. */
  async sync(record: string): Promise<void> {
    await this.#files.syncFolder(join(this.#directory, record));
    await this.#files.syncFolder(this.#directory);
  }

  /** Removes what is older than a durable version. That some of it stays does no harm. */
  async removeOlder(record: string, number: number): Promise<void> {
    const folder = join(this.#directory, record);
    for (const older of numbersOf(await this.#listed(folder).catch(() => []))) {
      if (older < number) await removeQuietly(this.#files, join(folder, String(older)));
    }
  }

  /** What is in the directory, records and anything else. */
  async list(): Promise<readonly string[]> {
    return this.#files.list(this.#directory);
  }

  /**
   * Forgets a record altogether, its numbers too: a writer that has slept since could take it for the one before. For
   * records that nobody has touched for long. False: somebody has written.
   */
  async forget(record: string, number: number): Promise<boolean> {
    const folder = join(this.#directory, record);
    const names = await this.#listed(folder);
    if (numbersOf(names).at(-1) !== number) return false;
    // What counts goes last: until then the record is what it was.
    const others = names.filter((name) => name !== String(number));
    for (const name of [...others, String(number)]) await this.#files.remove(join(folder, name));
    return this.#isGone(folder);
  }

  /** Keeps a version under another name before it is replaced; the last one that was kept makes room. */
  async putAside(record: string, number: number): Promise<void> {
    const path = join(this.#directory, record, String(number));
    await this.dropRefused(record);
    try {
      await this.#files.link(path, path + refusedSuffix);
    } catch (error) {
      // Another has done so, or has replaced it; or it is no file.
      if (!['EEXIST', 'ENOENT', 'EPERM'].includes(codeOf(error) ?? '')) throw error;
    }
  }

  /** Removes what was put aside. */
  async dropRefused(record: string): Promise<void> {
    const folder = join(this.#directory, record);
    for (const name of await this.#listed(folder)) {
      if (name.endsWith(refusedSuffix)) await removeQuietly(this.#files, join(folder, name));
    }
  }

  /** Removes what writers that died have left behind. */
  async removeLeftovers(nowMs: number): Promise<void> {
    for (const name of await this.list()) {
      if (!newPattern.test(name)) continue;
      const facts = await this.#files.stat(join(this.#directory, name));
      if (facts === null || nowMs - facts.modifiedAtMs < leftoverAgeMs) continue;
      await removeQuietly(this.#files, join(this.#directory, name));
    }
  }

  async #link(fresh: string, record: string, number: number): Promise<boolean> {
    const folder = join(this.#directory, record);
    for (let attempt = 0; attempt < attemptsMax; attempt++) {
      try {
        await this.#files.link(fresh, join(folder, String(number)));
        return true;
      } catch (error) {
        if (codeOf(error) === 'EEXIST') return false;
        if (codeOf(error) !== 'ENOENT') throw error;
      }
      // No folder: of a version that was to follow another one, the record was forgotten.
      if (number > 1) return false;
      try {
        await this.#files.makeFolder(folder);
      } catch (error) {
        if (codeOf(error) !== 'EEXIST') throw error;
      }
    }
    throw contended(record);
  }

  async #listed(folder: string): Promise<readonly string[]> {
    try {
      return await this.#files.list(folder);
    } catch (error) {
      if (codeOf(error) === 'ENOENT') return [];
      throw error;
    }
  }

  /**
   * A folder that was seen without versions is one whose record was not begun or is forgotten, unless it was seen in the
   * midst of a change: only an empty one can be removed.
   */
  async #isGone(folder: string): Promise<boolean> {
    try {
      await this.#files.removeFolder(folder);
      return true;
    } catch (error) {
      if (codeOf(error) === 'ENOENT') return true;
      if (codeOf(error) === 'ENOTEMPTY' || codeOf(error) === 'EEXIST') return false;
      throw error;
    }
  }
}

const notAFile: FileContent = {
  facts: { kind: 'other', mode: 0, uid: 0, modifiedAtMs: 0 },
  bytes: Buffer.alloc(0),
};

/** The versions among these names, the one that counts last. */
function numbersOf(names: readonly string[]): readonly number[] {
  return names
    .filter((name) => numberPattern.test(name))
    .map(Number)
    .toSorted((a, b) => a - b);
}

function contended(record: string): StoreFault {
  return new StoreFault('unavailable', `record ${record}: others write it all the time`);
}
