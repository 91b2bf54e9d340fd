import * as fc from 'fast-check';
import { beforeEach, describe, expect, it } from 'vitest';
import {
  CANCELLED,
  COMMITTING,
  generationOf,
  GENERATION_MASK,
  IDLE,
  pack,
  PENDING,
  RESERVED,
  stateOf,
  SUCCESS,
} from '../../gateway/flight/control-word.ts';
import {
  blockAddress,
  BLOCK_FREE,
  controlAddress,
  NO_BLOCK,
  packBlockHead,
  packPayloadRef,
  payloadBytesMax,
  payloadRefAddress,
} from '../../gateway/flight/layout.ts';
import type { Layout } from '../../gateway/flight/layout.ts';
import {
  decodePayload,
  encodePayload,
  freeBlock,
  publish,
  purge,
  readPayload,
  takeBlock,
  writePayload,
} from '../../gateway/flight/payload.ts';
import { SMALL, smallTable } from './plain-cells.ts';
import type { PlainCells } from './plain-cells.ts';

let cells: PlainCells;
let layout: Layout;
let control: number;
const bytes = Uint8Array.from([1, 2, 3, 4, 5, 6, 7, 8, 255, 254, 253]);

beforeEach(() => {
  ({ cells, layout } = smallTable());
  control = controlAddress(layout, 0);
});

const reserve = (generation: number, owner = 1): bigint =>
  (cells.words[control] = pack(RESERVED, generation, owner, 100));
const head = (block: number): bigint => cells.words[blockAddress(layout, block)]!;
const ref = (): bigint => cells.words[payloadRefAddress(layout, 0)]!;

function published(generation: number, content = bytes): bigint {
  const word = reserve(generation);
  const block = takeBlock(cells, layout, 0, word);
  writePayload(cells, layout, block, encodePayload(content));
  return publish(cells, layout, 0, word, block, 40)!;
}

describe('payload', () => {
  it('round-trips any bytes through words', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 70 }), (content) => {
        expect(decodePayload(encodePayload(content))).toEqual(content);
      }),
    );
  });

  it('is read by joiners exactly as its leader wrote it', () => {
    const word = published(1);
    expect(stateOf(word)).toBe(PENDING);
    expect(cells.notified).toEqual([control]);
    const read = readPayload(cells, layout, 0, word);
    expect(read.kind === 'read' && decodePayload(read.payload)).toEqual(bytes);
  });

  it('is still readable while it is committed and after its end', () => {
    const word = published(1);
    for (const state of [COMMITTING, SUCCESS, CANCELLED] as const) {
      cells.words[control] = pack(state, 1, 1, 0);
      expect(readPayload(cells, layout, 0, word)).toMatchObject({ kind: 'read', word: cells.words[control] });
    }
  });

  it('may be absent', () => {
    const word = publish(cells, layout, 0, reserve(1), NO_BLOCK, 40)!;
    expect(readPayload(cells, layout, 0, word)).toEqual({ kind: 'none', word });
  });

  it('of an older generation is not taken for that of a newer one', () => {
    published(1);
    const word = publish(cells, layout, 0, reserve(2), NO_BLOCK, 40)!;
    expect(readPayload(cells, layout, 0, word).kind).toBe('none');
  });

  it('is refused when the generation went on while it was read', () => {
    const word = published(1);
    cells.between.set(cells.accesses + 4, () => reserve(2));
    expect(readPayload(cells, layout, 0, word)).toEqual({ kind: 'moved' });
    cells.words[control] = pack(IDLE, 1, 0, 0);
    expect(readPayload(cells, layout, 0, word)).toEqual({ kind: 'moved' });
  });

  it('that does not fit its block is refused before anything is written', () => {
    const before = [...cells.words];
    const long = encodePayload(new Uint8Array(payloadBytesMax(SMALL) + 1));
    expect(writePayload(cells, layout, 0, long)).toBe(false);
    expect(cells.words).toEqual(before);
    expect(writePayload(cells, layout, 0, encodePayload(new Uint8Array(payloadBytesMax(SMALL))))).toBe(true);
  });
});

