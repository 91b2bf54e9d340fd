/**
 * The records of a store, decrypted: what the directory, the key ring and the header are together. The store
 * (`directory-store.ts`) and `rotate.ts` are built on it.
 */
import { dirname } from 'node:path';
import type { Clock } from '../../core/clock.ts';
import { type CredentialId, StoreFault } from '../credential.ts';
import { decodeContent, encodeContent, idOf, type RecordContent } from './content.ts';
import { type EnvelopeProblem, keyIdOf, openEnvelope, type Place, sealEnvelope } from './envelope.ts';
import { codeOf, type Files } from './files.ts';
import {
  decodeHeader,
  encodeHeader,
  headerRecord,
  isRecord,
  makeHeader,
  recordOf,
  type StoreHeader,
} from './header.ts';
import type { KeyRing } from './key-ring.ts';
import { type Version, Versions } from './versions.ts';

/** Of a record as it lies on disk. */
const recordBytesMax = 131_072;
/** Deleted ones count until they are forgotten. Checked by each process for itself: a few more may come of a race. */
const recordsMax = 65_536;

/** Reads the key ring as it is now. Errors: `StoreFault`. */
export type ReadKeyRing = () => Promise<KeyRing>;

export interface RecordsParts {
  readonly directory: string;
  readonly readKeyRing: ReadKeyRing;
  readonly files: Files;
  readonly clock: Clock;
  /** Do not make a store where there is none. */
  readonly mustExist?: true;
}

export type RecordState =
  | { readonly kind: 'none'; readonly version: 0 }
  | {
      readonly kind: 'read';
      readonly version: number;
      readonly keyId: string;
      readonly content: RecordContent;
    }
  | {
      readonly kind: 'unreadable';
      readonly version: number;
      readonly keyId: string | null;
      readonly why: string;
    };

export class Records {
  readonly #versions: Versions;
  readonly #readKeyRing: ReadKeyRing;
  #ring: KeyRing;
  #header: StoreHeader;

  private constructor(versions: Versions, readKeyRing: ReadKeyRing, ring: KeyRing, header: StoreHeader) {
    this.#versions = versions;
    this.#readKeyRing = readKeyRing;
    this.#ring = ring;
    this.#header = header;
  }

  /** Opens the store in a directory, or makes it. Errors: `StoreFault`, unavailable or unreadable. */
  static async open(parts: RecordsParts): Promise<Records> {
    const { directory, readKeyRing, files, clock } = parts;
    const ring = await readKeyRing();
    await checkDirectory(files, directory, parts.mustExist === true);
    const versions = new Versions(files, directory, recordBytesMax);
    const header = await openHeader(versions, ring);
    await versions.removeLeftovers(clock.nowMs());
    return new Records(versions, readKeyRing, ring, header);
  }

  /** The key that new records are encrypted with. */
  get currentKeyId(): string {
    return this.#ring.current.id;
  }

