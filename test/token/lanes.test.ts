import { expect, test } from 'vitest';
import { Lanes } from '../../gateway/token/lanes.ts';
import type { Lineage } from '../../gateway/token/lineage.ts';
import type { LaneName, Pending } from '../../gateway/token/pending.ts';
import { makeProfile } from './tokens.ts';

const present: Lineage = { profile: makeProfile([]) };
const former: Lineage = { profile: makeProfile([]) };

function pending(token: string, lane: LaneName = 'fresh', sinceMs = 0, lineage = present): Pending {
  return {
    token,
    lineage,
    lane,
    sinceMs,
    sentMs: 0,
    batchTokens: 0,
    peerAddress: null,
    algorithm: 'EdDSA',
    waiters: new Set(),
    state: 'queued',
    rejudged: false,
  };
}

/** Takes a batch as the verifier does. */
function taken(lanes: Lanes, count: number): string[] {
  const batch = lanes.take(count);
  for (const sent of batch) sent.state = 'sent';
  return batch.map(({ token }) => token);
}

function filled(fresh: number, suspect: number): Lanes {
  const lanes = new Lanes(1000, 1000);
  for (let i = 0; i < fresh; i += 1) lanes.push(pending(`f${i}`));
  for (let i = 0; i < suspect; i += 1) lanes.push(pending(`s${i}`, 'suspect'));
  return lanes;
}

const suspectsIn = (batch: readonly string[]): number =>
  batch.filter((token) => token.startsWith('s')).length;

test('D1: while others wait, suspects get a quarter of what is sent, in small batches too', () => {
  for (const [size, batches] of [
    [64, 4],
    [8, 32],
    [3, 80],
    [1, 240],
  ] as const) {
    const lanes = filled(1000, 1000);
    const sent = Array.from({ length: batches }, () => taken(lanes, size)).flat();
    expect(sent).toHaveLength(size * batches);
    expect(suspectsIn(sent)).toBe(sent.length / 4);
  }
});

test('suspects get everything when nobody else waits, and then nothing for what they did not ask for before', () => {
  const lanes = filled(2, 10);
  expect(suspectsIn(taken(lanes, 8))).toBe(6);
  expect(suspectsIn(taken(lanes, 8))).toBe(4);
  for (let i = 0; i < 100; i += 1) lanes.push(pending('f'));
  for (let i = 0; i < 5; i += 1) taken(lanes, 8);
  for (let i = 0; i < 100; i += 1) lanes.push(pending('s', 'suspect'));
  expect(suspectsIn(taken(lanes, 8))).toBe(2);
});

test('tokens leave in the order in which they came, and a token that is put back stays in front', () => {
  const lanes = filled(3, 0);
  const [first] = lanes.take(1);
  first!.state = 'parked';
  lanes.pushAgain(first!);
  expect(taken(lanes, 9)).toEqual(['f0', 'f1', 'f2']);
  lanes.pushAgain(first!);
  expect([lanes.length, taken(lanes, 9)]).toEqual([1, ['f0']]);
});

test('V3: a batch is of one lineage, the older one first', () => {
  const lanes = new Lanes(10, 10);
  for (const [token, lane, lineage] of [
    ['a', 'fresh', former],
    ['b', 'suspect', present],
    ['c', 'fresh', present],
    ['d', 'suspect', present],
  ] as const) {
    lanes.push(pending(token, lane, 0, lineage));
  }
  expect(taken(lanes, 9)).toEqual(['a']);
  expect(taken(lanes, 9)).toEqual(['c', 'b', 'd']);
});

test('what has waited too long is found in both lanes, and only that', () => {
  const lanes = new Lanes(10, 10);
  for (const [token, lane, sinceMs] of [
    ['a', 'fresh', 5],
    ['b', 'fresh', 20],
    ['c', 'suspect', 7],
  ] as const)
    lanes.push(pending(token, lane, sinceMs));
  const late: string[] = [];
  for (let found = lanes.expired(10); found !== undefined; found = lanes.expired(10)) {
    found.state = 'settled';
    late.push(found.token);
  }
  expect(late).toEqual(['a', 'c']);
  expect([lanes.length, lanes.lengthOf('fresh')]).toEqual([1, 1]);
});

test('tokens that were withdrawn take no room, however many they are', () => {
  const lanes = new Lanes(2, 2);
  const stays = pending('stays');
  lanes.push(stays);
  for (let i = 0; i < 5000; i += 1) {
    const gone = pending('gone');
    expect(lanes.push(gone)).toBe(true);
    lanes.forget(gone);
    gone.state = 'settled';
  }
  expect(lanes.push(pending('last'))).toBe(true);
  expect(lanes.push(pending('full'))).toBe(false);
  expect(taken(lanes, 9)).toEqual(['stays', 'last']);
});
