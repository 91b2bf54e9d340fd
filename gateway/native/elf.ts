/**
 * As much of the ELF64 format as the compatibility edit needs: where the dynamic tables lie and how their records are
 * laid out. Reads only; `glibc.ts` decides what to change.
 *
 * Source: System V ABI, chapters 4 and 5 (header, program header, dynamic section, symbol table); Linux Standard Base
 * 5.0, section 10.7 (symbol versioning).
 *
 *   Elf64_Sym      0 st_name u32 │ 4 st_info u8 │ 5 st_other u8 │ 6 st_shndx u16 │ 8 st_value u64 │ 16 st_size u64
 *   Elf64_Verneed  0 vn_version u16 │ 2 vn_cnt u16 │ 4 vn_file u32 │ 8 vn_aux u32 │ 12 vn_next u32
 *   Elf64_Vernaux  0 vna_hash u32 │ 4 vna_flags u16 │ 6 vna_other u16 │ 8 vna_name u32 │ 12 vna_next u32
 */

export type Machine = 'x64' | 'arm64';

/** File offsets, in bytes. */
export interface DynamicTables {
  readonly machine: Machine;
  readonly strings: number;
  readonly symbols: number;
  readonly symbolCount: number;
  /** One u16 per symbol: the index of the version that it asks for. */
  readonly symbolVersions: number;
  readonly versionNeeds: number;
  readonly versionNeedCount: number;
}

/** One version that the file asks one library for. */
export interface NeededVersion {
  readonly offset: number;
  readonly library: string;
  readonly version: string;
  readonly index: number;
}

export const SYMBOL_BYTES = 24;
const PROGRAM_LOAD = 1;
const PROGRAM_DYNAMIC = 2;
const TAG = {
  end: 0n,
  strings: 5n,
  symbols: 6n,
  symbolVersions: 0x6ffffff0n,
  versionNeeds: 0x6ffffffen,
  versionNeedCount: 0x6fffffffn,
} as const;

/**
 * Finds the dynamic tables of a 64-bit little-endian shared object.
 *
 * Errors: a plain Error that says what is not as expected; a read outside of the bytes is a RangeError.
 */
export function readDynamicTables(bytes: DataView): DynamicTables {
  // 0x7f 'ELF', 64-bit, little-endian.
  if (bytes.getUint32(0) !== 0x7f454c46 || bytes.getUint16(4) !== 0x0201) {
    throw new Error('not a 64-bit little-endian ELF file');
  }
  const machine = machineOf(bytes.getUint16(18, true));
  const programs = readPrograms(bytes);
  const dynamic = programs.find((program) => program.type === PROGRAM_DYNAMIC);
  if (dynamic === undefined) throw new Error('no dynamic section');

  const tags = new Map<bigint, number>();
  for (let at = dynamic.offset; at < dynamic.offset + dynamic.bytes; at += 16) {
    const tag = bytes.getBigUint64(at, true);
    if (tag === TAG.end) break;
    tags.set(tag, Number(bytes.getBigUint64(at + 8, true)));
  }
  const value = (tag: bigint): number => {
    const found = tags.get(tag);
    if (found === undefined) throw new Error(`no dynamic tag 0x${tag.toString(16)}`);
    return found;
  };
  const offset = (tag: bigint): number => fileOffset(programs, value(tag));

  // ELF nowhere says how many dynamic symbols there are; linkers put the strings right behind them.
  const symbols = offset(TAG.symbols);
  const strings = offset(TAG.strings);
  const symbolCount = (strings - symbols) / SYMBOL_BYTES;
  if (!Number.isInteger(symbolCount) || symbolCount <= 0) {
    throw new Error('the string table does not follow the symbol table');
  }
  return {
    machine,
    strings,
    symbols,
    symbolCount,
    symbolVersions: offset(TAG.symbolVersions),
    versionNeeds: offset(TAG.versionNeeds),
    versionNeedCount: value(TAG.versionNeedCount),
  };
}

/** Lists every version of every library that the file asks for, in file order. */
export function readNeededVersions(bytes: DataView, tables: DynamicTables): NeededVersion[] {
  const needed: NeededVersion[] = [];
  let need = tables.versionNeeds;
  for (let library = 0; library < tables.versionNeedCount; library++) {
    const count = bytes.getUint16(need + 2, true);
    const name = readString(bytes, tables, bytes.getUint32(need + 4, true));
    let aux = need + bytes.getUint32(need + 8, true);
    for (let entry = 0; entry < count; entry++) {
      needed.push({
        offset: aux,
        library: name,
        version: readString(bytes, tables, bytes.getUint32(aux + 8, true)),
        index: bytes.getUint16(aux + 6, true),
      });
      aux += bytes.getUint32(aux + 12, true);
    }
    need += bytes.getUint32(need + 12, true);
  }
  return needed;
}

/** Reads the zero-terminated ASCII string at an offset of the dynamic string table. */
export function readString(bytes: DataView, tables: DynamicTables, offset: number): string {
  let text = '';
  for (let at = tables.strings + offset; bytes.getUint8(at) !== 0; at++) {
    text += String.fromCharCode(bytes.getUint8(at));
  }
  return text;
}

function machineOf(value: number): Machine {
  if (value === 0x3e) return 'x64';
  if (value === 0xb7) return 'arm64';
  throw new Error(`ELF machine 0x${value.toString(16)} is neither x86-64 nor AArch64`);
}

interface Program {
  readonly type: number;
  readonly offset: number;
  readonly address: number;
  readonly bytes: number;
}

function readPrograms(bytes: DataView): Program[] {
  const table = Number(bytes.getBigUint64(32, true));
  const size = bytes.getUint16(54, true);
  return Array.from({ length: bytes.getUint16(56, true) }, (_, index) => {
    const at = table + index * size;
    return {
      type: bytes.getUint32(at, true),
      offset: Number(bytes.getBigUint64(at + 8, true)),
      address: Number(bytes.getBigUint64(at + 16, true)),
      bytes: Number(bytes.getBigUint64(at + 32, true)),
    };
  });
}

function fileOffset(programs: readonly Program[], address: number): number {
  const home = programs.find(
    (program) =>
      program.type === PROGRAM_LOAD &&
      address >= program.address &&
      address < program.address + program.bytes,
  );
  if (home === undefined) throw new Error(`no segment holds address 0x${address.toString(16)}`);
  return address - home.address + home.offset;
}
