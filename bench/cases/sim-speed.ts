/**
 * How fast does the simulator explore? Three starts of one key, exhaustively, every execution judged by every invariant; and
 * steps under the random scheduler. On one thread, per second of CPU time, so that a busy machine does not change it much.
 */
import { benchOf, inspector, run } from '../../sim/run.ts';
import { scenarioNamed } from '../../sim/scenarios/all.ts';
import { exhaustive } from '../../sim/schedulers/exhaustive.ts';
import { random } from '../../sim/schedulers/random.ts';
import { defaultLimits } from '../../sim/schedulers/scheduler.ts';
import { createSightings } from '../../sim/sightings.ts';
import { shipped } from '../../sim/world/world.ts';
import type { BenchCase, Measured } from '../case.ts';

const scenario = 'burst-3';
const warmMs = 1000;
const executionsPerSecondMin = 50_000;
const stepsPerSecondMin = 1_000_000;

export const simSpeed: BenchCase = {
  name: 'sim-speed',
  question: 'How fast does the simulator explore?',
  figures: { executionsPerSecond: '1/s', stepsPerSecond: '1/s' },
  contenders({ seconds }) {
    const { plan } = scenarioNamed(scenario);
    const bench = benchOf(plan, shipped);
    const judged = inspector(bench, createSightings(), new Map());
    const visit = (machine: Parameters<typeof judged>[0], end: Parameters<typeof judged>[1]): boolean =>
      judged(machine, end) !== undefined;
    const limits = { ...defaultLimits, executionsMax: 2000 };
    let seed = 0;
    const contender = (name: string, explore: () => Explored) => ({
      name,
      measure: () => Promise.resolve(measure(explore, seconds * 1000)),
    });
    return Promise.resolve([
      contender('exhaustive, judged', () => exhaustive.explore(bench.machine, visit, defaultLimits)),
      // The threads are executed and unfolded anew in each exploration of the whole scenario.
      contender('exhaustive, from nothing', () => run(plan, shipped, exhaustive).exploration),
      contender('random, judged', () => random(++seed).explore(bench.machine, visit, limits)),
      contender('random, steps only', () => random(++seed).explore(bench.machine, () => false, limits)),
    ]);
  },
  ratios: ({ median }) => [
    {
      name: 'executions a second, of 50,000 (exhaustive, judged)',
      value: median('exhaustive, judged', 'executionsPerSecond') / executionsPerSecondMin,
      target: { atLeast: 1 },
    },
    {
      name: 'steps a second, of 1,000,000 (random, judged)',
      value: median('random, judged', 'stepsPerSecond') / stepsPerSecondMin,
      target: { atLeast: 1 },
    },
  ],
};

interface Explored {
  readonly executions: number;
  readonly steps: number;
}

/** Explores over and over: first to warm up, then to be measured. */
function measure(explore: () => Explored, measureMs: number): Measured {
  for (const start = performance.now(); performance.now() - start < warmMs;) explore();
  let [executions, steps] = [0, 0];
  const began = process.cpuUsage();
  for (const start = performance.now(); performance.now() - start < measureMs;) {
    const one = explore();
    executions += one.executions;
    steps += one.steps;
  }
  const { user, system } = process.cpuUsage(began);
  const cpuSeconds = (user + system) / 1e6;
  return {
    figures: { executionsPerSecond: executions / cpuSeconds, stepsPerSecond: steps / cpuSeconds },
    trace: null,
  };
}
