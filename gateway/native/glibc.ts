/**
 * Makes a copy of the uWebSockets.js binary that loads on glibc 2.36 and 2.37. Pure: bytes in, bytes out; `copy.ts`
 * puts the result on disk.
 *
 * The binaries ask for GLIBC_2.38 only because a newer compiler renamed three old functions to their C23 forms, which
 * also read `0b1` as a number. The copy asks for the old functions. Three places change, and no byte of code:
 *
 *   1. the symbol's name      __isoc23_strtol → strtol        (the end of the same string: offset + 9)
 *   2. the symbol's version   GLIBC_2.38      → GLIBC_2.2.5   (GLIBC_2.17 on arm64)
 *   3. the need for           GLIBC_2.38      → a second need for that same old version, as the loader asks for every
 *                                               version in the table, used or not
 *
 * Undefined symbols are not in the file's hash table, so that one needs no change.
 */
import { createHash } from 'node:crypto';
import { type Machine, readDynamicTables, readNeededVersions, readString, SYMBOL_BYTES } from './elf.ts';

export const GLIBC_ASKED = 'GLIBC_2.38';
/** What the copy still asks for, by other symbols that no edit can replace. */
export const GLIBC_OLDEST = '2.36';

const LIBRARY = 'libc.so.6';
const PREFIX = '__isoc23_';
const RENAMED: ReadonlySet<string> = new Set(['strtol', 'strtoul', 'sscanf'].map((name) => PREFIX + name));
/** The version that the plain functions have had since the first glibc of that machine. */
const BASE: Readonly<Record<Machine, string>> = { x64: 'GLIBC_2.2.5', arm64: 'GLIBC_2.17' };

/**
 * SHA-256 of each binary that may be edited → SHA-256 of its copy. All are of @btc-vision/uwebsockets.js 20.57.0, and
 * each copy has served a request on glibc 2.36: x64 on the machine itself, arm64 under emulation. The package's arm64
 * binary for Node 25 could not be tried, so it is not here.
 */
export const KNOWN_COPIES: ReadonlyMap<string, string> = new Map([
  // uws_linux_x64_115.node (Node 20)
  [
    '5b126ee00bf754b02e97e4c27090365a8562c5820c93f93918ac2212d4503e91',
    '0b40a7ff2a1e1d38e8d34ac9b69bf5cf757fcbbbe56fe3bc981ee5c664ebf314',
  ],
  // uws_linux_x64_127.node (Node 22)
  [
    '4b55b1f2cb7a7913febbb65a89496412b96af77e838552980092ba6b33723aac',
    '65537716292c5b3d9ee617914eeed1e4496f092f001c33504e8a9a0f12780f59',
  ],
  // uws_linux_x64_137.node (Node 24)
  [
    '98128405dba2fb608448e921a979530f70c946a2cc9889c15f2fa70c2d00ab05',
    '2630bb59236deeadf501d6abaf79c1a655b4a0b78579fba408eea84d1a30f6ca',
  ],
  // uws_linux_x64_141.node (Node 25)
  [
    '813d788b347c6fd76b779d8932311ec05a044e612b4b83af220f16e6ea789683',
    'eea6f5f0ce9e2405a81ddb885b647c40bb5ebc2a06e48852f8af74290f79c543',
  ],
  // uws_linux_arm64_115.node (Node 20)
  [
    '6bdbc8ff976b4371af1906175e9025804bacc38a414969f4f02314e6b99f206c',
    'eaa12cdd49c20a8fb1485dc055cc141ae85b64e2db245630085f93fec9e6601d',
  ],
  // uws_linux_arm64_127.node (Node 22)
  [
    '82b79bd18d1e3563de336156005bd01b7f39fc387b65173d69a29da4ee79f895',
    '9f8b29f1112b1e27138abd232d8cfbef4a405d5633625f38d19dba7d759a4c0b',
  ],
  // uws_linux_arm64_137.node (Node 24)
  [
    '88618b30ddf6b2b62310db89f40a701616676352aac5e0f6184dd8ef876199ce',
    '50691cb2ed74d2e1711806a07a3f3c6419db5fd63d776c171912f9c097fd270a',
  ],
]);

export function sha256(bytes: Uint8Array): string {
  return createHash('sha256').update(bytes).digest('hex');
}

/**
 * Edits a known binary. The input is left alone.
 *
 * Errors: an unknown input, or an output other than the expected one, is refused with an Error.
 */
export function compatibleCopy(original: Uint8Array): Uint8Array {
  const input = sha256(original);
  const expected = KNOWN_COPIES.get(input);
  if (expected === undefined) throw new Error(`no edit is known for a binary with SHA-256 ${input}`);
  const copy = withoutC23Names(original);
  const output = sha256(copy);
  if (output !== expected) throw new Error(`the edit gave SHA-256 ${output}, not ${expected}`);
  return copy;
}

/**
 * The edit alone, for any ELF file that asks for GLIBC_2.38 by those three symbols only.
 *
 * Errors: a file that asks for it by any other symbol, or not at all, is refused with an Error.
 */
export function withoutC23Names(original: Uint8Array): Uint8Array {
  const copy = Uint8Array.from(original);
  const bytes = new DataView(copy.buffer);
  const tables = readDynamicTables(bytes);
  const needed = readNeededVersions(bytes, tables).filter(({ library }) => library === LIBRARY);
  const asked = needed.find(({ version }) => version === GLIBC_ASKED);
  const base = needed.find(({ version }) => version === BASE[tables.machine]);
  if (asked === undefined || base === undefined) {
    throw new Error(`${LIBRARY} is not asked for both ${GLIBC_ASKED} and ${BASE[tables.machine]}`);
  }

  for (let index = 0; index < tables.symbolCount; index++) {
    const version = tables.symbolVersions + index * 2;
    if (bytes.getUint16(version, true) !== asked.index) continue;
    const symbol = tables.symbols + index * SYMBOL_BYTES;
    const nameOffset = bytes.getUint32(symbol, true);
    const name = readString(bytes, tables, nameOffset);
    if (!RENAMED.has(name)) throw new Error(`${name} needs ${GLIBC_ASKED} and has no older form`);
    bytes.setUint32(symbol, nameOffset + PREFIX.length, true);
    bytes.setUint16(version, base.index, true);
  }
  // Hash and name; the entry keeps its own index, which no symbol uses now.
  bytes.setUint32(asked.offset, bytes.getUint32(base.offset, true), true);
  bytes.setUint32(asked.offset + 8, bytes.getUint32(base.offset + 8, true), true);
  return copy;
}
