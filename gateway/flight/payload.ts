/**
 * The public start payload of a flow: written in a block that only its leader can reach, then linked to the slot by an
 * exchange that only moves to newer generations, then made readable by the control word.
 *
 * When a block is free again. A block belongs to one (slot, generation), which its head names. It is freed by an
 * exchange of the exact head: by its leader when the leader was fenced or failed; by the next leader that links in its
 * place; by the purge of its generation or a later one; or by the reaper when it was never linked. When all are in use,
 * a linked one whose flow has ended changes hands. A second free finds another head and does nothing.
 */
import type { Cells } from './cells.ts';
import {
  after,
  generationOf,
  IDLE,
  isLive,
  isTerminal,
  newer,
  ownerOf,
  pack,
  passed,
  PENDING,
  RESERVED,
  stateOf,
} from './control-word.ts';
import { deadlineOf } from './control-word.ts';
import type { Layout } from './layout.ts';
import {
  BLOCK_FREE,
  BLOCK_HEAD_WORDS,
  blockAddress,
  controlAddress,
  headGeneration,
  headSlot,
  NO_BLOCK,
  packBlockHead,
  packPayloadRef,
  payloadBytesMax,
  payloadRefAddress,
  refBlock,
  refGeneration,
} from './layout.ts';

/** A payload in transit: its length in bytes, and the bytes in 64-bit words, the last one padded with zeros. */
export interface Payload {
  readonly bytes: number;
  readonly words: readonly bigint[];
}

/**
 * Takes a free block for the generation in `word`, or else one whose flow has ended: its payload was kept for the
 * curious only. Returns NO_BLOCK when all are in use by live flows.
 */
export function takeBlock(cells: Cells, layout: Layout, slot: number, word: bigint): number {
  const head = packBlockHead(slot, generationOf(word), ownerOf(word));
  for (let tried = 0; tried < layout.blocks; tried++) {
    const block = (slot + tried) % layout.blocks;
    const address = blockAddress(layout, block);
    if (
      cells.load(address) === BLOCK_FREE &&
      cells.compareExchange(address, BLOCK_FREE, head) === BLOCK_FREE
    ) {
      return block;
    }
  }
  for (let tried = 0; tried < layout.blocks; tried++) {
    const block = (slot + tried) % layout.blocks;
    const address = blockAddress(layout, block);
    const held = cells.load(address);
    if (held === BLOCK_FREE || !isSpent(cells, layout, block, held)) continue;
    if (cells.compareExchange(address, held, head) === held) return block;
  }
  return NO_BLOCK;
}

/**
 * Whether nobody will write or need the block again. Linked, so that its writer is done with it, even one that was
 * fenced and does not know; and its generation no longer live, which it cannot become again.
 */
function isSpent(cells: Cells, layout: Layout, block: number, head: bigint): boolean {
  const slot = headSlot(head);
  const generation = headGeneration(head);
  if (cells.load(payloadRefAddress(layout, slot)) !== packPayloadRef(generation, block)) return false;
  const word = cells.load(controlAddress(layout, slot));
  return generationOf(word) !== generation || !isLive(stateOf(word));
}

/** Gives back a block that this leader took. */
export function freeBlock(cells: Cells, layout: Layout, slot: number, word: bigint, block: number): void {
  if (block === NO_BLOCK) return;
  const head = packBlockHead(slot, generationOf(word), ownerOf(word));
  cells.compareExchange(blockAddress(layout, block), head, BLOCK_FREE);
}

/** Writes the payload into the leader's own block, before it is linked. False when it does not fit. */
export function writePayload(cells: Cells, layout: Layout, block: number, payload: Payload): boolean {
  if (payload.bytes > payloadBytesMax(layout)) return false;
  const address = blockAddress(layout, block);
  cells.store(address + 1, BigInt(payload.bytes));
  for (let index = 0; index < payload.words.length; index++) {
    cells.store(address + BLOCK_HEAD_WORDS + index, payload.words[index]!);
  }
  return true;
}

/** How often PREF can change under a leader that is not fenced: purges and stalled leaders of older generations. */
const LINK_ATTEMPTS = 8;

/**
 * RESERVED → PENDING: links the block, then moves the control word, so that whoever sees PENDING can read the payload.
 * Returns the new word; null when fenced, in which case the flow at the provider is to be discarded, never polled.
 */
export function publish(
  cells: Cells,
  layout: Layout,
  slot: number,
  word: bigint,
  block: number,
  flowTicks: number,
): bigint | null {
  const displaced = block === NO_BLOCK ? 0n : link(cells, layout, slot, generationOf(word), block);
  if (displaced === null) {
    freeBlock(cells, layout, slot, word, block);
    return null;
  }
  const control = controlAddress(layout, slot);
  const next = pack(PENDING, generationOf(word), ownerOf(word), after(cells.tick(), flowTicks));
  const found = cells.compareExchange(control, word, next);
  if (found === word) cells.notify(control);
  else freeBlock(cells, layout, slot, word, block);
  release(cells, layout, slot, displaced);
  return found === word ? next : null;
}

