// The commands of the simulator, without their command line: gateway/cli/sim.ts and main.ts parse the words and call
// these. Each writes to `io` and answers the exit code.

import { readFileSync, writeFileSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { basename } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Campaign } from './campaign.ts';
import { corpus, shrinkMutant, writeTraceFile } from './corpus/corpus.ts';
import {
  check,
  checkReal,
  parseTraceFile,
  replayExactly,
  variantNamed,
  type TraceFile,
} from './corpus/trace-file.ts';
import { codeOfChecks, exitCode, worst, type ExitCode } from './exit-codes.ts';
import { performAll } from './pool.ts';
import { GatedCrew } from './real/gated.ts';
import { stress } from './real/stress.ts';
import { terminate } from './real/termination.ts';
import { renderHtml } from './report/html.ts';
import { renderSummary } from './report/summary.ts';
import { renderFailure, renderTrace, type Headline } from './report/terminal.ts';
import { preemptionsOf, benchOf } from './run.ts';
import { StaleSchedule } from './schedulers/replay.ts';
import { formatSchedule } from './schedulers/schedule.ts';
import { shrink } from './shrink/shrink.ts';
import {
  codeOfAll,
  defaultTaskOptions,
  mutantTasks,
  scenarioTasks,
  traceTasks,
  unseen,
  type Task,
  type TaskOptions,
  type TaskResult,
} from './suite.ts';

export interface Io {
  readonly out: (text: string) => void;
  readonly err: (text: string) => void;
  /** A terminal that a progress line can be rewritten on. */
  readonly interactive: boolean;
}

export interface RunOptions {
  /** `real`, or a mutant to run the scenarios on. */
  readonly variant: string;
  readonly scheduler: string;
  readonly seed: number;
  readonly json: boolean;
  /** Where the timeline of a failure is written. */
  readonly html: string;
  readonly threads: number;
}

export const defaultRunOptions: RunOptions = {
  variant: defaultTaskOptions.variant,
  scheduler: defaultTaskOptions.scheduler,
  seed: defaultTaskOptions.seed,
  json: false,
  html: 'report.html',
  threads: Math.max(1, Math.min(8, availableParallelism())),
};

/** The traces of this repository, seen from the compiled program. */
export const tracesDirectory = fileURLToPath(new URL('../../sim/traces', import.meta.url));

/** Scenarios by name, or everything: all scenarios, all mutants, all traces. Errors: RangeError for a name. */
export async function runScenarios(names: readonly string[], options: RunOptions, io: Io): Promise<ExitCode> {
  const taskOptions = taskOptionsOf(options);
  const { scheduler, variant } = defaultRunOptions;
  const everything = names.length === 0 && options.scheduler === scheduler && options.variant === variant;
  const tasks = scenarioTasks(names, taskOptions);
  if (everything) tasks.push(...mutantTasks([], taskOptions), ...traceTasks(tracesDirectory));
  return conduct(tasks, options, everything, io);
}

/** Mutants by name, or all. Errors: RangeError for a name. */
export async function runMutants(names: readonly string[], options: RunOptions, io: Io): Promise<ExitCode> {
  return conduct(mutantTasks(names, taskOptionsOf(options)), options, false, io);
}

function taskOptionsOf(options: RunOptions): TaskOptions {
  const { scheduler, seed, variant } = options;
  return { ...defaultTaskOptions, scheduler, seed, variant };
}

async function conduct(
  tasks: readonly Task[],
  options: RunOptions,
  everything: boolean,
  io: Io,
): Promise<ExitCode> {
  const started = performance.now();
  if (!options.json)
    io.err(`sim: seed ${options.seed}, scheduler ${options.scheduler}, ${options.threads} threads\n`);
  const results = await performAll(tasks, options.threads, ({ done, total, task }) => {
    if (io.interactive && !options.json) io.err(`\r\u001B[K${done}/${total} ${task.kind} ${task.name}`);
  });
  if (io.interactive && !options.json) io.err('\r\u001B[K');
  const code = codeOfAll(results, everything);
  const ms = performance.now() - started;
  if (options.json) io.out(`${JSON.stringify(jsonOf(results, everything, options, code, ms), null, 2)}\n`);
  else {
    io.out(`${renderSummary(results, everything)}\n\n`);
    io.out(`${code === exitCode.ok ? 'ok' : `FAILED (exit code ${code})`} in ${(ms / 1000).toFixed(1)} s\n`);
  }
  const failed = results.find(
    (result) => result.kind === 'scenario' && result.campaign.failure !== undefined,
  );
  if (failed?.kind === 'scenario') explain(failed.campaign, options, io);
  return code;
}

