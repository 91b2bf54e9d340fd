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

/** Calls `onChange` after each change of the content of `file`, from its present one on. */
export async function watchFile(file: string, onChange: () => void): Promise<FileWatch> {
  let known = await hashOf(file);
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
  return {
    close() {
      watcher.close();
      if (timer !== null) clearTimeout(timer);
    },
  };
}

async function hashOf(file: string): Promise<string | null> {
  try {
    return createHash('sha256')
      .update(await readFile(file))
      .digest('hex');
  } catch {
    return null;
  }
}
