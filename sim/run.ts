// Runs one plan under one scheduler and judges every execution: the safety stage under whatever faults the plan
// holds, then the liveness stage, in which faults are over and a fresh start on every key must win.

import { Act, Phase, type Machine } from './engine/machine.ts';
import { machineOf } from './engine/model.ts';
import { judge } from './invariants/all.ts';
import type { InvariantId } from './invariants/ids.ts';
import type { Violation } from './invariants/invariant.ts';
import { scheduleOf, type Schedule } from './schedulers/schedule.ts';
import {
  defaultLimits,
  type End,
  type Exploration,
  type Limits,
  type Scheduler,
} from './schedulers/scheduler.ts';
import { createSightings, type Sightings } from './sightings.ts';
import { createHistorian, type Historian, type History } from './world/history.ts';
import type { Plan } from './world/plan.ts';
import { modelOf } from './world/threads.ts';
import type { Variant, World } from './world/world.ts';

export interface Failure {
  readonly violation: Violation;
  /** The execution's number, from 1. */
  readonly execution: number;
  readonly schedule: Schedule;
}

export interface RunResult {
  readonly exploration: Exploration;
  readonly failure: Failure | undefined;
  readonly sightings: Sightings;
  /** Executions in which a thread died. */
  readonly crashes: number;
  readonly checks: ReadonlyMap<InvariantId, number>;
}

export interface Bench {
  readonly world: World;
  readonly machine: Machine;
  readonly historian: Historian;
}

export function benchOf(plan: Plan, variant: Variant): Bench {
  const { world, model } = modelOf(plan, variant);
  return { world, machine: machineOf(model), historian: createHistorian(world) };
}

export function run(
  plan: Plan,
  variant: Variant,
  scheduler: Scheduler,
  limits: Partial<Limits> = {},
): RunResult {
  const bench = benchOf(plan, variant);
  const sightings = createSightings();
  const checks = new Map<InvariantId, number>();
  const inspect = inspector(bench, sightings, checks);
  let failure: Failure | undefined;
  let execution = 0;
  let crashes = 0;
  const exploration = scheduler.explore(
    bench.machine,
    (machine, end) => {
      execution++;
      const depth = machine.depth;
      if (plan.crash !== undefined && machine.phases[plan.crash.thread] === Phase.dead) crashes++;
      const violation = inspect(machine, end);
      if (violation === undefined) return false;
      failure = { violation, execution, schedule: scheduleOf(machine, depth) };
      return true;
    },
    { ...defaultLimits, ...limits },
  );
  return { exploration, failure, sightings, crashes, checks };
}

/** Judges the machine's current execution, liveness stage included, and leaves the machine as it was. */
export function inspector(
  bench: Bench,
  sightings: Sightings,
  checks: Map<InvariantId, number>,
): (machine: Machine, end: End) => Violation | undefined {
  const { historian } = bench;
  // The second stage is a function of the memory alone; a memory that passed once need not be tried again.
  const live = new Set<number>();
  return (machine, end) => {
    const history = historian.read(machine, end);
    sightings.look(machine, history);
    const violation = judge(history, checks);
    if (violation !== undefined || end !== 'settled') return violation;
    const memory = fingerprint(machine);
    if (live.has(memory)) return undefined;
    const later = recover(machine, historian);
    const relapse = later === undefined ? undefined : judge(later);
    if (relapse === undefined) live.add(memory);
    return relapse;
  };
}

const RECOVERY_STEPS_MAX = 300;

/** The liveness stage. Returns its history, the first stage included. */
function recover(machine: Machine, historian: Historian): History | undefined {
  const from = machine.stageTwoFrom;
  if (from >= machine.threads) return undefined;
  const depth = machine.depth;
  machine.stage = 2;
  let end: End = 'settled';
  while (machine.isEnabled(from) || machine.canJump()) {
    if (machine.isEnabled(from)) machine.step(from);
    else machine.jump();
    if (machine.depth - depth >= RECOVERY_STEPS_MAX) {
      end = 'runaway';
      break;
    }
  }
  const history = historian.read(machine, end);
  while (machine.depth > depth) machine.undo();
  machine.stage = 1;
  return history;
}

function fingerprint(machine: Machine): number {
  let low = 0x811c9dc5;
  let high = 0x2545f491;
  const { memory } = machine;
  for (let address = 0; address < memory.length; address++) {
    const id = memory[address] as number;
    low = Math.imul(low ^ id, 0x01000193);
    high = Math.imul((high ^ id) + address, 0x85ebca6b);
  }
  return (high & 0xfffff) * 0x1_0000_0000 + (low >>> 0);
}

/** The number of preemptions of a schedule: how often a thread was taken off that could have gone on. */
export function preemptionsOf(bench: Bench, schedule: Schedule): number {
  const { machine } = bench;
  machine.reset();
  let last = -1;
  let count = 0;
  for (const { thread, alternative } of schedule) {
    if (thread < 0) {
      machine.jump();
      last = -1;
      continue;
    }
    if (last >= 0 && thread !== last && machine.isEnabled(last)) count++;
    machine.step(thread, alternative);
    last = machine.stepAct[machine.depth - 1] === Act.crash ? -1 : thread;
  }
  return count;
}