/** Shrinks and shows the failure of a scenario on the shipped source. */
function explain(campaign: Campaign, options: RunOptions, io: Io): void {
  if (campaign.failure === undefined) return;
  const variant = variantNamed(campaign.variant);
  const { plan, failure } = shrink(campaign.failure.plan, variant, campaign.failure);
  const told = replayExactly(plan, variant, formatSchedule(failure.schedule));
  const headline: Headline = {
    scenario: campaign.scenario,
    variant: campaign.variant,
    scheduler: campaign.scheduler,
    execution: campaign.failure.execution,
    replay: `sallyport sim run ${campaign.scenario} --variant ${campaign.variant} --scheduler ${campaign.scheduler} --seed ${options.seed}`,
  };
  writeFileSync(options.html, renderHtml(told.trace, failure.violation, headline));
  io.err(`\n${renderFailure(told.trace, failure.violation, headline)}\ntimeline: ${options.html}\n`);
}

function jsonOf(
  results: readonly TaskResult[],
  everything: boolean,
  options: RunOptions,
  code: ExitCode,
  ms: number,
): unknown {
  const { scheduler, seed, threads } = options;
  return {
    code,
    seed,
    scheduler,
    threads,
    ms: Math.round(ms),
    neverSeen: everything ? unseen(results) : [],
    results: results.map((result) =>
      result.kind === 'scenario'
        ? { kind: 'scenario', ...result.campaign, failure: failureJson(result.campaign) }
        : result.kind === 'mutant'
          ? {
              kind: 'mutant',
              name: result.result.mutant,
              fate: result.result.fate,
              failure: failureJson(result.result.campaign),
            }
          : result,
    ),
  };
}

function failureJson({ failure }: Campaign): unknown {
  if (failure === undefined) return null;
  return { ...failure.violation, execution: failure.execution, schedule: formatSchedule(failure.schedule) };
}

export interface ReplayOptions {
  /** Drive real threads through each race as well, and compare every result. */
  readonly real: boolean;
  readonly json: boolean;
  readonly html: string | undefined;
}

/** Replays trace files and checks their three assertions; shows the race of a single one. */
export async function replayTraces(
  paths: readonly string[],
  options: ReplayOptions,
  io: Io,
): Promise<ExitCode> {
  const crew = options.real ? new GatedCrew() : undefined;
  let code: ExitCode = exitCode.ok;
  try {
    for (const path of paths) {
      const file = parseTraceFile(readFileSync(path, 'utf8'));
      const checks = check(file);
      if (crew !== undefined) checks.push(await checkReal(file, crew));
      code = worst([code, codeOfChecks(checks)]);
      if (options.json) io.out(`${JSON.stringify({ name: file.name, checks })}\n`);
      else {
        if (paths.length === 1) show(file, path, options, io);
        else io.out(`${file.name}\n`);
        for (const one of checks)
          io.out(`${one.ok ? '✓' : '✗'} ${one.name}${one.detail === '' ? '' : `: ${one.detail}`}\n`);
      }
    }
  } finally {
    await crew?.dismiss();
  }
  return code;
}

function show(file: TraceFile, path: string, options: ReplayOptions, io: Io): void {
  const variant = variantNamed(file.variant);
  try {
    const told = replayExactly(file.plan, variant, file.choices);
    const headline = headlineOf(file, `sallyport sim replay ${path}`);
    io.out(`${file.name}: ${file.title}\n`);
    if (told.violation === undefined) io.out(`${renderTrace(told.trace)}\n\n`);
    else io.out(`${renderFailure(told.trace, told.violation, headline)}\n\n`);
    if (options.html !== undefined) {
      writeFileSync(options.html, renderHtml(told.trace, told.violation, headline));
      io.err(`timeline: ${options.html}\n`);
    }
  } catch (error) {
    if (!(error instanceof StaleSchedule)) throw error;
    io.err(`${basename(path)}: ${error.message}\n`);
  }
}

