// One scenario or one mutant, run to the end: the unit of work of the suite, of the command line and of its threads.

import type { InvariantId } from './invariants/ids.ts';
import type { Mutant } from './mutants/mutant.ts';
import { variantOf } from './mutants/mutant.ts';
import { run, type Failure } from './run.ts';
import { scenarioNamed } from './scenarios/all.ts';
import type { Scenario } from './scenarios/scenario.ts';
import { swarmPlan } from './scenarios/swarm.ts';
import { exhaustive } from './schedulers/exhaustive.ts';
import type { Limits, Scheduler } from './schedulers/scheduler.ts';
import type { Sight } from './sightings.ts';
import type { Plan } from './world/plan.ts';
import { shipped, type Variant } from './world/world.ts';

export interface Campaign {
  readonly scenario: string;
  readonly variant: string;
  readonly scheduler: string;
  readonly executions: number;
  readonly blocked: number;
  readonly steps: number;
  readonly stepsMost: number;
  readonly complete: boolean;
  readonly ms: number;
  readonly failure: (Failure & { readonly plan: Plan }) | undefined;
  readonly sights: readonly Sight[];
  readonly checks: readonly (readonly [InvariantId, number])[];
}

/** Two seeds draw different situations. */
const SEEDS_APART = 100_000;
/** No thread has more steps than this at which it could die. */
const CRASH_POINTS_MAX = 64;

/** The plans of a scenario; `seed` counts for a swarm only. */
function plansOf(scenario: Scenario, seed: number): readonly Plan[] {
  if (scenario.swarm !== undefined) {
    return Array.from({ length: scenario.swarm }, (_, at) => swarmPlan(seed * SEEDS_APART + at));
  }
  const thread = scenario.crashEverywhere;
  if (thread === undefined) return [scenario.plan];
  return Array.from({ length: CRASH_POINTS_MAX }, (_, at) => ({ ...scenario.plan, crash: { thread, at } }));
}

export function campaign(
  scenario: Scenario,
  variant: Variant = shipped,
  scheduler: Scheduler = exhaustive,
  limits: Partial<Limits> = {},
  seed = 1,
): Campaign {
  const total = { executions: 0, blocked: 0, steps: 0, stepsMost: 0, complete: true, ms: 0 };
  const sights = new Set<Sight>();
  const checks = new Map<InvariantId, number>();
  let failure: Campaign['failure'];
  for (const plan of plansOf(scenario, seed)) {
    const result = run(plan, variant, scheduler, limits);
    // The thread ends before its next point of death: all of them have been tried.
    if (
      plan.crash !== undefined &&
      scenario.crashEverywhere !== undefined &&
      result.crashes === 0 &&
      result.failure === undefined
    )
      break;
    const { exploration } = result;
    total.executions += exploration.executions;
    total.blocked += exploration.blocked;
    total.steps += exploration.steps;
    total.stepsMost = Math.max(total.stepsMost, exploration.stepsMost);
    total.complete &&= exploration.complete;
    total.ms += exploration.ms;
    for (const sight of result.sightings.seen) sights.add(sight);
    for (const [id, count] of result.checks) checks.set(id, (checks.get(id) ?? 0) + count);
    if (result.failure !== undefined) {
      failure = { ...result.failure, execution: total.executions, plan };
      break;
    }
  }
  const { name } = scheduler;
  return {
    scenario: scenario.name,
    variant: variant.name,
    scheduler: name,
    ...total,
    failure,
    sights: [...sights],
    checks: [...checks],
  };
}

export interface MutantResult {
  readonly mutant: string;
  readonly campaign: Campaign;
  /** killed: by the invariant that it names · misjudged: by another · survived: by none. */
  readonly fate: 'killed' | 'misjudged' | 'survived';
}

export function tryMutant(
  mutant: Mutant,
  scheduler: Scheduler = exhaustive,
  limits: Partial<Limits> = {},
): MutantResult {
  const result = campaign(scenarioNamed(mutant.scenario), variantOf(mutant), scheduler, limits);
  const invariant = result.failure?.violation.invariant;
  const fate = invariant === undefined ? 'survived' : invariant === mutant.kills ? 'killed' : 'misjudged';
  return { mutant: mutant.name, campaign: result, fate };
}