/** Points PREF at the block unless a newer generation did. Returns the reference it replaced, null when fenced. */
function link(cells: Cells, layout: Layout, slot: number, generation: number, block: number): bigint | null {
  const address = payloadRefAddress(layout, slot);
  for (let attempt = 0; attempt < LINK_ATTEMPTS; attempt++) {
    const ref = cells.load(address);
    // A reference that was never set fences nobody, wherever the generations have got to.
    if (ref !== 0n && !newer(generation, refGeneration(ref))) return null;
    if (cells.compareExchange(address, ref, packPayloadRef(generation, block)) === ref) return ref;
  }
  return null;
}

/** Frees the block that a replaced reference named, if it still belongs to that generation of this slot. */
function release(cells: Cells, layout: Layout, slot: number, ref: bigint): void {
  const block = refBlock(ref);
  if (block === NO_BLOCK) return;
  const address = blockAddress(layout, block);
  const head = cells.load(address);
  if (head !== BLOCK_FREE && headSlot(head) === slot && headGeneration(head) === refGeneration(ref)) {
    cells.compareExchange(address, head, BLOCK_FREE);
  }
}

/** A read of a payload: `moved` means that the generation has gone on meanwhile, so look again. */
export type PayloadRead =
  | { readonly kind: 'read'; readonly payload: Payload; readonly word: bigint }
  | { readonly kind: 'none'; readonly word: bigint }
  | { readonly kind: 'moved' };

/**
 * Reads the payload of the generation in `word`, a published one. The control word is loaded again at the end: while it
 * still names this generation, alive, the block cannot have been given away, so what was read is what its leader wrote.
 * Of an ended generation the block's head is loaded as well, and the payload may be gone.
 */
export function readPayload(cells: Cells, layout: Layout, slot: number, word: bigint): PayloadRead {
  const generation = generationOf(word);
  const ref = cells.load(payloadRefAddress(layout, slot));
  const block = refBlock(ref);
  const linked = block !== NO_BLOCK && refGeneration(ref) === generation;
  const address = linked ? blockAddress(layout, block) : 0;
  let bytes = 0;
  const words: bigint[] = [];
  if (linked) {
    // Clamped, because a block that has been given away may hold anything; the checks below then refuse it.
    bytes = Math.min(Number(cells.load(address + 1)), payloadBytesMax(layout));
    for (let index = 0; index * 8 < bytes; index++)
      words.push(cells.load(address + BLOCK_HEAD_WORDS + index));
  }
  const now = cells.load(controlAddress(layout, slot));
  const state = stateOf(now);
  if (generationOf(now) !== generation || state === IDLE || state === RESERVED) return { kind: 'moved' };
  if (!linked) return { kind: 'none', word: now };
  if (isTerminal(state)) {
    const head = cells.load(address);
    const kept = head !== BLOCK_FREE && headSlot(head) === slot && headGeneration(head) === generation;
    if (!kept) return { kind: 'none', word: now };
  }
  return { kind: 'read', payload: { bytes, words }, word: now };
}

/**
 * Terminal → IDLE, by anyone, once its retention is over; then frees the payload of this generation or an older one.
 * Returns whether it did.
 */
export function purge(
  cells: Cells,
  layout: Layout,
  slot: number,
  word: bigint,
  now: number,
  retentionTicks: number,
): boolean {
  if (!isTerminal(stateOf(word)) || !passed(now, after(deadlineOf(word), retentionTicks))) return false;
  const control = controlAddress(layout, slot);
  const generation = generationOf(word);
  if (cells.compareExchange(control, word, pack(IDLE, generation, 0, 0)) !== word) return false;
  cells.notify(control);
  const address = payloadRefAddress(layout, slot);
  const ref = cells.load(address);
  if (refBlock(ref) === NO_BLOCK || newer(refGeneration(ref), generation)) return true;
  if (cells.compareExchange(address, ref, packPayloadRef(generation, NO_BLOCK)) === ref)
    release(cells, layout, slot, ref);
  return true;
}

/** Bytes as the words of a payload. */
export function encodePayload(bytes: Uint8Array): Payload {
  const padded = new DataView(new ArrayBuffer(Math.ceil(bytes.byteLength / 8) * 8));
  new Uint8Array(padded.buffer).set(bytes);
  const words: bigint[] = [];
  for (let at = 0; at < padded.byteLength; at += 8) words.push(padded.getBigInt64(at, true));
  return { bytes: bytes.byteLength, words };
}

/** The bytes of a payload. */
export function decodePayload(payload: Payload): Uint8Array {
  const view = new DataView(new ArrayBuffer(payload.words.length * 8));
  payload.words.forEach((word, index) => view.setBigInt64(index * 8, word, true));
  return new Uint8Array(view.buffer, 0, payload.bytes);
}
