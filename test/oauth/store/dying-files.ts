/** Files of a process that dies before its n-th operation, in the midst of it where that is possible. */
import type { Files, NewFile } from '../../../gateway/oauth/store/files.ts';

export class Died extends Error {
  override readonly name = 'Died';
}

export class DyingFiles implements Files {
  readonly #inner: Files;
  readonly #stepsMax: number;
  /** Operations that were begun. */
  steps = 0;

  constructor(inner: Files, stepsMax = Infinity) {
    this.#inner = inner;
    this.#stepsMax = stepsMax;
  }

  get isDead(): boolean {
    return this.steps > this.#stepsMax;
  }

  #step(): void {
    this.steps += 1;
    if (this.isDead) throw new Died();
  }

  async #run<T>(operation: () => Promise<T>): Promise<T> {
    this.#step();
    return operation();
  }

  stat: Files['stat'] = (path) => this.#run(() => this.#inner.stat(path));
  list: Files['list'] = (folder) => this.#run(() => this.#inner.list(folder));
  read: Files['read'] = (path, bytesMax) => this.#run(() => this.#inner.read(path, bytesMax));
  makeFolder: Files['makeFolder'] = (path) => this.#run(() => this.#inner.makeFolder(path));
  removeFolder: Files['removeFolder'] = (path) => this.#run(() => this.#inner.removeFolder(path));
  link: Files['link'] = (from, to) => this.#run(() => this.#inner.link(from, to));
  rename: Files['rename'] = (from, to) => this.#run(() => this.#inner.rename(from, to));
  remove: Files['remove'] = (path) => this.#run(() => this.#inner.remove(path));
  syncFolder: Files['syncFolder'] = (path) => this.#run(() => this.#inner.syncFolder(path));

  async create(path: string): Promise<NewFile> {
    this.#step();
    const file = await this.#inner.create(path);
    return {
      write: async (bytes) => {
        this.steps += 1;
        await file.write(this.isDead ? bytes.subarray(0, bytes.length >> 1) : bytes);
        if (this.isDead) throw new Died();
      },
      sync: () => this.#run(() => file.sync()),
      // The system closes what a process had open.
      close: () => file.close(),
    };
  }
}
