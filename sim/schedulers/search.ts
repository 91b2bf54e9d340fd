// Depth-first search over schedules without reduction, shared by the naive and the preemption-bounded scheduler.

import type { Machine } from '../engine/machine.ts';
import type { Limits, Observer, Tally } from './scheduler.ts';

export interface Search {
  readonly tally: Tally;
  readonly observe: Observer;
  readonly limits: Limits;
  readonly preemptionsMax: number;
  /** Executions with fewer preemptions are walked through but not counted nor shown. */
  readonly preemptionsLeast?: number;
}

/** Visits every execution within the bound. Answers true when exploring must end. Leaves the machine as it was. */
export function searchBelow(machine: Machine, search: Search): boolean {
  return visit(-1, 0);

  function visit(last: number, preemptions: number): boolean {
    const { limits, tally } = search;
    const enabled = machine.depth >= limits.stepsMax ? 0 : machine.enabled();
    if (enabled === 0) {
      if (machine.depth < limits.stepsMax && machine.canJump()) {
        machine.jump();
        tally.steps++;
        const stop = visit(-1, preemptions);
        machine.undo();
        return stop;
      }
      if (preemptions < (search.preemptionsLeast ?? 0)) return false;
      return tally.finish(machine, search.observe);
    }
    const couldGoOn = last >= 0 && ((enabled >>> last) & 1) === 1;
    if (couldGoOn && tryThread(last, preemptions)) return true;
    for (let t = 0; t < machine.threads; t++) {
      if (t === last || !((enabled >>> t) & 1)) continue;
      const cost = preemptions + (couldGoOn ? 1 : 0);
      if (cost <= search.preemptionsMax && tryThread(t, cost)) return true;
    }
    return false;
  }

  function tryThread(thread: number, preemptions: number): boolean {
    const alternatives = machine.alternatives(thread);
    for (let alternative = 0; alternative < alternatives; alternative++) {
      machine.step(thread, alternative);
      search.tally.steps++;
      const stop = visit(thread, preemptions);
      machine.undo();
      if (stop) return true;
    }
    return false;
  }
}
