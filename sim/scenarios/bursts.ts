import { PENDING } from '../../gateway/flight/control-word.ts';
import { start, starts, startPayload, type Scenario } from './scenario.ts';

const one = { keys: 1, creations: { 0: 1 } } as const;
const bound = { ...one, bound: true } as const;

export const bursts: readonly Scenario[] = [
  { name: 'burst-2', title: 'two starts of one key', plan: { ...bound, threads: starts(2) } },
  { name: 'burst-3', title: 'three starts of one key', plan: { ...bound, threads: starts(3) } },
  { name: 'burst-4', title: 'four starts of one key', plan: { ...bound, threads: starts(4) } },
  { name: 'burst-5', title: 'five starts of one key', plan: { ...bound, threads: starts(5) }, long: true },
  {
    name: 'burst-25',
    title: 'twenty-five starts of one key',
    plan: { ...bound, threads: starts(25) },
    sampled: 2_000,
  },
  {
    name: 'bind-2',
    title: 'two first starts ever of one key',
    plan: { ...one, slots: 2, threads: starts(2) },
  },
  {
    name: 'bind-3',
    title: 'three first starts ever of one key',
    plan: { ...one, slots: 2, threads: starts(3) },
    long: true,
  },
  {
    name: 'payload-2',
    title: 'two starts, and the joiner reads the payload',
    plan: { ...bound, blocks: 2, threads: starts(2, startPayload) },
  },
  {
    name: 'payload-3',
    title: 'three starts, and the joiners read the payload',
    plan: { ...bound, blocks: 2, threads: starts(3, startPayload) },
  },
  {
    name: 'two-keys',
    title: 'two starts on each of two keys, one payload block each',
    plan: {
      keys: 2,
      slots: 2,
      blocks: 2,
      bound: true,
      creations: { 0: 1, 1: 1 },
      threads: [startPayload, { ...startPayload, key: 1 }, startPayload, { ...startPayload, key: 1 }],
    },
    long: true,
  },
  {
    name: 'three-keys',
    title: 'first starts on three keys with the same home slot',
    plan: {
      keys: 3,
      slots: 4,
      digests: 'probe',
      threads: [start, { ...start, key: 1 }, { ...start, key: 2 }],
    },
  },
  {
    name: 'collide-2',
    title: 'first starts on two keys whose digests share a half',
    plan: { keys: 2, slots: 2, digests: 'collide', threads: [start, { ...start, key: 1 }] },
  },
  {
    name: 'collide-3',
    title: 'two first starts of one key, and one of a key that shares half of its digest',
    plan: { keys: 2, slots: 2, digests: 'collide', threads: [start, { ...start, key: 1 }, start] },
  },
  {
    name: 'history-2',
    title: 'two starts, with the real-time order of their answers',
    plan: { ...bound, realTime: true, threads: starts(2) },
  },
  {
    name: 'history-cancel',
    title: 'two starts and a cancel of the flow under way, with the real-time order of their answers',
    plan: {
      keys: 1,
      realTime: true,
      presets: [{ key: 0, state: PENDING, generation: 1, owner: 7, deadline: 200 }],
      threads: [start, start, { does: 'cancel', key: 0, generation: 1 }],
    },
  },
  {
    name: 'cancel-late',
    title: 'two cancels of one flow and a start, with the real-time order of their answers',
    plan: {
      keys: 1,
      realTime: true,
      presets: [{ key: 0, state: PENDING, generation: 1, owner: 7, deadline: 200 }],
      threads: [start, { does: 'cancel', key: 0, generation: 1 }, { does: 'cancel', key: 0, generation: 1 }],
    },
  },
];
