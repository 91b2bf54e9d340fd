/**
 * Where everything lies in the shared buffer. Every word is 64 bits wide and is only ever viewed as one.
 *
 * ```
 * header     32 words   MAGIC SLOTS THREADS BLOCKS BLOCKWORDS EPOCH, from 8 on COUNTER[n]
 * threads     1 word    THREAD[t]   one record per thread
 * slots       8 words   K1 K2 CTL PREF H0 H1 H2 H3      one cache line
 * blocks      n words   BH LEN D0 D1 ...                one start payload
 *
 * EPOCH      when the table was made, in whole milliseconds; tick 0
 * THREAD[t]  incarnation:50 | parent:12 | state:2       FREE ALIVE REAPING
 * K1, K2     the two halves of the key's digest; 0 = not bound yet. Written once, never cleared.
 * CTL        deadline:24 | generation:25 | owner:12 | state:3     the word that decides, and the one waited on
 * PREF       generation:25 | block+1:24                 the payload; replaced by newer generations only
 * H0..H3     the last terminal control words, by generation modulo 4: a flow that ended stays readable
 *            although its key has been claimed again
 * BH         slot:24 | generation:25 | owner:12 | state:3   FREE or USED; freed by exchanging the exact word
 * LEN, D     bytes of the payload, then the bytes, eight to a word
 * ```
 */
import { GENERATION_MASK, OWNER_MAX } from './control-word.ts';

/** "SALLYFL1": the buffer is a flight table of layout version 1. */
export const MAGIC_VALUE = 0x53414c4c59464c31n;

export const HEADER_WORDS = 32;
export const SLOT_WORDS = 8;
export const BLOCK_HEAD_WORDS = 2;
export const HISTORY_WORDS = 4;

export const MAGIC = 0;
export const SLOTS = 1;
export const THREADS = 2;
export const BLOCKS = 3;
export const BLOCK_WORDS = 4;
export const EPOCH = 5;
export const FIRST_COUNTER = 8;

export interface Shape {
  /** A power of two, so that the probe sequence wraps by a mask. */
  readonly slots: number;
  readonly threads: number;
  readonly blocks: number;
  /** Words of one block, its two head words included. */
  readonly blockWords: number;
}

export interface Layout extends Shape {
  readonly threadBase: number;
  readonly slotBase: number;
  readonly blockBase: number;
  /** How many slots a key may try before the table counts as full for it. */
  readonly probes: number;
  readonly words: number;
}

export const PROBES_MAX = 32;

/** Computes every address of a table. Errors: a shape outside the widths drawn above is a RangeError. */
export function layoutOf(shape: Shape): Layout {
  const { slots, threads, blocks, blockWords } = shape;
  within('slots', slots, 1, 0x800000);
  if ((slots & (slots - 1)) !== 0)
    throw new RangeError(`flight table: slots must be a power of two, not ${slots}`);
  within('threads', threads, 1, OWNER_MAX);
  within('blocks', blocks, 0, 0xfffffe);
  within('blockWords', blockWords, BLOCK_HEAD_WORDS + 1, 0xffff);
  const threadBase = HEADER_WORDS;
  // Slots begin on a cache line of eight words.
  const slotBase = threadBase + Math.ceil(threads / SLOT_WORDS) * SLOT_WORDS;
  const blockBase = slotBase + slots * SLOT_WORDS;
  return {
    slots,
    threads,
    blocks,
    blockWords,
    threadBase,
    slotBase,
    blockBase,
    probes: Math.min(slots, PROBES_MAX),
    words: blockBase + blocks * blockWords,
  };
}

function within(name: string, value: number, low: number, high: number): void {
  if (!Number.isInteger(value) || value < low || value > high) {
    throw new RangeError(`flight table: ${name} must be a whole number from ${low} to ${high}, not ${value}`);
  }
}

export function threadAddress(layout: Layout, thread: number): number {
  return layout.threadBase + thread;
}
export function k1Address(layout: Layout, slot: number): number {
  return layout.slotBase + slot * SLOT_WORDS;
}
export function k2Address(layout: Layout, slot: number): number {
  return layout.slotBase + slot * SLOT_WORDS + 1;
}
export function controlAddress(layout: Layout, slot: number): number {
  return layout.slotBase + slot * SLOT_WORDS + 2;
}
export function payloadRefAddress(layout: Layout, slot: number): number {
  return layout.slotBase + slot * SLOT_WORDS + 3;
}
export function historyAddress(layout: Layout, slot: number, generation: number): number {
  return layout.slotBase + slot * SLOT_WORDS + 4 + (generation & (HISTORY_WORDS - 1));
}
export function blockAddress(layout: Layout, block: number): number {
  return layout.blockBase + block * layout.blockWords;
}

/** The longest payload that fits a block, in bytes. */
export function payloadBytesMax(layout: Shape): number {
  return (layout.blockWords - BLOCK_HEAD_WORDS) * 8;
}

const SLOT_NAMES = ['K1', 'K2', 'CTL', 'PREF', 'H0', 'H1', 'H2', 'H3'] as const;
const HEADER_NAMES = ['MAGIC', 'SLOTS', 'THREADS', 'BLOCKS', 'BLOCKWORDS', 'EPOCH'] as const;

/** What lies at an address, for traces: `CTL[0]`, `THREAD[2]`, `D1[5]`, `COUNTER[3]`. */
export function nameOf(layout: Layout, address: number): string {
  if (address < 0 || address >= layout.words) return `?[${address}]`;
  if (address < HEADER_WORDS) {
    return address >= FIRST_COUNTER
      ? `COUNTER[${address - FIRST_COUNTER}]`
      : (HEADER_NAMES[address] ?? `HEADER[${address}]`);
  }
  if (address < layout.slotBase) return `THREAD[${address - layout.threadBase}]`;
  if (address < layout.blockBase) {
    const offset = address - layout.slotBase;
    return `${SLOT_NAMES[offset % SLOT_WORDS]!}[${Math.floor(offset / SLOT_WORDS)}]`;
  }
  const offset = address - layout.blockBase;
  const word = offset % layout.blockWords;
  const name = word === 0 ? 'BH' : word === 1 ? 'LEN' : `D${word - BLOCK_HEAD_WORDS}`;
  return `${name}[${Math.floor(offset / layout.blockWords)}]`;
}

// ---- the words beside the control word --------------------------------------------------------------------------

/** No payload: what a PREF word names when it names no block. */
export const NO_BLOCK = -1;

export function packPayloadRef(generation: number, block: number): bigint {
  return BigInt((generation & GENERATION_MASK) * 0x1000000 + block + 1);
}
export function refGeneration(ref: bigint): number {
  return Number((ref >> 24n) & 0x1ffffffn);
}
export function refBlock(ref: bigint): number {
  return Number(ref & 0xffffffn) - 1;
}

export const BLOCK_FREE = 0n;

/** The head of a block in use. Shape: the control word's, with the slot in place of the deadline. */
export function packBlockHead(slot: number, generation: number, owner: number): bigint {
  return BigInt.asIntN(
    64,
    (BigInt(slot) << 40n) | BigInt((generation & GENERATION_MASK) * 0x8000 + owner * 8 + 1),
  );
}
export function headSlot(head: bigint): number {
  return Number((head >> 40n) & 0xffffffn);
}
export function headGeneration(head: bigint): number {
  return Number((head >> 15n) & 0x1ffffffn);
}
export function headOwner(head: bigint): number {
  return Number((head >> 3n) & 0xfffn);
}
