import { beforeEach, describe, expect, it } from 'vitest';
import type { Context } from '../../gateway/flight/context.ts';
import {
  CANCELLED,
  FAILED,
  generationOf,
  ownerOf,
  pack,
  PENDING,
  RESERVED,
  stateOf,
  SUCCESS,
} from '../../gateway/flight/control-word.ts';
import type { Created } from '../../gateway/flight/effects.ts';
import { FAILURES } from '../../gateway/flight/failure.ts';
import { blockAddress, BLOCK_FREE, controlAddress } from '../../gateway/flight/layout.ts';
import type { Start } from '../../gateway/flight/outcome.ts';
import { encodePayload } from '../../gateway/flight/payload.ts';
import { RETRIES_MAX, start } from '../../gateway/flight/start.ts';
import type { PlainCells } from './plain-cells.ts';
import { context as newContext, play, TERMS } from './play.ts';

const SLOT = 1;
const request: Start = {
  digest: { high: 5n, low: 6n },
  payload: true,
  until: 'published',
  waitTicks: 40,
  leases: 1,
};
const payload = encodePayload(Uint8Array.of(1, 2, 3));
const created: Created = { kind: 'created', payload, flowTicks: 3600 };
const nothing = (): undefined => undefined;

let cells: PlainCells;
let context: Context;
let control: number;
const word = (): bigint => cells.words[control]!;
const put = (...fields: Parameters<typeof pack>): bigint => (cells.words[control] = pack(...fields));
const blocksInUse = (): number =>
  [0, 1, 2].filter((block) => cells.words[blockAddress(context.layout, block)] !== BLOCK_FREE).length;

beforeEach(() => {
  ({ cells, context } = newContext());
  control = controlAddress(context.layout, SLOT);
});

