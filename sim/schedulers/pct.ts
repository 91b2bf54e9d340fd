// Probabilistic concurrency testing (Burckhardt, Kothari, Musuvathi and Nagarakatte, ASPLOS 2010): every thread gets a
// random priority and the highest enabled one runs; at d-1 random steps the running thread falls below all others. A
// bug of depth d shows in one execution with a chance of at least 1 / (n * k^(d-1)) for n threads and k steps. The
// first execution only estimates k; after that d goes round 2, 3, 4, 5.

import type { Machine } from '../engine/machine.ts';
import { seeded } from '../engine/random.ts';
import { Tally, type Exploration, type Limits, type Observer, type Scheduler } from './scheduler.ts';
import { nthThread, threadCount } from './threads.ts';

const DEPTHS = [2, 3, 4, 5] as const;

export function pct(seed: number, depth?: number): Scheduler {
  return {
    name: depth === undefined ? 'pct' : `pct:${depth}`,
    explore(machine: Machine, observe: Observer, limits: Limits): Exploration {
      const tally = new Tally('pct', limits);
      const dice = seeded(seed);
      let length = 16;
      for (let run = 0; ; run++) {
        const d = depth ?? DEPTHS[run % DEPTHS.length] ?? 3;
        const priorities = shuffled(machine.threads, dice.below);
        const changes = new Map<number, number>();
        for (let change = 1; change < d; change++) changes.set(dice.below(length), -change);
        machine.reset();
        let contested = 0; // only steps with a real choice count
        while (machine.depth < limits.stepsMax) {
          const enabled = machine.enabled();
          if (enabled === 0) {
            if (!machine.canJump()) break;
            machine.jump();
            tally.steps++;
            continue;
          }
          let thread = highest(enabled, priorities);
          if (threadCount(enabled) > 1) {
            const lowered = changes.get(contested++);
            if (lowered !== undefined) {
              priorities[thread] = lowered;
              thread = highest(enabled, priorities);
            }
          }
          machine.step(thread, dice.below(machine.alternatives(thread)));
          tally.steps++;
        }
        if (contested > length) length = contested;
        if (tally.finish(machine, observe)) return tally.report(false);
      }
    },
  };
}

function shuffled(threads: number, below: (bound: number) => number): number[] {
  const order = Array.from({ length: threads }, (_, t) => t + 1);
  for (let at = threads - 1; at > 0; at--) {
    const other = below(at + 1);
    [order[at], order[other]] = [order[other] as number, order[at] as number];
  }
  return order;
}

function highest(enabled: number, priorities: readonly number[]): number {
  let best = -1;
  for (let place = 0; place < threadCount(enabled); place++) {
    const thread = nthThread(enabled, place);
    if (best < 0 || (priorities[thread] ?? 0) > (priorities[best] ?? 0)) best = thread;
  }
  return best;
}
