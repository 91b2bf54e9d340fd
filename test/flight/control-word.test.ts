import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  after,
  deadlineOf,
  describeControl,
  FAILED,
  GENERATION_MASK,
  generationOf,
  newer,
  nextGeneration,
  ownerOf,
  OWNER_MAX,
  pack,
  passed,
  PENDING,
  stateName,
  stateOf,
  TICK_MASK,
  ticksUntil,
} from '../../gateway/flight/control-word.ts';
import type { State } from '../../gateway/flight/control-word.ts';

const states = fc.integer({ min: 0, max: 7 }) as fc.Arbitrary<State>;
const generations = fc.integer({ min: 0, max: GENERATION_MASK });
const owners = fc.integer({ min: 0, max: OWNER_MAX });
const ticks = fc.integer({ min: 0, max: TICK_MASK });

describe('control word', () => {
  it('gives back every field that was packed, the top bit included', () => {
    fc.assert(
      fc.property(states, generations, owners, ticks, (state, generation, owner, deadline) => {
        const word = pack(state, generation, owner, deadline);
        expect([stateOf(word), generationOf(word), ownerOf(word), deadlineOf(word)]).toEqual([
          state,
          generation,
          owner,
          deadline,
        ]);
        expect(BigInt.asIntN(64, word)).toBe(word);
      }),
    );
  });

  it('is different for different fields', () => {
    const field = fc.tuple(states, generations, owners, ticks);
    fc.assert(
      fc.property(field, field, (a, b) => {
        expect(pack(...a) === pack(...b)).toBe(a.every((value, index) => value === b[index]));
      }),
    );
  });

  it('survives memory of signed 64-bit words unchanged', () => {
    const view = new BigInt64Array(1);
    fc.assert(
      fc.property(states, generations, owners, ticks, (...fields) => {
        view[0] = pack(...fields);
        expect(view[0]).toBe(pack(...fields));
      }),
    );
  });

  it('takes generation and deadline modulo their width', () => {
    const word = pack(PENDING, GENERATION_MASK + 1, 3, TICK_MASK + 5);
    expect([generationOf(word), deadlineOf(word), ownerOf(word)]).toEqual([0, 4, 3]);
  });

  it('knows a passed deadline on both sides of the wrap', () => {
    fc.assert(
      fc.property(ticks, fc.integer({ min: 0, max: 0x7fffff }), (now, distance) => {
        expect(passed(after(now, distance), now)).toBe(true);
        expect(passed(now, after(now, distance))).toBe(distance === 0);
        expect(ticksUntil(now, after(now, distance))).toBe(distance);
        expect(ticksUntil(after(now, distance), now)).toBe(0);
      }),
    );
    expect(passed(2, TICK_MASK)).toBe(true);
    expect(passed(TICK_MASK, 2)).toBe(false);
  });

  it('orders generations serially, the wrap included', () => {
    fc.assert(
      fc.property(generations, fc.integer({ min: 1, max: 0xffffff }), (generation, distance) => {
        const later = (generation + distance) & GENERATION_MASK;
        expect(newer(later, generation)).toBe(true);
        expect(newer(generation, later)).toBe(false);
      }),
    );
    expect(newer(5, 5)).toBe(false);
    expect(nextGeneration(GENERATION_MASK)).toBe(0);
    expect(newer(0, GENERATION_MASK)).toBe(true);
  });

  it('describes itself for a trace', () => {
    expect(describeControl(pack(PENDING, 4, 2, 80))).toBe('PENDING g4 t2 dl 80');
    expect(describeControl(pack(FAILED, 4, 3, 88))).toBe('FAILED g4 code 3 dl 88');
    expect(describeControl(0n)).toBe('IDLE g0');
    expect(stateName(pack(PENDING, 1, 1, 1))).toBe('pending');
  });
});
