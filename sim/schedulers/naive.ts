// Every schedule, one by one, with no reduction at all. Slow and obviously right: the engine is held to it.

import type { Machine } from '../engine/machine.ts';
import { Tally, type Exploration, type Limits, type Observer, type Scheduler } from './scheduler.ts';
import { searchBelow } from './search.ts';

export const naive: Scheduler = { name: 'naive', explore };

function explore(machine: Machine, observe: Observer, limits: Limits): Exploration {
  const tally = new Tally('naive', limits);
  machine.reset();
  searchBelow(machine, { tally, observe, limits, preemptionsMax: Infinity });
  return tally.report(true);
}
