// One schedule, step by step, and then whatever is left without another switch: first the thread that runs, then the
// lowest that can. A schedule that asks for a step that cannot be taken is stale.

import type { Machine } from '../engine/machine.ts';
import type { Schedule } from './schedule.ts';
import {
  endOf,
  type End,
  type Exploration,
  type Limits,
  type Observer,
  type Scheduler,
} from './scheduler.ts';
import { Tally } from './scheduler.ts';
import { nthThread } from './threads.ts';

/** The schedule names a step that the machine cannot take: the code has changed since it was recorded. */
export class StaleSchedule extends Error {
  override readonly name = 'StaleSchedule';
}

export function replay(schedule: Schedule): Scheduler {
  return {
    name: 'replay',
    explore(machine: Machine, observe: Observer, limits: Limits): Exploration {
      const tally = new Tally('replay', limits);
      machine.reset();
      follow(machine, schedule);
      runOut(machine, limits.stepsMax);
      tally.steps = machine.depth;
      tally.finish(machine, observe);
      return tally.report(false);
    },
  };
}

/** Errors: StaleSchedule. */
export function follow(machine: Machine, schedule: Schedule): void {
  for (const [at, { thread, alternative }] of schedule.entries()) {
    if (thread < 0) {
      if (machine.enabled() !== 0 || !machine.canJump()) {
        throw new StaleSchedule(`step ${at + 1} lets time jump, and somebody can still move`);
      }
      machine.jump();
      continue;
    }
    if (thread >= machine.threads || !machine.isEnabled(thread)) {
      throw new StaleSchedule(`step ${at + 1} is thread ${thread}'s, which cannot move`);
    }
    if (alternative >= machine.alternatives(thread)) {
      throw new StaleSchedule(
        `step ${at + 1} takes alternative ${alternative}, of ${machine.alternatives(thread)}`,
      );
    }
    machine.step(thread, alternative);
  }
}

/** Lets everybody finish without preemptions. */
export function runOut(machine: Machine, stepsMax: number): End {
  let last = machine.depth > 0 ? (machine.stepThread[machine.depth - 1] as number) : -1;
  while (machine.depth < stepsMax) {
    const enabled = machine.enabled();
    if (enabled === 0) {
      if (!machine.canJump()) break;
      machine.jump();
      continue;
    }
    if (last < 0 || !((enabled >>> last) & 1)) last = nthThread(enabled, 0);
    machine.step(last, 0);
  }
  return endOf(machine, stepsMax);
}
