// What a whole run consists of: tasks that know nothing of each other, so that threads can share them out.

import { campaign, tryMutant, type Campaign, type MutantResult } from './campaign.ts';
import { readCorpus } from './corpus/corpus.ts';
import { check, variantNamed, type Check } from './corpus/trace-file.ts';
import { codeOf, codeOfChecks, exitCode, worst, type ExitCode } from './exit-codes.ts';
import { Nondeterminism } from './engine/program.ts';
import { mutantNamed, mutants } from './mutants/all.ts';
import { scenarioNamed, scenarios } from './scenarios/all.ts';
import type { Scenario } from './scenarios/scenario.ts';
import { isSampling, schedulerNamed } from './schedulers/named.ts';
import { sights, type Sight } from './sightings.ts';
import { shipped } from './world/world.ts';

export type Task =
  | { readonly kind: 'scenario'; readonly name: string; readonly options: TaskOptions }
  | { readonly kind: 'mutant'; readonly name: string; readonly options: TaskOptions }
  | { readonly kind: 'trace'; readonly name: string; readonly directory: string };

export interface TaskOptions {
  /** `real`, or the mutant that scenarios are run on. */
  readonly variant: string;
  readonly scheduler: string;
  readonly seed: number;
  readonly timeMsMax: number;
  readonly executionsMax: number;
}

export type TaskResult =
  | { readonly kind: 'scenario'; readonly campaign: Campaign }
  | {
      readonly kind: 'mutant';
      readonly result: MutantResult;
      readonly scenario: string;
      readonly kills: string;
    }
  | { readonly kind: 'trace'; readonly name: string; readonly checks: readonly Check[] }
  | { readonly kind: 'nondeterminism'; readonly name: string; readonly why: string };

export const defaultTaskOptions: TaskOptions = {
  variant: shipped.name,
  scheduler: 'exhaustive',
  seed: 1,
  timeMsMax: 100_000,
  executionsMax: 5_000_000,
};

/** Executions of a sampling scheduler that was asked for no number. */
const SAMPLED_EXECUTIONS = 20_000;

export function perform(task: Task): TaskResult {
  try {
    switch (task.kind) {
      case 'scenario': {
        return { kind: 'scenario', campaign: explore(scenarioNamed(task.name), task.options) };
      }
      case 'mutant': {
        const mutant = mutantNamed(task.name);
        const { scheduler, seed, timeMsMax } = task.options;
        const executionsMax = isSampling(scheduler) ? SAMPLED_EXECUTIONS : task.options.executionsMax;
        const result = tryMutant(mutant, schedulerNamed(scheduler, seed), { executionsMax, timeMsMax });
        return { kind: 'mutant', result, scenario: mutant.scenario, kills: mutant.kills };
      }
      case 'trace': {
        const file = readCorpus(task.directory).find((one) => one.name === task.name);
        if (file === undefined) throw new RangeError(`there is no trace "${task.name}"`);
        return { kind: 'trace', name: task.name, checks: check(file) };
      }
    }
  } catch (error) {
    if (error instanceof Nondeterminism)
      return { kind: 'nondeterminism', name: task.name, why: error.message };
    throw error;
  }
}

function explore(scenario: Scenario, options: TaskOptions): Campaign {
  const { seed, timeMsMax } = options;
  const sampling = isSampling(options.scheduler);
  // What is too wide to enumerate is sampled, whatever was asked for.
  const scheduler = schedulerNamed(
    scenario.sampled === undefined || sampling ? options.scheduler : 'pct',
    seed,
  );
  const most = scenario.sampled ?? (sampling ? SAMPLED_EXECUTIONS : Infinity);
  const limits = { executionsMax: Math.min(options.executionsMax, most), timeMsMax };
  return campaign(scenario, variantNamed(options.variant), scheduler, limits, seed);
}

export function scenarioTasks(names: readonly string[], options: TaskOptions): Task[] {
  const chosen = names.length === 0 ? scenarios : names.map(scenarioNamed);
  // The long ones first, so that no thread is left alone with one at the end.
  const ordered = [...chosen].sort((a, b) => Number(b.long === true) - Number(a.long === true));
  return ordered.map(({ name }) => ({ kind: 'scenario', name, options }));
}

export function mutantTasks(names: readonly string[], options: TaskOptions): Task[] {
  const chosen = names.length === 0 ? mutants : names.map(mutantNamed);
  return chosen.map(({ name }) => ({ kind: 'mutant', name, options }));
}

export function traceTasks(directory: string): Task[] {
  return readCorpus(directory).map(({ name }) => ({ kind: 'trace', name, directory }));
}

/** Situations that must occur and did not; only a run of all scenarios can tell. */
export function unseen(results: readonly TaskResult[]): readonly Sight[] {
  const seen = new Set<Sight>();
  for (const result of results) {
    if (result.kind === 'scenario') for (const sight of result.campaign.sights) seen.add(sight);
  }
  return sights.filter((sight) => !seen.has(sight));
}

export function codeOfResult(result: TaskResult): ExitCode {
  switch (result.kind) {
    case 'nondeterminism':
      return exitCode.nondeterminism;
    case 'scenario': {
      const { failure, complete, scheduler } = result.campaign;
      if (failure !== undefined) return codeOf(failure.violation);
      return complete || scheduler !== 'exhaustive' ? exitCode.ok : exitCode.incomplete;
    }
    case 'mutant':
      return result.result.fate === 'killed' ? exitCode.ok : exitCode.mutant;
    case 'trace':
      return codeOfChecks(result.checks);
  }
}

export function codeOfAll(results: readonly TaskResult[], everything: boolean): ExitCode {
  const codes = results.map(codeOfResult);
  if (everything && unseen(results).length > 0) codes.push(exitCode.incomplete);
  return worst(codes);
}
