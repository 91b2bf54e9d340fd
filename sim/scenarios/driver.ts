import { PENDING } from '../../gateway/flight/control-word.ts';
import { start, starts, startPayload, type Scenario } from './scenario.ts';

const bound = { keys: 1, bound: true } as const;
const pending = { key: 0, state: PENDING, generation: 1, owner: 0, deadline: 150 } as const;
const cancel = { does: 'cancel', key: 0, generation: 1 } as const;

export const driver: readonly Scenario[] = [
  {
    name: 'cancel-persist',
    title: 'a cancel arrives while the leader persists what the provider granted',
    plan: { keys: 1, presets: [pending], threads: [{ does: 'complete', key: 0 }, cancel] },
  },
  {
    name: 'cancel-persist-start',
    title: 'a cancel, a persist that may fail, and a new start',
    plan: {
      keys: 1,
      presets: [pending],
      threads: [{ does: 'complete', key: 0, persist: ['ok', 'fail'] }, cancel, start],
    },
  },
  {
    name: 'cancel-expire-persist',
    title: 'a cancel, a poll and the end of its time meet a flow that is being persisted',
    plan: {
      keys: 1,
      presets: [{ ...pending, deadline: 110 }],
      threads: [
        { does: 'complete', key: 0 },
        cancel,
        { does: 'view', key: 0, generation: 1 },
        { does: 'clock', to: [112] },
      ],
    },
  },
  {
    name: 'expire-persist',
    title: 'a flow runs out while its leader persists, and somebody polls',
    plan: {
      keys: 1,
      presets: [pending],
      threads: [
        { does: 'complete', key: 0 },
        { does: 'view', key: 0, generation: 1 },
        { does: 'clock', to: [155] },
      ],
    },
  },
  {
    name: 'commit-lapse',
    title: 'a leader stalls while it persists, and a new start looks again and again',
    plan: {
      keys: 1,
      presets: [pending],
      threads: [
        { does: 'complete', key: 0 },
        { ...start, times: 2 },
        { does: 'clock', to: [110, 120] },
      ],
    },
  },
  {
    name: 'cancel-starting',
    title: 'a cancel of a flow that is only being started',
    plan: { ...bound, realTime: true, threads: [start, cancel] },
  },
  {
    name: 'untimed-2',
    title: 'two starts without timers: the notifies alone must wake',
    plan: { ...bound, untimed: true, creations: { 0: 1 }, threads: starts(2) },
  },
  {
    name: 'untimed-failure',
    title: 'three starts without timers, and the provider refuses or not',
    plan: { ...bound, untimed: true, threads: starts(3, { ...start, provider: ['ok', 'fail'] }) },
  },
  {
    name: 'failure-fan-out',
    title: 'the provider refuses, and all joiners share the refusal',
    plan: { ...bound, creations: { 0: 1 }, threads: starts(3, { ...start, provider: ['fail'] }) },
  },
  {
    name: 'failure-or-flow',
    title: 'the provider refuses or not, for each leader anew',
    plan: { ...bound, threads: starts(2, { ...start, provider: ['ok', 'fail'], times: 2 }) },
    long: true,
  },
  {
    name: 'spawn-failure',
    title: 'the poller of a published flow cannot be started',
    plan: { ...bound, threads: starts(2, { ...start, spawn: [true, false] }) },
  },
  {
    name: 'settled',
    title: 'starts that wait for the end of the flight, as token refreshes do',
    plan: {
      ...bound,
      creations: { 0: 1 },
      threads: starts(2, { ...start, until: 'settled', follow: true }),
      mayWait: true,
    },
  },
  {
    name: 'renewal',
    title: 'a silent provider, its lease renewed twice',
    plan: { ...bound, threads: [{ ...start, provider: ['silent', 'ok'], leases: 3 }, start] },
  },
  {
    name: 'renewal-late',
    title: 'a silent provider, and the lease runs out before it is renewed',
    plan: {
      ...bound,
      mayWait: true,
      threads: [{ ...start, provider: ['silent', 'ok'], leases: 2 }, start, { does: 'clock', to: [106] }],
    },
  },
  {
    name: 'lost-notify',
    title: 'any notify may get lost: the bounded wait must do',
    plan: { ...bound, creations: { 0: 1 }, threads: starts(2, { ...start, losesNotify: true }) },
  },
  {
    name: 'spurious-wake',
    title: 'a wake for no reason, at any moment',
    plan: { ...bound, creations: { 0: 1 }, threads: [start, start, { does: 'nudge', key: 0 }] },
  },
  {
    name: 'hasty-timers',
    title: 'timers that fire at any moment',
    plan: { ...bound, creations: { 0: 1 }, hasty: 1, threads: starts(2) },
  },
  {
    name: 'churn',
    title: 'a thread starts, leads to the end and starts again, while another starts',
    plan: { ...bound, threads: [{ ...start, follow: true, times: 2 }, start] },
  },
  {
    name: 'full-table',
    title: 'two keys and one slot',
    plan: {
      keys: 2,
      slots: 1,
      digests: 'probe',
      mayRefuse: true,
      threads: [start, { ...start, key: 1 }, start],
    },
  },
  {
    name: 'no-block',
    title: 'two keys and one payload block',
    plan: {
      keys: 2,
      slots: 2,
      blocks: 1,
      bound: true,
      mayRefuse: true,
      threads: [startPayload, { ...startPayload, key: 1 }],
    },
  },
  {
    name: 'oversized',
    title: 'a payload that does not fit its block',
    plan: { ...bound, blocks: 1, threads: starts(2, { ...startPayload, provider: ['oversized', 'ok'] }) },
  },
];
