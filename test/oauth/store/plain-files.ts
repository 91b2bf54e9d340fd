/**
 * Files in memory that can lose power: what was not synced may be there afterwards or not, each name and each file by itself,
 * in any order and mixture. Harsher than file systems are.
 */
import { basename, dirname } from 'node:path';
import type { FileFacts, Files } from '../../../gateway/oauth/store/files.ts';
import { nowMs } from './stores.ts';

interface PlainFile {
  readonly kind: 'file';
  bytes: Buffer;
  synced: Buffer;
}

interface PlainFolder {
  readonly kind: 'folder';
  entries: Map<string, Entry>;
  synced: Map<string, Entry>;
}

type Entry = PlainFile | PlainFolder;

const makeFolder = (): PlainFolder => ({ kind: 'folder', entries: new Map(), synced: new Map() });

export class PlainFiles implements Files {
  readonly #root = makeFolder();

  /** Loses power. `choose` decides each thing that was not synced: below a number. */
  losePower(choose: (below: number) => number): void {
    settle(this.#root, choose);
  }

  #at(path: string): Entry {
    let entry: Entry = this.#root;
    for (const name of path.split('/').filter((part) => part !== '')) {
      const next: Entry | undefined = entry.kind === 'folder' ? entry.entries.get(name) : undefined;
      if (next === undefined) throw systemError('ENOENT');
      entry = next;
    }
    return entry;
  }

  #folder(path: string): PlainFolder {
    const entry = this.#at(path);
    if (entry.kind !== 'folder') throw systemError('ENOTDIR');
    return entry;
  }

  #add(path: string, entry: Entry): void {
    const { entries } = this.#folder(dirname(path));
    if (entries.has(basename(path))) throw systemError('EEXIST');
    entries.set(basename(path), entry);
  }

  stat: Files['stat'] = async (path) => {
    try {
      return factsOf(this.#at(path));
    } catch {
      return null;
    }
  };
  list: Files['list'] = async (folder) => [...this.#folder(folder).entries.keys()];
  read: Files['read'] = async (path, bytesMax) => {
    const entry = this.#at(path);
    const bytes = entry.kind === 'file' ? entry.bytes.subarray(0, bytesMax + 1) : Buffer.alloc(0);
    return { facts: factsOf(entry), bytes };
  };
  makeFolder: Files['makeFolder'] = async (path) => this.#add(path, makeFolder());
  removeFolder: Files['removeFolder'] = async (path) => {
    if (this.#folder(path).entries.size > 0) throw systemError('ENOTEMPTY');
    this.#folder(dirname(path)).entries.delete(basename(path));
  };
  create: Files['create'] = async (path) => {
    const file: PlainFile = { kind: 'file', bytes: Buffer.alloc(0), synced: Buffer.alloc(0) };
    this.#add(path, file);
    return {
      write: async (bytes) => {
        file.bytes = Buffer.concat([file.bytes, bytes]);
      },
      sync: async () => {
        file.synced = file.bytes;
      },
      close: async () => {},
    };
  };
  link: Files['link'] = async (from, to) => this.#add(to, this.#at(from));
  rename: Files['rename'] = async (from, to) => {
    const entry = this.#at(from);
    this.#folder(dirname(to)).entries.set(basename(to), entry);
    this.#folder(dirname(from)).entries.delete(basename(from));
  };
  remove: Files['remove'] = async (path) => {
    if (!this.#folder(dirname(path)).entries.delete(basename(path))) throw systemError('ENOENT');
  };
  syncFolder: Files['syncFolder'] = async (path) => {
    const folder = this.#folder(path);
    folder.synced = new Map(folder.entries);
  };
}

function settle(folder: PlainFolder, choose: (below: number) => number): void {
  for (const name of new Set([...folder.synced.keys(), ...folder.entries.keys()])) {
    const [before, now] = [folder.synced.get(name), folder.entries.get(name)];
    const kept = before === now || choose(2) === 0 ? before : now;
    if (kept === undefined) folder.entries.delete(name);
    else folder.entries.set(name, kept);
  }
  folder.synced = new Map(folder.entries);
  for (const entry of folder.entries.values()) {
    if (entry.kind === 'folder') settle(entry, choose);
    else if (entry.bytes !== entry.synced) {
      entry.bytes = entry.bytes.subarray(0, choose(entry.bytes.length + 1));
      entry.synced = entry.bytes;
    }
  }
}

function factsOf({ kind }: Entry): FileFacts {
  return { kind, mode: kind === 'file' ? 0o600 : 0o700, uid: process.getuid!(), modifiedAtMs: nowMs };
}

function systemError(code: string): Error {
  return Object.assign(new Error(code), { code });
}