describe('blocks', () => {
  it('run out with a clear answer, and come back when they are freed', () => {
    const words = [1, 2, 3].map((generation) => pack(RESERVED, generation, 1, 0));
    expect(words.map((word) => takeBlock(cells, layout, 0, word))).toEqual([0, 1, 2]);
    expect(takeBlock(cells, layout, 0, pack(RESERVED, 4, 1, 0))).toBe(NO_BLOCK);
    freeBlock(cells, layout, 0, words[1]!, 1);
    expect(takeBlock(cells, layout, 0, pack(RESERVED, 4, 1, 0))).toBe(1);
  });

  it('are not freed a second time under their next owner', () => {
    const word = pack(RESERVED, 1, 1, 0);
    const block = takeBlock(cells, layout, 0, word);
    freeBlock(cells, layout, 0, word, block);
    takeBlock(cells, layout, 2, pack(RESERVED, 1, 3, 0));
    const taken = [0, 1, 2].map(head);
    freeBlock(cells, layout, 0, word, block);
    freeBlock(cells, layout, 0, word, NO_BLOCK);
    expect([0, 1, 2].map(head)).toEqual(taken);
  });

  it('of flows that have ended change hands when all are in use; those of live flows never do', () => {
    const live = published(1);
    const held = pack(RESERVED, 9, 2, 0);
    expect([1, 2].map(() => takeBlock(cells, layout, 1, held))).toEqual([1, 2]);
    expect(takeBlock(cells, layout, 2, pack(RESERVED, 1, 3, 0))).toBe(NO_BLOCK);
    cells.words[control] = pack(SUCCESS, 1, 1, 0);
    expect(takeBlock(cells, layout, 2, pack(RESERVED, 1, 3, 0))).toBe(0);
    expect(readPayload(cells, layout, 0, live)).toEqual({ kind: 'none', word: cells.words[control] });
  });

  it('that a stalled leader may still be writing to never change hands', () => {
    const stalled = [1, 2, 3].map((generation) => pack(RESERVED, generation, 1, 0));
    for (const word of stalled) takeBlock(cells, layout, 0, word);
    cells.words[control] = pack(SUCCESS, 4, 1, 0);
    expect(takeBlock(cells, layout, 2, pack(RESERVED, 1, 3, 0))).toBe(NO_BLOCK);
  });

  it('are not taken from a reader of an ended flow unnoticed', () => {
    const word = published(1);
    cells.words[control] = pack(SUCCESS, 1, 1, 0);
    const other = pack(RESERVED, 1, 3, 0);
    takeBlock(cells, layout, 1, other);
    takeBlock(cells, layout, 1, other);
    // PREF, LEN, the first word, and then the block changes hands under the reader.
    cells.between.set(cells.accesses + 4, () => {
      const block = takeBlock(cells, layout, 2, other);
      writePayload(cells, layout, block, encodePayload(Uint8Array.of(6, 6, 6)));
    });
    expect(readPayload(cells, layout, 0, word).kind).toBe('none');
  });

  it('do not run out over many generations of one key, whichever way each ends', () => {
    for (let generation = 1; generation <= 40; generation++) {
      const word = published(generation);
      expect(stateOf(word)).toBe(PENDING);
      cells.words[control] = pack(CANCELLED, generation, 1, 0);
      if (generation % 3 === 0) expect(purge(cells, layout, 0, cells.words[control]!, 5000, 1200)).toBe(true);
    }
    const inUse = [0, 1, 2].filter((block) => head(block) !== BLOCK_FREE);
    expect(inUse).toHaveLength(1);
  });
});

describe('publish', () => {
  it('by a leader that was taken over before it linked is refused, and its block is free again', () => {
    const stalled = reserve(1);
    const block = takeBlock(cells, layout, 0, stalled);
    const word = published(2, Uint8Array.of(9));
    expect(publish(cells, layout, 0, stalled, block, 40)).toBeNull();
    expect(cells.words[control]).toBe(word);
    expect(head(block)).toBe(BLOCK_FREE);
    const read = readPayload(cells, layout, 0, word);
    expect(read.kind === 'read' && decodePayload(read.payload)).toEqual(Uint8Array.of(9));
  });

  it('by a leader that was taken over after it linked is refused, and the newer payload replaces its own', () => {
    const stalled = reserve(1);
    const block = takeBlock(cells, layout, 0, stalled);
    // load PREF, exchange PREF, then somebody takes over, then the tick and the exchange of CTL.
    cells.between.set(cells.accesses + 3, () => reserve(2, 3));
    expect(publish(cells, layout, 0, stalled, block, 40)).toBeNull();
    expect(ref()).toBe(packPayloadRef(1, block));
    expect(head(block)).toBe(BLOCK_FREE);
    const word = published(2, Uint8Array.of(9));
    expect(readPayload(cells, layout, 0, word).kind).toBe('read');
  });

  it('links across the wrap of the generation', () => {
    published(GENERATION_MASK);
    const word = published(0, Uint8Array.of(4));
    const read = readPayload(cells, layout, 0, word);
    expect(read.kind === 'read' && decodePayload(read.payload)).toEqual(Uint8Array.of(4));
  });
});

describe('purge', () => {
  it('waits for the end of the retention, then leaves the generation and frees its block', () => {
    published(1);
    const ended = (cells.words[control] = pack(SUCCESS, 1, 1, 100));
    expect(purge(cells, layout, 0, ended, 1299, 1200)).toBe(false);
    expect(purge(cells, layout, 0, ended, 1300, 1200)).toBe(true);
    expect([stateOf(cells.words[control]!), generationOf(cells.words[control]!)]).toEqual([IDLE, 1]);
    expect([0, 1, 2].map(head)).toEqual([BLOCK_FREE, BLOCK_FREE, BLOCK_FREE]);
  });

  it('leaves live flows and newer generations alone', () => {
    const live = published(1);
    expect(purge(cells, layout, 0, live, 90_000, 1200)).toBe(false);
    const ended = (cells.words[control] = pack(SUCCESS, 1, 1, 100));
    reserve(2);
    expect(purge(cells, layout, 0, ended, 1300, 1200)).toBe(false);
    expect(generationOf(cells.words[control]!)).toBe(2);
  });

  it('that is late does not take away the payload of the next flow', () => {
    published(1);
    const ended = (cells.words[control] = pack(SUCCESS, 1, 1, 100));
    let next = 0n;
    cells.between.set(cells.accesses + 3, () => (next = published(2, Uint8Array.of(7))));
    expect(purge(cells, layout, 0, ended, 1300, 1200)).toBe(true);
    expect(readPayload(cells, layout, 0, next).kind).toBe('read');
  });

  it('does not free a block that belongs to another slot by now', () => {
    published(1);
    cells.words[blockAddress(layout, 0)] = packBlockHead(2, 1, 1);
    const ended = (cells.words[control] = pack(SUCCESS, 1, 1, 100));
    purge(cells, layout, 0, ended, 1300, 1200);
    expect(head(0)).toBe(packBlockHead(2, 1, 1));
  });
});
