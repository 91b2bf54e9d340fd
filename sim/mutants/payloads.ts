// Mistakes with payload blocks.

import { after, generationOf, ownerOf, pack, PENDING } from '../../gateway/flight/control-word.ts';
import {
  BLOCK_FREE,
  blockAddress,
  controlAddress,
  historyAddress,
  NO_BLOCK,
  packPayloadRef,
  payloadRefAddress,
  refBlock,
  refGeneration,
} from '../../gateway/flight/layout.ts';
import { operations } from '../../gateway/flight/operations.ts';
import { SECRET } from '../world/world.ts';
import type { Mutant } from './mutant.ts';

export const payloads: readonly Mutant[] = [
  {
    name: 'shared-block',
    title: 'one payload area per slot, whoever leads it',
    scenario: 'slow-leader-payload',
    kills: 'I6',
    operations: { takeBlock: () => 0 },
  },
  {
    name: 'publish-before-payload',
    title: 'move the control word, then link the payload',
    scenario: 'payload-2',
    kills: 'I6',
    operations: {
      publish(cells, layout, slot, word, block, flowTicks) {
        const control = controlAddress(layout, slot);
        const next = pack(PENDING, generationOf(word), ownerOf(word), after(cells.tick(), flowTicks));
        if (cells.compareExchange(control, word, next) !== word) return null;
        cells.notify(control);
        cells.store(payloadRefAddress(layout, slot), packPayloadRef(generationOf(word), block));
        return next;
      },
    },
  },
  {
    name: 'link-by-store',
    title: 'link the payload by a plain store: only the leader does it',
    scenario: 'slow-leader-payload',
    kills: 'I6',
    operations: {
      publish(cells, layout, slot, word, block, flowTicks) {
        const control = controlAddress(layout, slot);
        cells.store(payloadRefAddress(layout, slot), packPayloadRef(generationOf(word), block));
        const next = pack(PENDING, generationOf(word), ownerOf(word), after(cells.tick(), flowTicks));
        if (cells.compareExchange(control, word, next) !== word) {
          operations.freeBlock(cells, layout, slot, word, block);
          return null;
        }
        cells.notify(control);
        return next;
      },
    },
  },
  {
    name: 'plain-generation',
    title: 'compare generations with >',
    scenario: 'generation-wrap',
    kills: 'I12',
    operations: {
      publish(cells, layout, slot, word, block, flowTicks) {
        const ref = cells.load(payloadRefAddress(layout, slot));
        if (ref !== 0n && generationOf(word) <= refGeneration(ref)) {
          operations.freeBlock(cells, layout, slot, word, block);
          return null;
        }
        return operations.publish(cells, layout, slot, word, block, flowTicks);
      },
    },
  },
  {
    name: 'read-unchecked',
    title: 'return what the block held, without looking at the slot again',
    scenario: 'recycle-block',
    kills: 'I6',
    operations: {
      readPayload(cells, layout, slot, word) {
        const block = refBlock(cells.load(payloadRefAddress(layout, slot)));
        if (block === NO_BLOCK) return { kind: 'none', word };
        const address = blockAddress(layout, block);
        const bytes = Number(cells.load(address + 1));
        return { kind: 'read', payload: { bytes, words: [cells.load(address + 2)] }, word };
      },
    },
  },
  {
    name: 'free-twice',
    title: 'free the block by a plain store: it was ours',
    scenario: 'slow-leader-payload',
    kills: 'I6',
    operations: {
      publish(cells, layout, slot, word, block, flowTicks) {
        const published = operations.publish(cells, layout, slot, word, block, flowTicks);
        cells.store(blockAddress(layout, block), BLOCK_FREE);
        return published;
      },
    },
  },
  {
    name: 'secret-in-table',
    title: 'keep the device code beside the flow, so that any thread can poll',
    scenario: 'payload-2',
    kills: 'I15',
    operations: {
      publish(cells, layout, slot, word, ...rest) {
        cells.store(historyAddress(layout, slot, generationOf(word)), SECRET);
        return operations.publish(cells, layout, slot, word, ...rest);
      },
    },
  },
];
