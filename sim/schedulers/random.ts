// A uniform choice among the enabled threads at every step. The baseline: fast, and blind to rare orders.

import type { Machine } from '../engine/machine.ts';
import { seeded } from '../engine/random.ts';
import { Tally, type Exploration, type Limits, type Observer, type Scheduler } from './scheduler.ts';
import { nthThread, threadCount } from './threads.ts';

export function random(seed: number): Scheduler {
  return {
    name: 'random',
    explore(machine: Machine, observe: Observer, limits: Limits): Exploration {
      const tally = new Tally('random', limits);
      const dice = seeded(seed);
      for (;;) {
        machine.reset();
        while (machine.depth < limits.stepsMax) {
          const enabled = machine.enabled();
          if (enabled === 0) {
            if (!machine.canJump()) break;
            machine.jump();
          } else {
            const thread = nthThread(enabled, dice.below(threadCount(enabled)));
            machine.step(thread, dice.below(machine.alternatives(thread)));
          }
          tally.steps++;
        }
        if (tally.finish(machine, observe)) return tally.report(false);
      }
    },
  };
}