function headlineOf(file: TraceFile, replay: string): Headline {
  const { scenario, variant, found } = file;
  return { scenario, variant, scheduler: found.scheduler, execution: found.execution, replay };
}

export interface ShrinkOptions {
  readonly write: boolean;
  readonly html: string | undefined;
}

/** Finds the failure of each mutant and shrinks it; with `write` keeps it as a trace file. `corpus` names them all. */
export function shrinkMutants(names: readonly string[], options: ShrinkOptions, io: Io): ExitCode {
  const chosen = names.includes('corpus') ? corpus : names.map((name) => corpusEntry(name));
  for (const [fileName, mutant] of chosen) {
    const { file, shrunk, stepsBefore } = shrinkMutant(mutant, fileName);
    const path = options.write ? writeTraceFile(tracesDirectory, file) : undefined;
    const variant = variantNamed(mutant);
    const told = replayExactly(file.plan, variant, file.choices);
    const preemptions = preemptionsOf(benchOf(file.plan, variant), shrunk.failure.schedule);
    const headline = headlineOf(file, `sallyport sim replay ${path ?? `sim/traces/${file.name}.json`}`);
    io.out(`${renderFailure(told.trace, shrunk.failure.violation, headline)}\n`);
    io.out(
      `shrunk from ${stepsBefore} to ${told.trace.steps.length} steps, ${preemptions} preemptions, in ${shrunk.spent} executions\n`,
    );
    if (path !== undefined) io.err(`written: ${path}\n`);
    if (options.html !== undefined)
      writeFileSync(options.html, renderHtml(told.trace, shrunk.failure.violation, headline));
    io.out('\n');
  }
  return exitCode.ok;
}

function corpusEntry(name: string): readonly [string, string] {
  return corpus.find(([file, mutant]) => file === name || mutant === name) ?? [name, name];
}

/** Real threads: bursts on the flight table and on check-then-insert. */
export interface StressCommandOptions {
  readonly rounds: number;
  readonly starters: number;
  readonly threads: number;
  /** How long the provider takes; 0 is one turn of the event loop. */
  readonly providerMs: number;
  /** Instead of bursts: end threads at random for so many seconds. */
  readonly terminate: number;
  readonly json: boolean;
}

export async function stressThreads(options: StressCommandOptions, io: Io): Promise<ExitCode> {
  if (options.terminate > 0) return terminateThreads(options, io);
  const { rounds, starters, threads, providerMs } = options;
  const flight = await stress({ threads, rounds, starters, table: 'flight', providerMs });
  const insert = await stress({
    threads,
    rounds: Math.min(rounds, 200),
    starters,
    table: 'insert',
    providerMs,
  });
  const single = flight.creations[1] === flight.rounds && flight.mismatches === 0;
  if (options.json) io.out(`${JSON.stringify({ flight, insert })}\n`);
  else {
    io.out(
      `flight table: ${flight.rounds} rounds of ${starters} starts on ${threads} threads, flows per round: ${countsOf(flight.creations)}\n`,
    );
    io.out(`check then insert: ${insert.rounds} rounds, flows per round: ${countsOf(insert.creations)}\n`);
  }
  return single ? exitCode.ok : exitCode.violation;
}

async function terminateThreads(options: StressCommandOptions, io: Io): Promise<ExitCode> {
  const { threads, terminate: seconds } = options;
  const report = await terminate({ threads, keys: 8, durationMs: seconds * 1000, pauseMsMax: 40, seed: 1 });
  const { killed, tally, wedged, blocksLeft, seatsLeft } = report;
  const sound = wedged.length === 0 && tally.secondLive === 0 && blocksLeft === 0 && seatsLeft === 0;
  if (options.json)
    io.out(
      `${JSON.stringify(report, (_, value: unknown) => (typeof value === 'bigint' ? Number(value) : value))}\n`,
    );
  else {
    io.out(`ended ${killed} threads in ${seconds} s under ${tally.answers} answered starts\n`);
    io.out(
      `second live flows ${tally.secondLive}, keys wedged ${wedged.length}, blocks left ${blocksLeft}, seats left ${seatsLeft}\n`,
    );
  }
  return sound ? exitCode.ok : exitCode.violation;
}

function countsOf(creations: Readonly<Record<number, number>>): string {
  return Object.entries(creations)
    .map(([count, rounds]) => `${count} in ${rounds}`)
    .join(', ');
}
