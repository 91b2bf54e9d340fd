// How fast does the simulator explore? Three starts of one key, exhaustively, every execution judged by every
// invariant; and single steps under the random scheduler, with and without judging. One thread, JSON out.
// Rates are per second of CPU time, so that a busy machine does not change them much.
//
//   node dist/bench/cases/sim-speed.js

import { benchOf, inspector, run } from '../../sim/run.ts';
import { scenarioNamed } from '../../sim/scenarios/all.ts';
import { exhaustive } from '../../sim/schedulers/exhaustive.ts';
import { random } from '../../sim/schedulers/random.ts';
import { defaultLimits } from '../../sim/schedulers/scheduler.ts';
import { createSightings } from '../../sim/sightings.ts';
import { shipped } from '../../sim/world/world.ts';

const WARM_MS = 1_000;
const MEASURE_MS = 3_000;

interface Rate {
  readonly executionsPerSecond: number;
  readonly stepsPerSecond: number;
}

/** Runs `explore` over and over: first to warm up, then to be measured. */
function measure(explore: () => { readonly executions: number; readonly steps: number }): Rate {
  for (const start = performance.now(); performance.now() - start < WARM_MS;) explore();
  let executions = 0;
  let steps = 0;
  const began = process.cpuUsage();
  for (const start = performance.now(); performance.now() - start < MEASURE_MS;) {
    const one = explore();
    executions += one.executions;
    steps += one.steps;
  }
  const { user, system } = process.cpuUsage(began);
  const seconds = (user + system) / 1e6;
  return {
    executionsPerSecond: Math.round(executions / seconds),
    stepsPerSecond: Math.round(steps / seconds),
  };
}

const { plan } = scenarioNamed('burst-3');
const quiet = (): boolean => false;

// From nothing: the threads are executed and unfolded anew in each exploration of the whole scenario.
const exhaustiveFresh = measure(() => run(plan, shipped, exhaustive).exploration);

const bench = benchOf(plan, shipped);
const judged = inspector(bench, createSightings(), new Map());
const exhaustiveJudged = measure(() =>
  exhaustive.explore(bench.machine, (machine, end) => judged(machine, end) !== undefined, defaultLimits),
);

let seed = 0;
const limits = { ...defaultLimits, executionsMax: 2_000 };
const randomJudged = measure(() =>
  random(++seed).explore(bench.machine, (machine, end) => judged(machine, end) !== undefined, limits),
);
const randomBare = measure(() => random(++seed).explore(bench.machine, quiet, limits));

const result = {
  node: process.version,
  scenario: 'burst-3',
  exhaustiveFresh,
  exhaustiveJudged,
  randomJudged,
  randomBare,
};
process.stdout.write(`${JSON.stringify(result, null, 2)}\n`);
