/** The edit of the native binary, byte by byte, on the real files of the package. */
import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { readDynamicTables, readNeededVersions, readString, SYMBOL_BYTES } from '../../gateway/native/elf.ts';
import { compatibleCopy, KNOWN_COPIES, sha256, withoutC23Names } from '../../gateway/native/glibc.ts';

const binaries = ['x64', 'arm64'].flatMap((arch) => [115, 127, 137, 141].map((abi) => ({ arch, abi })));
const supported = binaries.filter(({ arch, abi }) => arch === 'x64' || abi !== 141);

function readBinary({ arch, abi }: { arch: string; abi: number }): Uint8Array {
  return readFileSync(`node_modules/uWebSockets.js/uws_linux_${arch}_${abi}.node`);
}

interface Import {
  readonly name: string;
  readonly version: string;
}

/** Every symbol that a binary asks of glibc, with the version it asks for. */
function importsOf(binary: Uint8Array): Import[] {
  const bytes = new DataView(binary.buffer, binary.byteOffset, binary.byteLength);
  const tables = readDynamicTables(bytes);
  const versions = new Map(readNeededVersions(bytes, tables).map(({ index, version }) => [index, version]));
  return Array.from({ length: tables.symbolCount }, (_, index) => ({
    name: readString(bytes, tables, bytes.getUint32(tables.symbols + index * SYMBOL_BYTES, true)),
    version: versions.get(bytes.getUint16(tables.symbolVersions + index * 2, true)) ?? '',
  })).filter(({ version }) => version !== '');
}

function neededVersions(binary: Uint8Array): string[] {
  const bytes = new DataView(binary.buffer, binary.byteOffset, binary.byteLength);
  return readNeededVersions(bytes, readDynamicTables(bytes)).map(({ version }) => version);
}

function changedBytes(before: Uint8Array, after: Uint8Array): number {
  return before.reduce((count, byte, index) => count + (byte === after[index] ? 0 : 1), 0);
}

describe('the edit for older glibc', () => {
  it.each(supported)('turns the C23 imports of linux $arch ABI $abi into the plain ones', (binary) => {
    const original = readBinary(binary);
    const copy = compatibleCopy(original);
    const base = binary.arch === 'x64' ? 'GLIBC_2.2.5' : 'GLIBC_2.17';

    const expected = importsOf(original).map(({ name, version }) =>
      version === 'GLIBC_2.38' ? { name: name.replace('__isoc23_', ''), version: base } : { name, version },
    );
    expect(importsOf(copy)).toEqual(expected);
    expect(importsOf(original).some(({ version }) => version === 'GLIBC_2.38')).toBe(true);
    expect(neededVersions(original)).toContain('GLIBC_2.38');
    expect(neededVersions(copy)).not.toContain('GLIBC_2.38');
  });

  it.each(supported)('touches nothing else in linux $arch ABI $abi', (binary) => {
    const original = readBinary(binary);
    const copy = compatibleCopy(original);
    expect(copy.length).toBe(original.length);
    // Three symbols of at most 4 + 2 bytes, one table entry of 8.
    expect(changedBytes(original, copy)).toBeLessThanOrEqual(3 * 6 + 8);
  });

  it('has a known result for every Linux binary of the package that could be tried', () => {
    expect(new Set(KNOWN_COPIES.keys())).toEqual(
      new Set(supported.map((binary) => sha256(readBinary(binary)))),
    );
  });

  it('leaves its input alone', () => {
    const original = readBinary({ arch: 'x64', abi: 115 });
    const before = sha256(original);
    compatibleCopy(original);
    expect(sha256(original)).toBe(before);
  });
});

describe('what the edit refuses', () => {
  it('an input that differs from a known one by a single bit', () => {
    const original = Uint8Array.from(readBinary({ arch: 'x64', abi: 115 }));
    original[original.length - 1] = (original.at(-1) ?? 0) ^ 1;
    expect(() => compatibleCopy(original)).toThrow(/no edit is known for a binary with SHA-256 [0-9a-f]{64}/);
  });

  it('a binary that nobody could try', () => {
    expect(() => compatibleCopy(readBinary({ arch: 'arm64', abi: 141 }))).toThrow('no edit is known');
  });

  it('its own output, which no longer asks for the new version', () => {
    const copy = compatibleCopy(readBinary({ arch: 'x64', abi: 115 }));
    expect(() => withoutC23Names(copy)).toThrow('is not asked for both GLIBC_2.38 and GLIBC_2.2.5');
  });

  it('a symbol of the new version that has no older form', () => {
    const original = Uint8Array.from(readBinary({ arch: 'x64', abi: 115 }));
    // The name of a fourth function that is new in 2.38, of the same length, at the place of a known one.
    const name = Buffer.from('__isoc23_strtoul\0');
    Buffer.from('__isoc23_wcstoul\0').copy(original, Buffer.from(original.buffer).indexOf(name));
    expect(() => withoutC23Names(original)).toThrow('__isoc23_wcstoul needs GLIBC_2.38');
  });

  it.each([
    ['a file of another kind', Buffer.from('#!/bin/sh\nexit 0\n')],
    ['an ELF file of 32 bits', Buffer.from('7f454c46010100000000000000000000', 'hex')],
    ['a binary of another machine', Buffer.from('7f454c460201010000000000000000000300f300', 'hex')],
  ])('%s', (_, bytes) => {
    expect(() => withoutC23Names(bytes)).toThrow(/ELF/);
  });
});
