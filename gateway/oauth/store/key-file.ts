/** The key ring as a file: read by the store, made and prolonged by `sallyport keys new`. */
import { randomBytes } from 'node:crypto';
import { basename, dirname, join } from 'node:path';
import { StoreFault } from '../credential.ts';
import { codeOf, createSynced, type Files, removeQuietly } from './files.ts';
import { parseKeyRing } from './key-ring.ts';

const fileBytesMax = 65_536;

const heading = `# Key ring of a Sallyport credential store. The first key encrypts, all of them decrypt.
# Keep it secret, and apart from the store. Without it the credentials in the store are lost.
`;

/**
 * Reads the text of a ring. A group may read the file, as services get their secrets; others may not. Errors: `StoreFault`.
 */
export async function readKeyFile(path: string, files: Files, links: 'refuse' | 'follow'): Promise<string> {
  try {
    const { facts, bytes } = await files.read(path, fileBytesMax, links);
    if (facts.kind !== 'file') return refuse(path, 'it is not a regular file');
    if ((facts.mode & 0o037) !== 0) {
      const mode = facts.mode.toString(8).padStart(4, '0');
      return refuse(path, `its mode is ${mode}, which lets others in: chmod 600`);
    }
    if (bytes.length > fileBytesMax) return refuse(path, `it is larger than ${fileBytesMax} bytes`);
    return bytes.toString('utf8');
  } catch (error) {
    const code = codeOf(error);
    if (error instanceof StoreFault || code === undefined) throw error;
    if (code === 'ENOENT') return refuse(path, 'there is none; `sallyport keys new` makes one');
    return refuse(path, `it cannot be read (${code})`);
  }
}

/**
 * Puts a key in front of a ring, or makes the ring; the file is whole at any time. Errors: `StoreFault` for a file that is no
 * ring, those of the system for one that cannot be written.
 */
export async function addToKeyFile(path: string, entry: string, files: Files): Promise<'made' | 'added'> {
  const fresh = join(dirname(path), `.${basename(path)}.${randomBytes(8).toString('hex')}`);
  const isThere = (await files.stat(path)) !== null;
  const old = isThere ? await readKeyFile(path, files, 'refuse') : heading;
  const text = withEntryFirst(old, entry);
  // It is never written what could not be read again.
  parseKeyRing(text);
  try {
    await createSynced(files, fresh, Buffer.from(text));
    // A ring that was made in between is not replaced.
    if (isThere) await files.rename(fresh, path);
    else await files.link(fresh, path);
  } finally {
    await removeQuietly(files, fresh);
  }
  await files.syncFolder(dirname(path));
  return isThere ? 'added' : 'made';
}

/** Behind the comments that the text begins with. */
function withEntryFirst(text: string, entry: string): string {
  const lines = text.split('\n');
  const first = lines.findIndex((line) => !line.trimStart().startsWith('#'));
  return lines.toSpliced(first === -1 ? lines.length : first, 0, entry).join('\n');
}

function refuse(path: string, why: string): never {
  throw new StoreFault('unavailable', `the key ring ${path}: ${why}`);
}
