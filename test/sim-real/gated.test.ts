import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { TraceFile } from '../../sim/corpus/trace-file.ts';
import { mutantNamed } from '../../sim/mutants/all.ts';
import { variantOf } from '../../sim/mutants/mutant.ts';
import { scenarios } from '../../sim/scenarios/all.ts';
import { benchOf } from '../../sim/run.ts';
import { follow, runOut } from '../../sim/schedulers/replay.ts';
import { parseSchedule } from '../../sim/schedulers/schedule.ts';
import { random } from '../../sim/schedulers/random.ts';
import { defaultLimits } from '../../sim/schedulers/scheduler.ts';
import type * as Gated from '../../sim/real/gated.ts';
import type { GatedCrew, GatedRun } from '../../sim/real/gated.ts';
import { shipped } from '../../sim/world/world.ts';
import { built, root } from '../support/built.ts';

const RUNS_PER_SCENARIO = 2;

let gated: typeof Gated;
let crew: GatedCrew;

beforeAll(async () => {
  gated = (await import(built('sim/real/gated.js'))) as typeof Gated;
  crew = new gated.GatedCrew();
});
afterAll(() => crew.dismiss());

function record(name: string, seed: number): GatedRun[] {
  const scenario = scenarios.find((one) => one.name === name)!;
  const { machine } = benchOf(scenario.plan, shipped);
  const runs: GatedRun[] = [];
  random(seed).explore(
    machine,
    () => {
      runs.push(gated.gatedRun(scenario.plan, shipped.name, machine));
      return runs.length === RUNS_PER_SCENARIO;
    },
    defaultLimits,
  );
  return runs;
}

/** Where the race of a trace file leaves the machine, as data for real threads. */
function recordTrace(trace: TraceFile): GatedRun {
  const variant = trace.variant === shipped.name ? shipped : variantOf(mutantNamed(trace.variant));
  const { machine } = benchOf(trace.plan, variant);
  machine.reset();
  follow(machine, parseSchedule(trace.choices));
  runOut(machine, defaultLimits.stepsMax);
  return gated.gatedRun(trace.plan, variant.name, machine);
}

const TRACES = join(root, 'sim/traces');

describe('the recorded races', () => {
  const files = readdirSync(TRACES).filter((name) => name.endsWith('.json'));

  it.each(files)('happen on real threads as in the model: %s', async (file) => {
    const trace = JSON.parse(readFileSync(join(TRACES, file), 'utf8')) as TraceFile;
    const run = recordTrace(trace);
    expect(run.steps.length).toBeGreaterThan(1);
    expect((await crew.replay(run)).differences).toEqual([]);
  });
});

describe('real threads over real memory', () => {
  it.each(scenarios.map(({ name }) => name))('do what the model did in %s', async (name) => {
    for (const run of record(name, 7)) expect((await crew.replay(run)).differences).toEqual([]);
  });

  it('are told apart from a model that reads, wakes or ends otherwise', async () => {
    const [run] = record('burst-2', 1) as [GatedRun];
    const tampered = (at: number, change: Partial<GatedRun['steps'][number]>): GatedRun => ({
      ...run,
      steps: run.steps.map((step, index) => (index === at ? { ...step, ...change } : step)),
    });
    const load = run.steps.findIndex(({ site }) => site.includes('CTL'));
    const wrongRead = await crew.replay(tampered(load, { result: 12_345n }));
    expect(wrongRead.differences[0]).toMatch(/found 0 .*12345 in the model/);
    const notify = run.steps.findIndex(({ site }) => site.includes('notify'));
    const wrongCount = await crew.replay(tampered(notify, { result: 7n }));
    expect(wrongCount.differences[0]).toMatch(/7 in the model/);
    const wrongStep = await crew.replay(tampered(load, { request: { kind: 0, address: 3, x: 0n, y: 0n } }));
    expect(wrongStep.differences[0]).toMatch(/asks for load of word/);
    const final = run.final.map((word, address) => (address === run.clock ? word + 1n : word));
    const wrongEnd = await crew.replay({ ...run, final });
    expect(wrongEnd.differences[0]).toMatch(/in the model/);
  });
});
