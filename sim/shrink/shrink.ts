// Makes a failure small enough to read: first the plan (threads, keys, faults), then the forced switches, then the
// fewest preemptions that fail at all, and among those the fewest steps.

import type { InvariantId } from '../invariants/ids.ts';
import { benchOf, inspector, preemptionsOf, run, type Bench, type Failure } from '../run.ts';
import { bounded } from '../schedulers/bounded.ts';
import { exhaustive } from '../schedulers/exhaustive.ts';
import { follow, guideOf, type Guide } from '../schedulers/guided.ts';
import { scheduleOf } from '../schedulers/schedule.ts';
import { defaultLimits, endOf } from '../schedulers/scheduler.ts';
import { createSightings } from '../sightings.ts';
import type { Plan } from '../world/plan.ts';
import { shipped, type Variant } from '../world/world.ts';
import { fewerSwitches } from './switches.ts';
import { simpler } from './plan.ts';

export interface Shrunk {
  readonly plan: Plan;
  readonly failure: Failure;
  readonly preemptions: number;
  /** Executions spent on shrinking. */
  readonly spent: number;
}

const PLAN_LIMITS = { executionsMax: 20_000, timeMsMax: 3_000 };
/** Enough to see that a plan is no nonsense; that the shipped source survives it entirely is the scenarios' concern. */
const SOUND_LIMITS = { executionsMax: 3_000, timeMsMax: 1_000 };
const BOUND_MAX = 3;

/** Shrinks a failure of a variant. What comes out breaks the same invariant. */
export function shrink(plan: Plan, variant: Variant, failure: Failure): Shrunk {
  const invariant = failure.violation.invariant;
  let spent = 0;
  let best = { plan, failure };
  for (let smaller = true; smaller;) {
    smaller = false;
    for (const candidate of simpler(best.plan)) {
      if (candidate.threads.length === best.plan.threads.length && same(candidate, best.plan)) continue;
      const result = run(candidate, variant, exhaustive, PLAN_LIMITS);
      spent += result.exploration.executions;
      if (result.failure?.violation.invariant !== invariant) continue;
      // Something found in the first stage is not exchanged for something that shows only long afterwards.
      if (inFirstStage(failure) && !inFirstStage(result.failure)) continue;
      // And the smaller situation must be one that the shipped source survives, or it shows another mistake.
      if (variant !== shipped && run(candidate, shipped, exhaustive, SOUND_LIMITS).failure !== undefined)
        continue;
      best = { plan: candidate, failure: result.failure };
      smaller = true;
      break;
    }
  }
  const bench = benchOf(best.plan, variant);
  const guided = shrinkSwitches(bench, best.failure);
  spent += guided.spent;
  const fewest = fewestPreemptions(best.plan, variant, guided.failure);
  spent += fewest.spent;
  return {
    plan: best.plan,
    failure: fewest.failure,
    preemptions: preemptionsOf(bench, fewest.failure.schedule),
    spent,
  };
}

/** A plan that could not be halved. */
function same(one: Plan, other: Plan): boolean {
  return JSON.stringify(one) === JSON.stringify(other);
}

function inFirstStage(failure: Failure): boolean {
  return failure.violation.step < failure.schedule.length;
}

/** Judges the execution that a guide leads to. */
export function failureUnder(bench: Bench, guide: Guide): Failure | undefined {
  const { machine } = bench;
  follow(machine, guide, defaultLimits.stepsMax);
  const depth = machine.depth;
  const inspect = inspector(bench, createSightings(), new Map());
  const violation = inspect(machine, endOf(machine, defaultLimits.stepsMax));
  if (violation === undefined) return undefined;
  return { violation, execution: 1, schedule: scheduleOf(machine, depth) };
}

function shrinkSwitches(bench: Bench, failure: Failure): { failure: Failure; spent: number } {
  let spent = 0;
  let best = failure;
  const invariant: InvariantId = failure.violation.invariant;
  fewerSwitches(guideOf(bench.machine, failure.schedule), (guide) => {
    spent++;
    const found = failureUnder(bench, guide);
    if (found?.violation.invariant !== invariant) return false;
    best = { ...found, execution: failure.execution };
    return true;
  });
  return { failure: best, spent };
}

/** All schedules with 0 preemptions, then 1, ...: the first bound that fails is the least there is. */
function fewestPreemptions(
  plan: Plan,
  variant: Variant,
  failure: Failure,
): { failure: Failure; spent: number } {
  const bench = benchOf(plan, variant);
  const inspect = inspector(bench, createSightings(), new Map());
  const known = preemptionsOf(benchOf(plan, variant), failure.schedule);
  let best = failure;
  let found = false;
  const exploration = bounded(Math.min(known, BOUND_MAX)).explore(
    bench.machine,
    (machine, end) => {
      const depth = machine.depth;
      const violation = inspect(machine, end);
      if (violation?.invariant !== failure.violation.invariant) return false;
      const schedule = scheduleOf(machine, depth);
      // The first failing bound is walked to its end, for the shortest of its failures.
      if (!found || schedule.length < best.schedule.length)
        best = { violation, execution: failure.execution, schedule };
      found = true;
      return true;
    },
    { ...defaultLimits, executionsMax: 200_000, timeMsMax: 5_000 },
  );
  return { failure: best, spent: exploration.executions };
}
