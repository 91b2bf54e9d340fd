import { COMMITTING, PENDING, RESERVED } from '../../gateway/flight/control-word.ts';
import { start, startPayload, type Scenario } from './scenario.ts';

const reap = (thread: number) => ({ does: 'reap', thread }) as const;
const bound = { keys: 1, bound: true } as const;

export const death: readonly Scenario[] = [
  {
    name: 'crash-2',
    title: 'one of two starts dies at any step, and is reaped',
    plan: { ...bound, threads: [start, start, reap(0)] },
    crashEverywhere: 0,
  },
  {
    name: 'crash-3',
    title: 'one of three starts dies at any step, and is reaped',
    plan: { ...bound, threads: [start, start, start, reap(0)] },
    crashEverywhere: 0,
    long: true,
  },
  {
    name: 'crash-clock',
    title: 'one of two starts dies at any step while its lease runs out, and is reaped',
    plan: { ...bound, threads: [start, start, { does: 'clock', to: [106] }, reap(0)] },
    crashEverywhere: 0,
    long: true,
  },
  {
    name: 'crash-bind',
    title: 'a thread dies at any step of the first start ever, payload included, and is reaped',
    plan: { keys: 1, blocks: 1, threads: [startPayload, startPayload, reap(0)] },
    crashEverywhere: 0,
    long: true,
  },
  {
    name: 'crash-unreaped',
    title: 'a thread dies at any step and nobody reaps it: leases alone must do',
    plan: { ...bound, threads: [start, start] },
    crashEverywhere: 0,
  },
  {
    name: 'crash-untimed',
    title: 'a thread dies at any step and the other has no timer: the reaper must wake it',
    plan: { ...bound, untimed: true, threads: [start, start, reap(0)] },
    crashEverywhere: 0,
  },
  {
    name: 'crash-commit',
    title: 'a leader dies at any step of polling, committing and persisting, under a cancel',
    plan: {
      keys: 1,
      presets: [{ key: 0, state: PENDING, generation: 1, owner: 0, deadline: 150 }],
      threads: [{ does: 'complete', key: 0 }, { does: 'cancel', key: 0, generation: 1 }, reap(0)],
    },
    crashEverywhere: 0,
  },
  {
    name: 'reap-takeover',
    title: "a reaper meets a takeover of the dead thread's reservation",
    plan: {
      keys: 1,
      presets: [{ key: 0, state: RESERVED, generation: 1, owner: 0, deadline: 98 }],
      threads: [{ does: 'view', key: 0, generation: 1 }, start, reap(0)],
      crash: { thread: 0, at: 0 },
    },
  },
  {
    name: 'reap-sweep',
    title: 'a reaper, a sweeper and a start meet at a flow that has run out and whose leader is dead',
    plan: {
      keys: 1,
      blocks: 2,
      presets: [{ key: 0, state: PENDING, generation: 1, owner: 0, deadline: 98, payload: true }],
      threads: [{ does: 'nudge', key: 0 }, startPayload, { does: 'sweep' }, reap(0)],
      crash: { thread: 0, at: 0 },
    },
  },
  {
    name: 'reap-twice',
    title: 'a death is reported twice while a newcomer takes the record over',
    plan: {
      ...bound,
      records: 8,
      threads: [start, reap(0), reap(0), { does: 'enrol', key: 0 }],
      crash: { thread: 0, at: 6 },
    },
  },
  {
    name: 'reap-family',
    title: 'a thread dies, and its child held a reservation, a flow and a commit',
    plan: {
      keys: 3,
      slots: 4,
      parents: { 3: 0 },
      records: 4,
      presets: [
        { key: 0, state: RESERVED, generation: 1, owner: 3, deadline: 150 },
        { key: 1, state: PENDING, generation: 1, owner: 3, deadline: 150 },
        { key: 2, state: COMMITTING, generation: 1, owner: 3, deadline: 150 },
      ],
      threads: [{ does: 'nudge', key: 0 }, reap(0), start],
      crash: { thread: 0, at: 0 },
    },
  },
  {
    name: 'reaper-dies',
    title: 'the reaper of a dead thread dies at any step, and is reaped by its own parent',
    plan: {
      keys: 1,
      blocks: 1,
      parents: { 3: 0 },
      records: 4,
      presets: [{ key: 0, state: PENDING, generation: 1, owner: 3, deadline: 150, payload: true }],
      threads: [{ does: 'reap', thread: 3, gone: true }, reap(0), start],
    },
    crashEverywhere: 0,
  },
];
