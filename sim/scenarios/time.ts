import { EXPIRED, FAILED, PENDING, SUCCESS } from '../../gateway/flight/control-word.ts';
import { start, startPayload, type Scenario } from './scenario.ts';

const pastLease = { does: 'clock', to: [106] } as const;
const sweep = { does: 'sweep' } as const;
const bound = { keys: 1, bound: true } as const;

export const time: readonly Scenario[] = [
  {
    name: 'slow-leader-2',
    title: 'the lease of the leader runs out at any moment, and the other start takes over',
    plan: { ...bound, threads: [start, start, pastLease] },
  },
  {
    name: 'slow-leader-payload',
    title: 'the same, with the payloads of the two leaders',
    plan: { ...bound, blocks: 2, threads: [startPayload, startPayload, pastLease] },
  },
  {
    name: 'slow-leader-3',
    title: 'three starts, and the lease runs out at any moment',
    plan: { ...bound, threads: [start, start, start, pastLease] },
    long: true,
  },
  {
    name: 'two-takeovers',
    title: 'two leases in a row run out',
    plan: { ...bound, mayWait: true, threads: [start, start, { does: 'clock', to: [106, 112] }] },
  },
  {
    name: 'two-takeovers-payload',
    title: 'two leases in a row run out, with the payloads of all leaders',
    plan: {
      ...bound,
      blocks: 3,
      mayWait: true,
      threads: [startPayload, startPayload, { does: 'clock', to: [106, 112] }],
    },
    long: true,
  },
  {
    name: 'slow-provider',
    title: 'the provider answers after the takeover, or fails, or never answers',
    plan: {
      ...bound,
      threads: [
        { ...start, provider: ['ok', 'slow', 'fail', 'silent'] },
        { ...start, provider: ['ok', 'fail'] },
      ],
    },
  },
  {
    name: 'slow-failure',
    title: 'the provider refuses a leader that has lost its lease',
    plan: { ...bound, threads: [{ ...start, provider: ['fail'] }, start, pastLease] },
  },
  {
    name: 'expire-start',
    title: 'a flow has run out when two starts and a poll arrive',
    plan: {
      keys: 1,
      presets: [{ key: 0, state: PENDING, generation: 3, owner: 7, deadline: 90 }],
      threads: [start, start, { does: 'view', key: 0, generation: 3 }],
    },
  },
  {
    name: 'purge-start',
    title: 'an ended flow has been kept long enough when two starts and the sweeper arrive',
    plan: {
      keys: 1,
      presets: [{ key: 0, state: SUCCESS, generation: 3, owner: 7, deadline: 80 }],
      threads: [start, start, sweep],
    },
  },
  {
    name: 'purge-payload',
    title: 'the sweeper frees the payload of an ended flow while its successor is made and read',
    plan: {
      keys: 1,
      blocks: 2,
      presets: [{ key: 0, state: EXPIRED, generation: 3, owner: 7, deadline: 80, payload: true }],
      threads: [startPayload, startPayload, sweep],
    },
  },
  {
    name: 'recycle-block',
    title: 'a joiner reads a payload while its flow is cancelled and its only block goes to another key',
    plan: {
      keys: 2,
      slots: 2,
      blocks: 1,
      bound: true,
      hasty: 1,
      mayRefuse: true,
      presets: [{ key: 0, state: PENDING, generation: 3, owner: 7, deadline: 102, payload: true }],
      threads: [startPayload, { does: 'clock', to: [103, 130] }, sweep, { ...startPayload, key: 1 }],
    },
    long: true,
  },
  {
    name: 'cancel-purge-start',
    title: 'a flow is cancelled, purged and started again while its payload is read',
    plan: {
      keys: 1,
      blocks: 2,
      presets: [{ key: 0, state: PENDING, generation: 3, owner: 7, deadline: 120, payload: true }],
      threads: [startPayload, { does: 'cancel', key: 0, generation: 3 }, sweep, { does: 'clock', to: [115] }],
    },
  },
  {
    name: 'sweep-2',
    title: 'two sweepers and a start meet at a flow that has run out',
    plan: {
      keys: 1,
      presets: [{ key: 0, state: PENDING, generation: 3, owner: 7, deadline: 90 }],
      threads: [start, sweep, sweep],
    },
  },
  {
    name: 'clock-adversary',
    title: 'the clock jumps ahead, back, and ahead again under two starts',
    plan: { ...bound, anyClock: true, threads: [start, start, { does: 'clock', to: [104, 0, 109] }] },
  },
  {
    name: 'clock-adversary-payload',
    title: 'the clock jumps while a flow has payloads, a cancel and a sweeper',
    plan: {
      keys: 1,
      blocks: 2,
      anyClock: true,
      presets: [{ key: 0, state: PENDING, generation: 3, owner: 7, deadline: 110, payload: true }],
      threads: [startPayload, { does: 'cancel', key: 0, generation: 3 }, { does: 'clock', to: [130, 0] }],
    },
  },
  {
    name: 'deadline-wrap',
    title: 'the 24 bits of the clock wrap while a lease runs',
    plan: { ...bound, now: 0xfffffe, threads: [start, start, { does: 'clock', to: [0x1000004] }] },
  },
  {
    name: 'lease-across-wrap',
    title: 'a lease taken just before the clock wraps is not over',
    plan: { ...bound, now: 0xfffffe, creations: { 0: 1 }, threads: [start, start] },
  },
  {
    name: 'deadline-before-wrap',
    title: 'a flow made just before the clock wraps is still live just after',
    plan: {
      keys: 1,
      now: 0x1000001,
      creations: { 0: 0 },
      presets: [{ key: 0, state: PENDING, generation: 1, owner: 7, deadline: 0x00000a }],
      threads: [start, start],
    },
  },
  {
    name: 'generation-wrap',
    title: 'the 25 bits of the generation wrap, with payloads',
    plan: {
      keys: 1,
      blocks: 2,
      presets: [{ key: 0, state: EXPIRED, generation: 0x1ffffff, owner: 7, deadline: 99, payload: true }],
      threads: [startPayload, startPayload],
    },
  },
  {
    name: 'cool-down',
    title: 'a failure is cooling down when two starts arrive, and then no longer',
    plan: {
      keys: 1,
      presets: [{ key: 0, state: FAILED, generation: 3, owner: 64, deadline: 102 }],
      threads: [start, start, { does: 'clock', to: [103] }],
    },
  },
];
