/**
 * Notices that the configuration file changed. Its folder is watched, because editors replace files and Kubernetes swaps a
 * `..data` symlink beside them; it counts as changed when its content has.
 */
import { createHash } from 'node:crypto';
import { watch } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { dirname, resolve } from 'node:path';

/** Several events belong to one change. */
const debounceMs = 200;

export interface FileWatch {
  close(): void;
}

/**
 * Calls `onChange` after each change of the content of `file`: from its present one on, or from `text`, which somebody has
 * read already (null where it could not be read).
 */
export async function watchFile(
  file: string,
  onChange: () => void,
  text?: string | null,
): Promise<FileWatch> {
  let known = text === undefined ? await hashOf(file) : text === null ? null : hashOfText(text);
  let timer: NodeJS.Timeout | null = null;
  const compare = async (): Promise<void> => {
    const hash = await hashOf(file);
    // A file that is gone for a moment is being replaced: another event follows.
    if (hash === null || hash === known) return;
    known = hash;
    onChange();
  };
  const watcher = watch(dirname(resolve(file)), { persistent: false }, () => {
    timer ??= setTimeout(() => {
      timer = null;
      void compare();
    }, debounceMs);
  });
  watcher.on('error', () => watcher.close());
  if (text !== undefined) void compare();
  return {
    close() {
      watcher.close();
      if (timer !== null) clearTimeout(timer);
    },
  };
}

const hashOfText = (text: string): string => createHash('sha256').update(text).digest('hex');

async function hashOf(file: string): Promise<string | null> {
  try {
    return createHash('sha256')
      .update(await readFile(file))
      .digest('hex');
  } catch {
    return null;
  }
}

/** Files that a configuration names, as it read them; null where it could not. */
export interface ReadFile {
  readonly file: string;
  readonly text: string | null;
}

/** Watches the files of the present configuration, whichever they are. */
export class FileWatches {
  readonly #onChange: () => void;
  readonly #watches = new Map<string, Promise<FileWatch>>();

  constructor(onChange: () => void) {
    this.#onChange = onChange;
  }

  /** From now on these, and no others. */
  follow(files: readonly ReadFile[]): void {
    const wanted = new Map(files.map(({ file, text }) => [file, text]));
    for (const [file, watch] of this.#watches) {
      if (wanted.has(file)) continue;
      this.#watches.delete(file);
      void watch.then((open) => open.close());
    }
    for (const [file, text] of wanted) {
      if (!this.#watches.has(file)) this.#watches.set(file, watchFile(file, this.#onChange, text));
    }
  }
}