describe('a start that leads', () => {
  it('creates once, publishes, and spawns the one who follows the flow', () => {
    const played = play(start(context, request), cells, { create: () => created, spawn: () => true });
    expect(played.outcome).toEqual({ kind: 'led', hold: { slot: SLOT, word: word() }, payload });
    expect(played.asked).toEqual(['create', 'spawn']);
    expect(played.counted).toEqual(['claims', 'published']);
    expect([stateOf(word()), generationOf(word()), ownerOf(word())]).toEqual([PENDING, 1, 1]);
  });

  it('has given up at the provider before anyone may take over', () => {
    const asked: number[] = [];
    play(start(context, request), cells, {
      create: (effect) => {
        asked.push(effect.timeoutMs);
        expect(effect.last).toBe(true);
        return created;
      },
      spawn: () => true,
    });
    expect(asked).toEqual([(TERMS.reserveTicks - TERMS.marginTicks) * 250]);
  });

  it('renews its lease for a call that takes several, and publishes under the last', () => {
    const slices: [number, boolean, bigint][] = [];
    const played = play(start(context, { ...request, leases: 3 }), cells, {
      create: ({ slice, last, hold }) => {
        slices.push([slice, last, hold.word]);
        cells.now += 100;
        return slice < 2 ? { kind: 'running' } : created;
      },
      spawn: () => true,
    });
    expect(played.outcome.kind).toBe('led');
    expect(slices.map(([slice, last]) => [slice, last])).toEqual([
      [0, false],
      [1, false],
      [2, true],
    ]);
    expect(new Set(slices.map(([, , held]) => held)).size).toBe(3);
  });

  it('drops the call when it could not renew, and joins whoever took over', () => {
    const played = play(start(context, { ...request, leases: 2 }), cells, {
      create: () => {
        put(PENDING, 2, 3, 4000);
        return { kind: 'running' };
      },
      discard: nothing,
    });
    expect(played.asked).toEqual(['create', 'discard']);
    expect(played.outcome).toMatchObject({ kind: 'joined', hold: { word: pack(PENDING, 2, 3, 4000) } });
    expect(blocksInUse()).toBe(0);
  });

  it('shares the failure of the provider for its cool-down, and keeps no block', () => {
    const failed: Created = { kind: 'failed', code: 77, coolDownTicks: 20 };
    const played = play(start(context, request), cells, { create: () => failed });
    expect(played.outcome).toEqual({ kind: 'failed', slot: SLOT, generation: 1, code: 77, shared: false });
    expect(word()).toBe(pack(FAILED, 1, 77, 20));
    expect(blocksInUse()).toBe(0);
    const second = play(start(context, request), cells, {});
    expect(second.outcome).toEqual({ kind: 'failed', slot: SLOT, generation: 1, code: 77, shared: true });
  });

  it('rolls back when the one who follows the flow cannot be spawned', () => {
    const played = play(start(context, request), cells, {
      create: () => created,
      spawn: () => false,
      discard: nothing,
    });
    expect(played.outcome).toMatchObject({ kind: 'failed', code: FAILURES['spawn-failed'] });
    expect(played.asked).toEqual(['create', 'spawn', 'discard']);
    expect(stateOf(word())).toBe(FAILED);
  });

  it('asks the provider for nothing when no payload block is free', () => {
    for (let block = 0; block < 3; block++) cells.words[blockAddress(context.layout, block)] = 1n;
    const played = play(start(context, request), cells, {});
    expect(played.outcome).toMatchObject({ kind: 'failed', code: FAILURES['no-payload-block'] });
    expect(played.counted).toContain('blocks_exhausted');
    expect(stateOf(word())).toBe(FAILED);
  });

  it('fails with its own code when the payload does not fit, and keeps no block', () => {
    const long = encodePayload(new Uint8Array(100));
    const played = play(start(context, request), cells, {
      create: () => ({ kind: 'created', payload: long, flowTicks: 10 }),
      discard: nothing,
    });
    expect(played.outcome).toMatchObject({ kind: 'failed', code: FAILURES['payload-oversized'] });
    expect(played.counted).toContain('oversized');
    expect(blocksInUse()).toBe(0);
  });

  it('that stalled past its lease discards its flow and joins the newer one', () => {
    const played = play(start(context, request), cells, {
      create: () => {
        put(PENDING, 2, 3, 4000);
        return created;
      },
      discard: nothing,
    });
    expect(played.outcome).toMatchObject({ kind: 'joined', hold: { word: pack(PENDING, 2, 3, 4000) } });
    expect(played.counted).toContain('fenced');
    expect(played.asked).toEqual(['create', 'discard']);
    expect(blocksInUse()).toBe(0);
  });

  it('takes over from a leader past its lease, under a newer generation', () => {
    put(RESERVED, 4, 3, 10);
    cells.now = 10;
    const played = play(start(context, request), cells, { create: () => created, spawn: () => true });
    expect(played.counted).toEqual(['claims', 'takeovers', 'published']);
    expect(generationOf(word())).toBe(5);
  });

  it('until the end of its flow answers with that end, as its leader', () => {
    const played = play(start(context, { ...request, until: 'settled' }), cells, {
      create: () => created,
      spawn: () => true,
      waitSlot: () => put(SUCCESS, 1, 1, 0),
    });
    expect(played.outcome).toMatchObject({ kind: 'led', hold: { word: pack(SUCCESS, 1, 1, 0) }, payload });
  });
});

