/**
 * Where copies of the native binary live, and how one gets there whole: an installed copy lies beside its original, and
 * without install scripts each user has a cache folder that nobody else can write to.
 *
 * A copy is loaded only after its SHA-256 was checked in the same process; anything else under its name is replaced.
 */
import { randomUUID } from 'node:crypto';
import * as fs from 'node:fs';
import { homedir, tmpdir, userInfo } from 'node:os';
import { basename, dirname, isAbsolute, join } from 'node:path';
import { sha256 } from './glibc.ts';

const PRIVATE_FOLDER = 0o700;
const READ_ONLY_FILE = 0o555;
const PERMISSION_BITS = 0o777;
const WRITABLE_BY_OTHERS = 0o022;

/** The name of a copy: the original's with the start of the copy's SHA-256, so that versions lie side by side. */
export function copyName(original: string, copySha256: string): string {
  return `${basename(original, '.node')}.${copySha256.slice(0, 16)}.node`;
}

/** Where an install puts the copy. */
export function copyBeside(original: string, copySha256: string): string {
  return join(dirname(original), copyName(original, copySha256));
}

/**
 * The folders to keep a copy in when no install did, the best one first.
 *
 * Source: XDG Base Directory Specification 0.8 (a relative XDG_CACHE_HOME is ignored).
 */
export function cacheFolders(env: NodeJS.ProcessEnv = process.env): string[] {
  const folders: string[] = [];
  const home = env['XDG_CACHE_HOME'];
  if (home !== undefined && isAbsolute(home)) {
    folders.push(join(home, 'sallyport'));
  } else {
    const user = optional(homedir);
    if (user !== undefined && isAbsolute(user)) folders.push(join(user, '.cache', 'sallyport'));
  }
  folders.push(join(tmpdir(), `sallyport-${currentUser()}`));
  return folders;
}

/**
 * Checks that a file holds exactly the expected bytes.
 *
 * Errors: a missing, unreadable or different file is an Error, and so is one in `mine` that somebody else could change
 * after the check.
 */
export function verifyCopy(path: string, expectedSha256: string, mine = false): void {
  const file = fs.openSync(path, fs.constants.O_RDONLY | (mine ? fs.constants.O_NOFOLLOW : 0));
  try {
    const stat = fs.fstatSync(file);
    if (mine && (stat.uid !== currentUser() || (stat.mode & WRITABLE_BY_OTHERS) !== 0)) {
      throw new Error('others can write to it');
    }
    const found = sha256(fs.readFileSync(file));
    if (found !== expectedSha256) throw new Error(`its SHA-256 is ${found}, not ${expectedSha256}`);
  } finally {
    fs.closeSync(file);
  }
}

/**
 * Writes a copy so that a reader sees the old file or the whole new one, also when several threads do so at once.
 *
 * Errors: those of the file system.
 */
export function writeCopy(path: string, bytes: Uint8Array): void {
  const unfinished = `${path}.${randomUUID()}`;
  try {
    fs.writeFileSync(unfinished, bytes, { mode: READ_ONLY_FILE, flag: 'wx', flush: true });
    fs.renameSync(unfinished, path);
  } catch (error) {
    fs.rmSync(unfinished, { force: true });
    throw error;
  }
}

/**
 * Makes sure that a cache folder holds the copy, and returns its path.
 *
 * Errors: a folder that is not ours alone, or cannot be written to.
 */
export function ensureCached(
  folder: string,
  original: string,
  copySha256: string,
  makeCopy: () => Uint8Array,
): string {
  const path = join(folder, copyName(original, copySha256));
  makePrivate(folder);
  try {
    verifyCopy(path, copySha256, true);
  } catch {
    writeCopy(path, makeCopy());
    verifyCopy(path, copySha256, true);
  }
  return path;
}

function makePrivate(folder: string): void {
  // At most two levels, one by one: Node's own recursive mkdir never returns in /proc.
  makeFolder(dirname(folder));
  makeFolder(folder);
  const stat = fs.lstatSync(folder);
  if (!stat.isDirectory() || stat.uid !== currentUser())
    throw new Error(`${folder} is not a folder of this user`);
  if ((stat.mode & PERMISSION_BITS) !== PRIVATE_FOLDER) fs.chmodSync(folder, PRIVATE_FOLDER);
}

function makeFolder(path: string): void {
  if (fs.existsSync(path)) return;
  try {
    fs.mkdirSync(path, { mode: PRIVATE_FOLDER });
  } catch (error) {
    // Another thread was faster.
    if (!fs.existsSync(path)) throw error;
  }
}

function currentUser(): number {
  return process.geteuid?.() ?? userInfo().uid;
}

/** A user without an entry in the password file has no home: not an error here. */
function optional(read: () => string): string | undefined {
  try {
    return read();
  } catch {
    return undefined;
  }
}