  get keyIds(): readonly string[] {
    return [...this.#ring.keys.keys()];
  }

  nameOf(id: CredentialId): string {
    return recordOf(this.#header, id);
  }

  /** The records there are, without the header. */
  async names(): Promise<readonly string[]> {
    return (await this.#versions.list()).filter(isRecord).toSorted();
  }

  async state(name: string): Promise<RecordState> {
    const version = await this.#versions.latest(name);
    if (version === null) return { kind: 'none', version: 0 };
    const opened = await this.#opened(this.#place(name, version.number), version);
    if (opened.kind === 'unreadable') return opened;
    const content = decodeContent(opened.plaintext);
    if (content === null || this.nameOf(idOf(content)) !== name) {
      return { ...opened, kind: 'unreadable', why: 'another version of this program wrote it' };
    }
    if (version.hasOlder) await this.#versions.removeOlder(name, version.number);
    return { kind: 'read', version: version.number, keyId: opened.keyId, content };
  }

  /**
   * Writes a record whose state was seen. False: it has changed since, look again. An unreadable record that is written over
   * is put aside.
   */
  async put(name: string, seen: RecordState, content: RecordContent): Promise<boolean> {
    if (seen.kind === 'none' && (await this.names()).length >= recordsMax) {
      throw new StoreFault(
        'unavailable',
        `the store is full (${recordsMax} records); \`sallyport keys rotate\` forgets deleted ones`,
      );
    }
    const place = this.#place(name, seen.version + 1);
    const sealed = this.#sealed(place, encodeContent(content));
    if (seen.kind === 'unreadable') await this.#versions.putAside(name, seen.version);
    return this.#versions.append(name, seen.version, sealed);
  }

  /** Removes what was put aside of a record. */
  dropRefused(name: string): Promise<void> {
    return this.#versions.dropRefused(name);
  }

  /** Forgets a record and its fence. */
  forget(name: string, seen: RecordState): Promise<boolean> {
    return this.#versions.forget(name, seen.version);
  }

  /** The key that the header needs. */
  async headerKeyId(): Promise<string> {
    const version = await this.#versions.latest(headerRecord);
    if (version === null) throw headerMissing();
    return keyIdOf(textOf(version)) ?? '';
  }

  /** Encrypts the header with the current key. Returns whether it was not yet. */
  async resealHeader(): Promise<boolean> {
    const version = await this.#versions.latest(headerRecord);
    if (version === null) throw headerMissing();
    if (keyIdOf(textOf(version)) === this.currentKeyId) return false;
    const place = headerPlace(version.number + 1);
    const isWritten = await this.#versions.append(
      headerRecord,
      version.number,
      this.#sealed(place, encodeHeader(this.#header)),
    );
    return isWritten ? true : this.resealHeader();
  }

  #place(record: string, version: number): Place {
    return { purpose: 'credential', storeId: this.#header.storeId, record, version };
  }

  #sealed(place: Place, plaintext: string): Buffer {
    const envelope = Buffer.from(sealEnvelope(this.#ring, place, plaintext));
    if (envelope.length > recordBytesMax) {
      throw new StoreFault(
        'unavailable',
        `record ${place.record}: it would be larger than ${recordBytesMax} bytes`,
      );
    }
    return envelope;
  }

  async #opened(place: Place, version: Version): Promise<OpenedRecord> {
    const opened = openVersion(this.#ring, place, version);
    if (opened.kind !== 'unreadable' || opened.problem !== 'key_unknown') return opened;
    // Another process may have been given a newer ring.
    this.#ring = await this.#readKeyRing();
    return openVersion(this.#ring, place, version);
  }
}

type OpenedRecord =
  | { readonly kind: 'opened'; readonly version: number; readonly keyId: string; readonly plaintext: string }
  | {
      readonly kind: 'unreadable';
      readonly version: number;
      readonly keyId: string | null;
      readonly problem: EnvelopeProblem | 'not_ours';
      readonly why: string;
    };

const sentences: { readonly [P in EnvelopeProblem]: string } = {
  not_an_envelope: 'it is torn, truncated or nothing that this program wrote',
  key_unknown: 'the key ring does not have its key',
  not_authentic: 'it was changed, or belongs to another record, another store or another key of that id',
};

function openVersion(ring: KeyRing, place: Place, version: Version): OpenedRecord {
  const { facts, bytes } = version.content;
  const text = textOf(version);
  const keyId = keyIdOf(text);
  const refused = (problem: EnvelopeProblem | 'not_ours', why: string): OpenedRecord => ({
    kind: 'unreadable',
    version: version.number,
    keyId,
    problem,
    why,
  });
  if (facts.kind !== 'file') return refused('not_ours', 'it is not a regular file');
  if ((facts.mode & 0o077) !== 0) {
    return refused('not_ours', `its mode is ${octal(facts.mode)}, which lets others in: chmod 600`);
  }
  if (bytes.length > recordBytesMax) return refused('not_ours', `it is larger than ${recordBytesMax} bytes`);
  const opened = openEnvelope(ring, place, text);
  if (!opened.ok) {
    const key = opened.problem === 'key_unknown' ? ` (${keyId})` : '';
    return refused(opened.problem, sentences[opened.problem] + key);
  }
  return { kind: 'opened', version: version.number, keyId: keyId!, plaintext: opened.plaintext };
}

/** Envelopes are ASCII; what is not stays visible as such. */
const textOf = ({ content }: Version): string => content.bytes.toString('latin1');

const octal = (mode: number): string => mode.toString(8).padStart(4, '0');

/** The directory is ours alone; it is made where there is none. */
async function checkDirectory(files: Files, directory: string, mustExist: boolean): Promise<void> {
  if (!mustExist && (await files.stat(directory)) === null) {
    await files.makeFolder(directory).catch((error: unknown) => {
      if (codeOf(error) !== 'EEXIST') throw error;
    });
  }
  // Who made it may have died before its name was durable. A folder that we may not read was not ours to make.
  await files.syncFolder(dirname(directory)).catch((error: unknown) => {
    if (codeOf(error) !== 'EACCES') throw error;
  });
  const facts = await files.stat(directory);
  const refuse = (why: string): never => {
    throw new StoreFault('unavailable', `the store ${directory}: ${why}`);
  };
  if (facts === null) return refuse('there is none');
  if (facts.kind !== 'folder') return refuse('it is not a folder (nor may it be a symbolic link)');
  if ((facts.mode & 0o077) !== 0)
    return refuse(`its mode is ${octal(facts.mode)}, which lets others in: chmod 700`);
  if (process.getuid !== undefined && facts.uid !== process.getuid()) {
    return refuse(`it belongs to user ${facts.uid}, and we run as ${process.getuid()}`);
  }
}

const headerPlace = (version: number): Place => ({
  purpose: 'header',
  storeId: '',
  record: headerRecord,
  version,
});

async function openHeader(versions: Versions, ring: KeyRing): Promise<StoreHeader> {
  let version = await versions.latest(headerRecord);
  if (version === null) {
    const hasRecords = (await versions.list()).some(isRecord);
    version = await versions.latest(headerRecord);
    if (version === null && hasRecords) throw headerMissing();
  }
  if (version === null) {
    const sealed = sealEnvelope(ring, headerPlace(1), encodeHeader(makeHeader()));
    // Whether we or another was first: what is there now is the header.
    await versions.append(headerRecord, 0, Buffer.from(sealed));
    version = (await versions.latest(headerRecord))!;
  }
  const opened = openVersion(ring, headerPlace(version.number), version);
  if (opened.kind === 'unreadable')
    throw new StoreFault('unreadable', `the header of the store: ${opened.why}`);
  // Who made it may have died before it was durable, and everything here depends on it.
  await versions.sync(headerRecord);
  if (version.hasOlder) await versions.removeOlder(headerRecord, version.number);
  return decodeHeader(opened.plaintext);
}

function headerMissing(): StoreFault {
  return new StoreFault(
    'unreadable',
    'the header of the store is missing, and there are records: restore it',
  );
}