describe('a start that finds a leader', () => {
  const lead = (): void => {
    play(start({ ...context, me: 3 }, request), cells, { create: () => created, spawn: () => true });
  };

  it('joins a published flow with its payload and creates nothing', () => {
    lead();
    const played = play(start(context, request), cells, {});
    expect(played.outcome).toEqual({ kind: 'joined', hold: { slot: SLOT, word: word() }, payload });
    expect(played.counted).toEqual(['joins']);
  });

  it('sleeps on the word it saw until the flow is published', () => {
    const reserved = put(RESERVED, 1, 3, 100);
    const played = play(start(context, request), cells, {
      waitSlot: (effect) => {
        expect([effect.address, effect.word, effect.timeoutMs]).toEqual([control, reserved, 250]);
        put(PENDING, 1, 3, 4000);
      },
    });
    expect(played.outcome).toMatchObject({ kind: 'joined', payload: null });
  });

  it('shares the failure of the leader it waited for, also after the cool-down', () => {
    put(RESERVED, 1, 3, 100);
    const played = play(start(context, request), cells, {
      waitSlot: () => {
        put(FAILED, 1, 77, 1);
        cells.now = 39;
      },
    });
    expect(played.outcome).toEqual({ kind: 'failed', slot: SLOT, generation: 1, code: 77, shared: true });
    expect(played.counted).toEqual(['shared_failures']);
  });

  it('leads itself when the leader it waited for died', () => {
    put(RESERVED, 1, 3, 100);
    const played = play(start(context, request), cells, {
      waitSlot: () => put(FAILED, 1, FAILURES['owner-died'], 0),
      create: () => created,
      spawn: () => true,
    });
    expect(played.outcome.kind).toBe('led');
  });

  it('answers with a flow that was cancelled while it waited', () => {
    put(RESERVED, 1, 3, 100);
    const played = play(start(context, request), cells, { waitSlot: () => put(CANCELLED, 1, 3, 0) });
    expect(played.outcome).toMatchObject({ kind: 'joined', hold: { word: pack(CANCELLED, 1, 3, 0) } });
  });

  it('gives up at its deadline', () => {
    put(RESERVED, 1, 3, 1000);
    const played = play(start(context, request), cells, { waitSlot: () => void (cells.now += 1) });
    expect(played.outcome).toEqual({ kind: 'waited-out' });
    expect(played.asked).toHaveLength(request.waitTicks);
  });

  it('gives up even if the clock stands still', () => {
    put(RESERVED, 1, 3, 1000);
    const played = play(start(context, request), cells, { waitSlot: nothing });
    expect(played.outcome).toEqual({ kind: 'contended' });
  });

  it('expires a flow past its deadline and starts the next', () => {
    lead();
    cells.now = 3600;
    const played = play(start(context, request), cells, { create: () => created, spawn: () => true });
    expect(played.outcome.kind).toBe('led');
    expect(played.counted).toEqual(['expiries', 'retries', 'claims', 'published']);
    expect(generationOf(word())).toBe(2);
  });

  it('looks again when the flow went on while it read the payload', () => {
    lead();
    // bind: two loads; tryStart: load, tick; read: PREF, LEN, one word, and then the re-check
    cells.between.set(cells.accesses + 8, () => put(PENDING, 2, 3, 4000));
    const played = play(start(context, request), cells, {});
    expect(played.outcome).toMatchObject({ kind: 'joined', hold: { word: pack(PENDING, 2, 3, 4000) } });
    expect(played.counted).toEqual(['retries', 'joins']);
  });

  it('until the end waits for the end of a published flow too', () => {
    lead();
    const played = play(start(context, { ...request, until: 'settled' }), cells, {
      waitSlot: () => put(SUCCESS, 1, 3, 0),
    });
    expect(played.outcome).toMatchObject({ kind: 'joined', hold: { word: pack(SUCCESS, 1, 3, 0) } });
  });
});

describe('a start that cannot be served', () => {
  it('is refused when the table is full, and never creates', () => {
    for (const high of [1n, 2n, 3n, 4n]) {
      const digest = { high, low: 1n };
      play(start(context, { ...request, digest, payload: false }), cells, {
        create: () => created,
        spawn: () => true,
      });
    }
    const played = play(start(context, request), cells, {});
    expect(played).toMatchObject({ outcome: { kind: 'full' }, counted: ['full'], asked: [] });
  });

  it('ends when other threads are faster each time', () => {
    let generation = 0;
    const contended = {
      ...context.operations,
      tryStart: () => ({ kind: 'retry', now: ++generation }) as const,
    };
    const played = play(start({ ...context, operations: contended }, request), cells, {});
    expect(played.outcome).toEqual({ kind: 'contended' });
    expect(generation).toBe(RETRIES_MAX + 1);
  });
});
