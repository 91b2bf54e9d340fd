// A recorded race: the situation, the bug, the schedule that shows it, and what must come of it. Kept as JSON and
// replayed in CI, with three assertions each: the bad variant fails in exactly this way; the shipped source survives
// the same switches; and it survives every schedule of the same situation, as many of them as when it was recorded.

import { createHash } from 'node:crypto';
import type { InvariantId } from '../invariants/ids.ts';
import type { Violation } from '../invariants/invariant.ts';
import { mutantNamed } from '../mutants/all.ts';
import { variantOf } from '../mutants/mutant.ts';
import { gatedRun, type GatedCrew } from '../real/gated.ts';
import { renderTrace } from '../report/terminal.ts';
import { tell, type Trace } from '../report/trace.ts';
import { benchOf, inspector, run, type Failure } from '../run.ts';
import { exhaustive } from '../schedulers/exhaustive.ts';
import { guideOf, type Guide } from '../schedulers/guided.ts';
import { follow as followSteps, runOut, StaleSchedule } from '../schedulers/replay.ts';
import { formatSchedule, parseSchedule } from '../schedulers/schedule.ts';
import { defaultLimits } from '../schedulers/scheduler.ts';
import { follow } from '../schedulers/guided.ts';
import { createSightings } from '../sightings.ts';
import { failureUnder } from '../shrink/shrink.ts';
import type { Plan } from '../world/plan.ts';
import { modelOf } from '../world/threads.ts';
import { viewOf } from '../world/view.ts';
import { shipped, type Variant } from '../world/world.ts';

const FORMAT = 'sallyport-race/1';

export interface TraceFile {
  readonly format: typeof FORMAT;
  readonly name: string;
  readonly title: string;
  readonly variant: string;
  readonly scenario: string;
  readonly plan: Plan;
  readonly found: { readonly scheduler: string; readonly execution: number };
  readonly preemptions: number;
  /** The switches and draws by the names of their steps: they survive changes elsewhere in the code. */
  readonly guide: Guide;
  /** The exact schedule. */
  readonly choices: string;
  /** For people; replaying ignores it. */
  readonly steps: readonly string[];
  readonly expect: { readonly invariant: InvariantId; readonly fingerprint: string };
  /** All schedules of the plan, on the shipped source. */
  readonly golden: { readonly executions: number; readonly stepsMost: number };
}

export function variantNamed(name: string): Variant {
  return name === shipped.name ? shipped : variantOf(mutantNamed(name));
}

export function threadNames(plan: Plan): string[] {
  return [...plan.threads.map((thread, t) => `t${t} ${thread.does}`), 'probe'];
}

export interface Recording {
  readonly name: string;
  readonly title: string;
  readonly scenario: string;
  readonly plan: Plan;
  readonly variant: Variant;
  readonly scheduler: string;
  readonly execution: number;
  readonly failure: Failure;
  readonly preemptions: number;
}

export function record(recording: Recording): TraceFile {
  const { plan, variant, failure } = recording;
  const bench = benchOf(plan, variant);
  const guide = guideOf(bench.machine, failure.schedule);
  const told = replayExactly(plan, variant, formatSchedule(failure.schedule));
  const { exploration } = run(plan, shipped, exhaustive);
  return {
    format: FORMAT,
    name: recording.name,
    title: recording.title,
    variant: variant.name,
    scenario: recording.scenario,
    plan,
    found: { scheduler: recording.scheduler, execution: recording.execution },
    preemptions: recording.preemptions,
    guide,
    choices: formatSchedule(failure.schedule),
    steps: renderTrace(told.trace).split('\n'),
    expect: { invariant: failure.violation.invariant, fingerprint: told.fingerprint },
    golden: { executions: exploration.executions, stepsMost: exploration.stepsMost },
  };
}

export interface Told {
  readonly trace: Trace;
  readonly violation: Violation | undefined;
  readonly fingerprint: string;
}

/** Replays a schedule step by step. Errors: StaleSchedule when it cannot be taken any more. */
export function replayExactly(plan: Plan, variant: Variant, choices: string): Told {
  const bench = benchOf(plan, variant);
  followSteps(bench.machine, parseSchedule(choices));
  const end = runOut(bench.machine, defaultLimits.stepsMax);
  return judged(bench, plan, end);
}

