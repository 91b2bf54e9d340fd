// Situations that nobody thought of: plans drawn from a seed. Each seed first draws which kinds of threads and faults
// there are at all (a swarm: Groce et al., ISSTA 2012), then how many of each, so that rare mixtures occur often.

import {
  COMMITTING,
  EXPIRED,
  FAILED,
  PENDING,
  RESERVED,
  SUCCESS,
  TICK_MASK,
} from '../../gateway/flight/control-word.ts';
import { seeded, type Random } from '../engine/random.ts';
import type { Answer, Plan, Preset, ThreadPlan } from '../world/plan.ts';
import type { Scenario } from './scenario.ts';

const ANSWERS: readonly Answer[] = ['ok', 'fail', 'slow', 'silent'];

const EXTRAS = ['cancel', 'view', 'sweep', 'clock', 'nudge'] as const;
type Extra = (typeof EXTRAS)[number];

/** The plan of a seed: two to five threads over one or two keys. */
export function swarmPlan(seed: number): Plan {
  const dice = seeded(seed);
  const oneIn = (n: number): boolean => dice.below(n) === 0;
  const keys = oneIn(3) ? 2 : 1;
  const payload = oneIn(2);
  const answers = ANSWERS.filter((answer) => answer === 'ok' || oneIn(3));
  const kinds = EXTRAS.filter(() => oneIn(2));
  const now = oneIn(6) ? 0xfffffc : 100;
  const presets = oneIn(2) ? [presetOf(dice, payload, now)] : [];
  const generation = presets[0]?.generation ?? 1;
  const start = (): ThreadPlan => ({
    does: 'start',
    key: dice.below(keys),
    payload,
    provider: answers,
    leases: oneIn(4) ? 2 : 1,
    follow: oneIn(3),
    spawn: oneIn(6) ? [true, false] : [true],
  });
  const threads: ThreadPlan[] = [start(), start()];
  const extra = 1 + dice.below(2);
  for (let count = 0; count < extra; count++) {
    const kind = kinds[dice.below(Math.max(1, kinds.length))];
    threads.push(kind === undefined ? start() : threadOf(kind, dice, generation, now));
  }
  const dies = oneIn(3);
  if (dies) threads.push({ does: 'reap', thread: 0 });
  return {
    keys,
    slots: keys,
    blocks: payload ? keys + dice.below(2) : 0,
    bound: oneIn(2),
    presets,
    threads,
    now,
    mayWait: true,
    ...(dies ? { crash: { thread: 0, at: dice.below(20) } } : {}),
    ...(oneIn(4) ? { hasty: 1 } : {}),
  };
}

function threadOf(kind: Extra, dice: Random, generation: number, now: number): ThreadPlan {
  switch (kind) {
    case 'cancel':
    case 'view':
      return { does: kind, key: 0, generation: generation + dice.below(2) };
    case 'clock':
      return {
        does: 'clock',
        to: [now + 4 + dice.below(4), now + 10 + dice.below(30)].slice(0, 1 + dice.below(2)),
      };
    case 'nudge':
      return { does: 'nudge', key: 0 };
    case 'sweep':
      return { does: 'sweep' };
  }
}

function presetOf(dice: Random, payload: boolean, now: number): Preset {
  const states = [RESERVED, PENDING, COMMITTING, SUCCESS, FAILED, EXPIRED] as const;
  const state = states[dice.below(states.length)] ?? PENDING;
  const owner = state === FAILED ? 64 : 7;
  const published = state !== RESERVED && state !== FAILED;
  return {
    key: 0,
    state,
    generation: 1 + dice.below(3),
    owner,
    deadline: (now - 20 + dice.below(40)) & TICK_MASK,
    payload: payload && published,
  };
}

export const swarm: readonly Scenario[] = [
  {
    name: 'swarm',
    title: 'three hundred situations drawn from a seed, two to five threads each',
    plan: swarmPlan(1),
    swarm: 300,
    sampled: 100,
  },
];
