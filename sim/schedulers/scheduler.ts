// What every scheduler is: a way to choose which thread goes next, over and over, until it has seen enough.

import type { Machine } from '../engine/machine.ts';

export interface Limits {
  readonly executionsMax: number;
  /** Steps of one execution; past it the execution counts as a runaway (livelock). */
  readonly stepsMax: number;
  readonly timeMsMax: number;
}

export const defaultLimits: Limits = { executionsMax: 2_000_000, stepsMax: 400, timeMsMax: 60_000 };

/** settled: every thread finished or died · wedged: some wait for ever · runaway: too many steps. */
export type End = 'settled' | 'wedged' | 'runaway';

/** Looks at the machine at the end of an execution; answers true to stop exploring. Must leave it as it found it. */
export type Observer = (machine: Machine, end: End) => boolean;

export interface Exploration {
  readonly scheduler: string;
  readonly executions: number;
  /** Executions given up because all that was left had been explored elsewhere: the price of sleep sets. */
  readonly blocked: number;
  readonly steps: number;
  readonly stepsMost: number;
  /** Every schedule (or one of each equivalence class) was seen: nothing was sampled, cut or stopped. */
  readonly complete: boolean;
  readonly stopped: boolean;
  readonly ms: number;
}

export interface Scheduler {
  readonly name: string;
  readonly explore: (machine: Machine, observe: Observer, limits: Limits) => Exploration;
}

export function endOf(machine: Machine, stepsMax: number): End {
  if (machine.depth >= stepsMax) return 'runaway';
  return machine.stuck() === 0 ? 'settled' : 'wedged';
}

/** Counts executions and steps, and knows when a limit is reached. */
export class Tally {
  executions = 0;
  blocked = 0;
  steps = 0;
  stepsMost = 0;
  stopped = false;
  cut = false;
  readonly #started = performance.now();
  readonly #scheduler: string;
  readonly #limits: Limits;

  constructor(scheduler: string, limits: Limits) {
    this.#scheduler = scheduler;
    this.#limits = limits;
  }

  /** Takes in a finished execution. Answers true when exploring must end. */
  finish(machine: Machine, observe: Observer): boolean {
    this.executions++;
    if (machine.depth > this.stepsMost) this.stepsMost = machine.depth;
    if (observe(machine, endOf(machine, this.#limits.stepsMax))) {
      this.stopped = true;
      return true;
    }
    if (this.executions >= this.#limits.executionsMax) this.cut = true;
    if ((this.executions & 255) === 0 && performance.now() - this.#started > this.#limits.timeMsMax)
      this.cut = true;
    return this.cut;
  }

  report(exhaustive: boolean): Exploration {
    return {
      scheduler: this.#scheduler,
      executions: this.executions,
      blocked: this.blocked,
      steps: this.steps,
      stepsMost: this.stepsMost,
      complete: exhaustive && !this.cut && !this.stopped,
      stopped: this.stopped,
      ms: performance.now() - this.#started,
    };
  }
}