/** Replays the switches of a guide, and whatever order follows from them. */
function replayGuided(plan: Plan, variant: Variant, guide: Guide): Told {
  const bench = benchOf(plan, variant);
  follow(bench.machine, guide, defaultLimits.stepsMax);
  return judged(bench, plan, bench.machine.stuck() === 0 ? 'settled' : 'wedged');
}

function judged(bench: ReturnType<typeof benchOf>, plan: Plan, end: 'settled' | 'wedged' | 'runaway'): Told {
  const inspect = inspector(bench, createSightings(), new Map());
  const violation = inspect(bench.machine, end);
  const trace = tell(bench.machine, viewOf(bench.world), threadNames(plan));
  const hash = createHash('sha256').update(violation?.invariant ?? 'ok');
  for (const step of trace.steps) hash.update(`\n${step.thread} ${step.text} ${step.notes.join(' ')}`);
  return { trace, violation, fingerprint: hash.digest('hex').slice(0, 32) };
}

export interface Check {
  readonly name: string;
  readonly ok: boolean;
  /** The code or the model has moved on, and the file no longer describes it. */
  readonly stale: boolean;
  readonly detail: string;
}

/** The three assertions about one file. */
export function check(file: TraceFile): Check[] {
  return [checkBad(file), checkGuided(file), checkAll(file)];
}

const STALE = 'stale: the trace no longer fits the code; look at the difference, then record it again';

function checkBad(file: TraceFile): Check {
  const name = `${file.variant} breaks ${file.expect.invariant} in exactly this way`;
  const variant = variantNamed(file.variant);
  try {
    const told = replayExactly(file.plan, variant, file.choices);
    const invariant = told.violation?.invariant;
    if (invariant !== file.expect.invariant) {
      return {
        name,
        ok: false,
        stale: true,
        detail: `${STALE} (it now ends in ${invariant ?? 'no violation'})`,
      };
    }
    if (told.fingerprint !== file.expect.fingerprint) {
      return { name, ok: false, stale: true, detail: `${STALE} (same violation, other steps)` };
    }
  } catch (error) {
    if (!(error instanceof StaleSchedule)) throw error;
    return { name, ok: false, stale: true, detail: `${STALE} (${error.message})` };
  }
  const bench = benchOf(file.plan, variant);
  if (failureUnder(bench, file.guide)?.violation.invariant !== file.expect.invariant) {
    return { name, ok: false, stale: true, detail: `${STALE} (its switches lead elsewhere)` };
  }
  return { name, ok: true, stale: false, detail: '' };
}

function checkGuided(file: TraceFile): Check {
  const name = 'the shipped source survives the same switches';
  const told = replayGuided(file.plan, shipped, file.guide);
  const ok = told.violation === undefined;
  return { name, ok, stale: false, detail: ok ? '' : (told.violation?.why ?? '') };
}

function checkAll(file: TraceFile): Check {
  const name = `the shipped source survives all ${file.golden.executions} schedules`;
  const { exploration, failure } = run(file.plan, shipped, exhaustive);
  if (failure !== undefined) return { name, ok: false, stale: false, detail: failure.violation.why };
  const { executions, stepsMost, complete } = exploration;
  const ok = complete && executions === file.golden.executions && stepsMost === file.golden.stepsMost;
  const detail = ok ? '' : `${STALE} (${executions} executions of at most ${stepsMost} steps)`;
  return { name, ok, stale: !ok, detail };
}

/** Drives real threads over real shared memory through the race, and compares every result with the model's. */
export async function checkReal(file: TraceFile, crew: GatedCrew): Promise<Check> {
  const { machine } = benchOf(file.plan, variantNamed(file.variant));
  followSteps(machine, parseSchedule(file.choices));
  const { steps, differences } = await crew.replay(gatedRun(file.plan, file.variant, machine));
  const name = `real threads do the same, in all ${steps} steps`;
  return { name, ok: differences.length === 0, stale: false, detail: differences.join('; ') };
}

/** Reads a trace file. Errors: SyntaxError, or RangeError for another format. */
export function parseTraceFile(text: string): TraceFile {
  const file = JSON.parse(text) as Omit<TraceFile, 'format'> & { readonly format: string };
  if (!isTraceFile(file)) throw new RangeError(`a trace file says "format": "${FORMAT}"`);
  // Names are resolved and the plan is built now, so that a broken file fails here and not halfway.
  modelOf(file.plan, variantNamed(file.variant));
  parseSchedule(file.choices);
  return file;
}

function isTraceFile(file: { readonly format: string }): file is TraceFile {
  return file.format === FORMAT;
}
