/**
 * Keys in a file: a key set or a shared secret, read again when it changes.
 *
 * The folder is watched, not the file: editors replace files, and Kubernetes swaps a `..data` symlink beside them. Because
 * no watch is to be trusted everywhere, the file is also read now and then; it counts as changed when its content has.
 */
import { createHash } from 'node:crypto';
import { watch } from 'node:fs';
import { open } from 'node:fs/promises';
import { dirname } from 'node:path';
import type { Clock } from '../core/clock.ts';
import type { Timers } from '../core/timers.ts';
import { errorOf, SourceError, UnusableContent } from './source.ts';
import type { KeySource, SourceOwner, SourceStatus } from './source.ts';

/** Several events belong to one change. */
const debounceMs = 200;
const pollMs = 30_000;

/** Calls back when something in a folder changes; what it returns ends that. Throws when the folder cannot be watched. */
export type WatchFolder = (folder: string, onChange: () => void) => () => void;

/** Reads a whole file, or throws when it is larger than `bytesMax`. */
export type ReadFile = (path: string, bytesMax: number) => Promise<Buffer>;

export const watchFolder: WatchFolder = (folder, onChange) => {
  const watcher = watch(folder, { persistent: false }, onChange);
  // The folder is gone, or the system ran out of watches: polling goes on.
  watcher.on('error', () => watcher.close());
  return () => watcher.close();
};

export const readBounded: ReadFile = async (path, bytesMax) => {
  const file = await open(path, 'r');
  try {
    const buffer = Buffer.alloc(bytesMax + 1);
    let length = 0;
    while (length <= bytesMax) {
      const { bytesRead } = await file.read(buffer, length, buffer.length - length, null);
      if (bytesRead === 0) return buffer.subarray(0, length);
      length += bytesRead;
    }
    throw new SourceError(`the file is larger than ${bytesMax} bytes`);
  } finally {
    await file.close();
  }
};

export interface FileParts {
  readonly readFile: ReadFile;
  readonly watchFolder: WatchFolder;
  readonly clock: Clock;
  readonly timers: Timers;
}

export class KeyFile implements KeySource {
  readonly #path: string;
  readonly #bytesMax: number;
  readonly #parts: FileParts;
  readonly #owner: SourceOwner;
  #takenHash: string | null = null;
  #failures = 0;
  #lastAttemptMs: number | null = null;
  #reading: Promise<void> | null = null;
  #readAgain = false;
  #unwatch: (() => void) | null = null;
  #cancelPoll: () => void = () => {};
  #cancelDebounce: (() => void) | null = null;
  #stopped = false;

  constructor(path: string, bytesMax: number, parts: FileParts, owner: SourceOwner) {
    this.#path = path;
    this.#bytesMax = bytesMax;
    this.#parts = parts;
    this.#owner = owner;
  }

  start(): Promise<void> {
    // Watched before it is read: a change in between is seen.
    this.#watch();
    this.#poll();
    return this.#read();
  }

  stop(): void {
    this.#stopped = true;
    this.#unwatch?.();
    this.#cancelPoll();
    this.#cancelDebounce?.();
  }

  /** The file is watched: there is nothing newer to be had by asking. */
  refetch(): 'cooldown' {
    return 'cooldown';
  }

  status(): SourceStatus {
    return { lastAttemptMs: this.#lastAttemptMs, nextAttemptMs: null, failuresInRow: this.#failures };
  }

  #watch(): void {
    if (this.#unwatch !== null) return;
    try {
      this.#unwatch = this.#parts.watchFolder(dirname(this.#path), () => this.#changed());
    } catch {
      // No such folder yet: the poll tries again.
    }
  }

  #poll(): void {
    this.#cancelPoll = this.#parts.timers.after(pollMs, () => {
      this.#watch();
      void this.#read();
      this.#poll();
    });
  }

  #changed(): void {
    if (this.#cancelDebounce !== null || this.#stopped) return;
    this.#cancelDebounce = this.#parts.timers.after(debounceMs, () => {
      this.#cancelDebounce = null;
      void this.#read();
    });
  }

  /** Never rejects. A change during a reading is read once more behind it. */
  #read(): Promise<void> {
    if (this.#reading !== null) {
      this.#readAgain = true;
      return this.#reading;
    }
    this.#reading = this.#readOnce().finally(() => {
      this.#reading = null;
      if (!this.#readAgain || this.#stopped) return;
      this.#readAgain = false;
      void this.#read();
    });
    return this.#reading;
  }

  async #readOnce(): Promise<void> {
    this.#lastAttemptMs = this.#parts.clock.monotonicMs();
    try {
      const content = await this.#parts.readFile(this.#path, this.#bytesMax);
      if (this.#stopped) return;
      const hash = createHash('sha256').update(content).digest('hex');
      if (hash === this.#takenHash) this.#owner.unchanged();
      else if (await this.#owner.taken(content)) this.#takenHash = hash;
      else throw new UnusableContent();
      this.#failures = 0;
    } catch (error) {
      this.#failures += 1;
      const isKnown = this.#stopped || error instanceof UnusableContent;
      if (!isKnown) this.#owner.failed(errorOf(error), true);
    }
  }
}
