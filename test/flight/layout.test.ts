import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { COUNTERS, counterAddress } from '../../gateway/flight/counters.ts';
import {
  BLOCK_HEAD_WORDS,
  blockAddress,
  controlAddress,
  EPOCH,
  headGeneration,
  headOwner,
  headSlot,
  HEADER_WORDS,
  historyAddress,
  k1Address,
  k2Address,
  layoutOf,
  MAGIC,
  nameOf,
  NO_BLOCK,
  packBlockHead,
  packPayloadRef,
  payloadBytesMax,
  payloadRefAddress,
  refBlock,
  refGeneration,
  threadAddress,
} from '../../gateway/flight/layout.ts';
import { createBuffer, layoutOfBuffer } from '../../gateway/flight/real-cells.ts';

const SHAPE = { slots: 8, threads: 5, blocks: 3, blockWords: 7 };

describe('layout', () => {
  it('gives every word one meaning only', () => {
    const layout = layoutOf(SHAPE);
    const addresses: number[] = [MAGIC, EPOCH, ...COUNTERS.map(counterAddress)];
    for (let thread = 0; thread < layout.threads; thread++) addresses.push(threadAddress(layout, thread));
    for (let slot = 0; slot < layout.slots; slot++) {
      addresses.push(k1Address(layout, slot), k2Address(layout, slot), controlAddress(layout, slot));
      addresses.push(payloadRefAddress(layout, slot));
      for (let generation = 0; generation < 4; generation++)
        addresses.push(historyAddress(layout, slot, generation));
    }
    for (let block = 0; block < layout.blocks; block++) {
      for (let word = 0; word < layout.blockWords; word++) addresses.push(blockAddress(layout, block) + word);
    }
    expect(new Set(addresses).size).toBe(addresses.length);
    expect(Math.max(...addresses)).toBe(layout.words - 1);
    expect(new Set(addresses.map((address) => nameOf(layout, address))).size).toBe(addresses.length);
  });

  it('keeps every counter inside the header', () => {
    for (const counter of COUNTERS) expect(counterAddress(counter)).toBeLessThan(HEADER_WORDS);
  });

  it('names addresses for traces', () => {
    const layout = layoutOf(SHAPE);
    expect(nameOf(layout, controlAddress(layout, 3))).toBe('CTL[3]');
    expect(nameOf(layout, historyAddress(layout, 3, 6))).toBe('H2[3]');
    expect(nameOf(layout, blockAddress(layout, 1))).toBe('BH[1]');
    expect(nameOf(layout, blockAddress(layout, 1) + BLOCK_HEAD_WORDS)).toBe('D0[1]');
    expect(nameOf(layout, threadAddress(layout, 4))).toBe('THREAD[4]');
    expect(nameOf(layout, layout.words)).toBe(`?[${layout.words}]`);
  });

  it('puts each slot on a cache line of its own', () => {
    const layout = layoutOf({ ...SHAPE, threads: 3 });
    for (let slot = 0; slot < layout.slots; slot++) expect(k1Address(layout, slot) % 8).toBe(0);
  });

  it.each([
    ['slots', { ...SHAPE, slots: 6 }],
    ['slots', { ...SHAPE, slots: 0 }],
    ['threads', { ...SHAPE, threads: 4096 }],
    ['blocks', { ...SHAPE, blocks: -1 }],
    ['blockWords', { ...SHAPE, blockWords: 2 }],
  ])('refuses a shape whose %s cannot be addressed', (name, shape) => {
    expect(() => layoutOf(shape)).toThrow(new RegExp(`flight table: ${name}`));
  });

  it('round-trips payload references and block heads', () => {
    const generation = fc.integer({ min: 0, max: 0x1ffffff });
    fc.assert(
      fc.property(generation, fc.integer({ min: NO_BLOCK, max: 0xfffffd }), (g, block) => {
        const ref = packPayloadRef(g, block);
        expect([refGeneration(ref), refBlock(ref)]).toEqual([g, block]);
      }),
    );
    fc.assert(
      fc.property(
        fc.integer({ min: 0, max: 0x7fffff }),
        generation,
        fc.integer({ min: 0, max: 4095 }),
        (s, g, t) => {
          const head = packBlockHead(s, g, t);
          expect([headSlot(head), headGeneration(head), headOwner(head)]).toEqual([s, g, t]);
          expect(head).not.toBe(0n);
        },
      ),
    );
  });

  it('a block of 128 words holds 1008 bytes', () => {
    expect(payloadBytesMax({ ...SHAPE, blockWords: 128 })).toBe(1008);
  });

  it('is read back from the memory that was made with it', () => {
    const buffer = createBuffer(SHAPE);
    expect(layoutOfBuffer(buffer)).toEqual(layoutOf(SHAPE));
  });

  it('refuses memory that is not a table, or not this one', () => {
    expect(() => layoutOfBuffer(new SharedArrayBuffer(4096))).toThrow(/not a table/);
    const foreign = new SharedArrayBuffer(createBuffer(SHAPE).byteLength + 64);
    new Uint8Array(foreign).set(new Uint8Array(createBuffer(SHAPE)));
    expect(() => layoutOfBuffer(foreign)).toThrow(/another size/);
  });
});
