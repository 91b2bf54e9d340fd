/**
 * The file operations that the store is made of, each one step of the system: tests end the process, or the power, between
 * any two of them. Errors: those of `node:fs`, with their codes.
 */
import { constants } from 'node:fs';
import { link, lstat, mkdir, open, readdir, rename, rm, rmdir } from 'node:fs/promises';

export interface FileFacts {
  readonly kind: 'file' | 'folder' | 'other';
  /** The permission bits. */
  readonly mode: number;
  readonly uid: number;
  readonly modifiedAtMs: number;
}

export interface FileContent {
  readonly facts: FileFacts;
  /** One byte more than was asked for where the file is larger; empty for what is not a file. */
  readonly bytes: Buffer;
}

export interface NewFile {
  write(bytes: Buffer): Promise<void>;
  /** The bytes outlast a loss of power from here on; under which name, `syncFolder` decides. */
  sync(): Promise<void>;
  close(): Promise<void>;
}

export interface Files {
  /** Does not follow a symbolic link. Null when there is nothing. */
  stat(path: string): Promise<FileFacts | null>;
  list(folder: string): Promise<readonly string[]>;
  /** A symbolic link fails with ELOOP, unless it is to be followed. */
  read(path: string, bytesMax: number, links?: 'refuse' | 'follow'): Promise<FileContent>;
  /** Mode 0700. */
  makeFolder(path: string): Promise<void>;
  /** Only an empty one: the check and the removal are one step. */
  removeFolder(path: string): Promise<void>;
  /** Mode 0600; fails with EEXIST where there is something. */
  create(path: string): Promise<NewFile>;
  /** A second name for a file; fails with EEXIST where there is something: the check and the naming are one step. */
  link(from: string, to: string): Promise<void>;
  rename(from: string, to: string): Promise<void>;
  remove(path: string): Promise<void>;
  /** The names in the folder outlast a loss of power from here on. */
  syncFolder(path: string): Promise<void>;
}

export const systemFiles: Files = {
  stat: async (path) => {
    try {
      return factsOf(await lstat(path));
    } catch (error) {
      if (codeOf(error) === 'ENOENT') return null;
      throw error;
    }
  },
  list: (folder) => readdir(folder),
  read: async (path, bytesMax, links = 'refuse') => {
    // A pipe is not waited for.
    const flags = constants.O_RDONLY | constants.O_NONBLOCK;
    const file = await open(path, links === 'follow' ? flags : flags | constants.O_NOFOLLOW);
    try {
      const facts = factsOf(await file.stat());
      if (facts.kind !== 'file') return { facts, bytes: Buffer.alloc(0) };
      const bytes = Buffer.alloc(bytesMax + 1);
      let length = 0;
      while (length < bytes.length) {
        const { bytesRead } = await file.read(bytes, length, bytes.length - length, null);
        if (bytesRead === 0) break;
        length += bytesRead;
      }
      return { facts, bytes: bytes.subarray(0, length) };
    } finally {
      await file.close();
    }
  },
  makeFolder: (path) => mkdir(path, { mode: 0o700 }),
  removeFolder: (path) => rmdir(path),
  create: async (path) => {
    const file = await open(path, 'wx', 0o600);
    return {
      write: (bytes) => file.writeFile(bytes),
      sync: () => file.sync(),
      close: () => file.close(),
    };
  },
  link,
  rename,
  remove: (path) => rm(path),
  syncFolder: async (path) => {
    const folder = await open(path, constants.O_RDONLY | constants.O_DIRECTORY);
    try {
      await folder.sync();
    } finally {
      await folder.close();
    }
  },
};

/** `ENOENT` and the like; undefined for what no system call said. */
export function codeOf(error: unknown): string | undefined {
  return error instanceof Error ? (error as NodeJS.ErrnoException).code : undefined;
}

/** Removes a file whose being there does no harm. */
export async function removeQuietly(files: Files, path: string): Promise<void> {
  await files.remove(path).catch(() => {});
}

/** Creates a file with this content, durable but for its name. */
export async function createSynced(files: Files, path: string, bytes: Buffer): Promise<void> {
  const file = await files.create(path);
  try {
    await file.write(bytes);
    await file.sync();
  } finally {
    await file.close();
  }
}

interface Stats {
  readonly mode: number;
  readonly uid: number;
  readonly mtimeMs: number;
  isFile(): boolean;
  isDirectory(): boolean;
}

function factsOf(stats: Stats): FileFacts {
  const kind = stats.isFile() ? 'file' : stats.isDirectory() ? 'folder' : 'other';
  return { kind, mode: stats.mode & 0o777, uid: stats.uid, modifiedAtMs: stats.mtimeMs };
}
