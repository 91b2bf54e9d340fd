import { beforeAll, describe, expect, it } from 'vitest';
import { built } from '../support/built.ts';

import type * as Stress from '../../sim/real/stress.ts';
import type * as Termination from '../../sim/real/termination.ts';
import type * as Burst from '../../sim/real/burst.ts';

let stress: (typeof Stress)['stress'];
let terminate: (typeof Termination)['terminate'];
let burst: (typeof Burst)['burst'];

beforeAll(async () => {
  ({ stress } = (await import(built('sim/real/stress.js'))) as typeof Stress);
  ({ terminate } = (await import(built('sim/real/termination.js'))) as typeof Termination);
  ({ burst } = (await import(built('sim/real/burst.js'))) as typeof Burst);
});

describe('25 starters of one key on 4 real threads', () => {
  it('make one flow in every round, get the same flow and payload, and leave no waiter behind', async () => {
    const rounds = 500;
    const report = await stress({ threads: 4, rounds, starters: 25, table: 'flight', providerMs: 0 });
    expect(report.creations).toEqual({ 1: rounds });
    expect(report.tally).toMatchObject({
      answers: rounds * 25,
      led: rounds,
      joined: rounds * 24,
      refused: 0,
      waiting: 0,
    });
    expect(report.mismatches).toBe(0);
  });

  it('make 25 flows on a table that checks and then inserts', async () => {
    const report = await stress({ threads: 4, rounds: 10, starters: 25, table: 'insert', providerMs: 20 });
    expect(report.creations[25]).toBeGreaterThanOrEqual(1);
    expect(report.mismatches).toBeGreaterThan(0);
  });
});

describe('threads that are ended at random', () => {
  it('wedge no key, leave no second live flow, no block and no record', async () => {
    const report = await terminate({ threads: 3, keys: 8, durationMs: 3000, pauseMsMax: 200, seed: 7 });
    expect(report.killed).toBeGreaterThan(5);
    expect(report.tally).toMatchObject({ secondLive: 0, mismatches: 0, refused: 0, waiting: 0 });
    expect(report.tally.latencyMaxMs).toBeLessThan(report.reservationMs);
    expect(report).toMatchObject({ wedged: [], blocksLeft: 0, seatsLeft: 0 });
    expect(report.counters.orphans).toBeGreaterThan(0n);
    expect(BigInt(report.tally.creations)).toBeLessThanOrEqual(report.counters.claims);
  });
});

describe('a burst over many keys', () => {
  it('makes one call for each key and gives everyone the payload of their key', async () => {
    const report = await burst({ threads: 4, starts: 2000, keys: 50, providerMs: 50, warmups: 1 });
    expect(report).toMatchObject({ creations: 50, wrong: 0, joined: 1950 });
  });
});
