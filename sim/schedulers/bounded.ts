// All schedules with 0 preemptions, then all with at most 1, then 2 ... (CHESS: Musuvathi and Qadeer, PLDI 2007). A
// preemption takes a thread off that could have gone on. The first bound that fails is the fewest preemptions that
// the failure needs, which is what a reader of the trace wants.

import type { Machine } from '../engine/machine.ts';
import { Tally, type Exploration, type Limits, type Observer, type Scheduler } from './scheduler.ts';
import { searchBelow } from './search.ts';

export function bounded(preemptionsMax: number): Scheduler {
  const name = `bounded:${preemptionsMax}`;
  return {
    name,
    explore(machine: Machine, observe: Observer, limits: Limits): Exploration {
      const tally = new Tally(name, limits);
      for (let bound = 0; bound <= preemptionsMax; bound++) {
        machine.reset();
        const least = bound; // executions with fewer preemptions were seen under a smaller bound
        const ended = searchBelow(machine, {
          tally,
          observe,
          limits,
          preemptionsMax: bound,
          preemptionsLeast: least,
        });
        if (ended) break;
      }
      return tally.report(false);
    },
  };
}
