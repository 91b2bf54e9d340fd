/** `sallyport sim`: explore the schedules of the flight table, replay recorded races, stress it on real threads. */
import { Option, type Command } from 'commander';
import type { Io, RunOptions, StressCommandOptions } from '../../sim/cli.ts';
import { schedulerNames } from '../../sim/schedulers/named.ts';
import { exitCode } from './exit-codes.ts';
import type { Terminal } from './terminal.ts';

const examples = `
Examples:
  $ sallyport sim run                                      all scenarios, all mutants, all traces
  $ sallyport sim run burst-3 --scheduler pct --seed 7     one scenario, sampled
  $ sallyport sim run burst-25 --variant seed              the bug that it all began with, among 25 starts
  $ sallyport sim replay sim/traces/seed-check-then-insert.json --html race.html
  $ sallyport sim shrink seed                              find a mutant's failure and make it small
  $ sallyport sim mutants                                  does every deliberate bug die, and of the right invariant?
  $ sallyport sim stress --rounds 1000                     real threads

Exit codes:
  0 nothing is wrong          2 the command line cannot be used   10 an invariant is broken
  11 wedged, or without end   12 the source is nondeterministic   13 a trace no longer fits the code
  14 a mutant survived        15 cut short, or a situation that must occur did not
`;

const ioOf = (terminal: Terminal): Io => ({
  out: terminal.out,
  err: terminal.err,
  interactive: process.stderr.isTTY,
});

/** Registers the commands. The simulator is loaded when one of them runs: the gateway never needs it. */
export function registerSim(program: Command, terminal: Terminal): void {
  const sim = program
    .command('sim')
    .description('explore every schedule of the flight table')
    .addHelpText('after', examples);
  const exploring = (name: string, what: string, arg: string): Command =>
    sim
      .command(name)
      .description(what)
      .argument(`[${arg}...]`, `which ${arg}s; all by default`)
      .addOption(new Option('--scheduler <name>', schedulerNames.join(', ')).default('exhaustive'))
      .option('--seed <number>', 'for the schedulers that sample', whole, 1)
      .option('--json', 'results for programs', false)
      .option('--html <file>', 'where the timeline of a failure goes', 'report.html');

  exploring('run', 'run scenarios', 'scenario')
    .option('--variant <mutant>', 'run them on a deliberate bug', 'real')
    .action((names: string[], options: RunFlags) =>
      finish(terminal, async () => {
        const { defaultRunOptions, runScenarios } = await import('../../sim/cli.ts');
        return runScenarios(names, { ...defaultRunOptions, ...options }, ioOf(terminal));
      }),
    );
  exploring('mutants', 'try the deliberate bugs', 'mutant').action((names: string[], options: RunFlags) =>
    finish(terminal, async () => {
      const { defaultRunOptions, runMutants } = await import('../../sim/cli.ts');
      return runMutants(names, { ...defaultRunOptions, ...options }, ioOf(terminal));
    }),
  );
  sim
    .command('replay')
    .description('replay recorded races and check what they assert')
    .argument('<trace...>', 'trace files')
    .option('--real', 'drive real threads through it as well', false)
    .option('--json', 'results for programs', false)
    .option('--html <file>', 'write the timeline of a single trace')
    .action((paths: string[], { real, json, html }: { real: boolean; json: boolean; html?: string }) =>
      finish(terminal, async () => {
        const { replayTraces } = await import('../../sim/cli.ts');
        return replayTraces(paths, { real, json, html }, ioOf(terminal));
      }),
    );
  sim
    .command('shrink')
    .description("find a mutant's failure and make it small")
    .argument('<mutant...>', 'mutants, or "corpus" for all recorded races')
    .option('--write', 'keep it under sim/traces', false)
    .option('--html <file>', 'write its timeline')
    .action((names: string[], { write, html }: { write: boolean; html?: string }) =>
      finish(terminal, async () => {
        const { shrinkMutants } = await import('../../sim/cli.ts');
        return shrinkMutants(names, { write, html }, ioOf(terminal));
      }),
    );
  sim
    .command('stress')
    .description('bursts on real threads')
    .option('--rounds <number>', 'rounds, each on a fresh key', whole, 1_000)
    .option('--starters <number>', 'starts of a round', whole, 25)
    .option('--threads <number>', 'real threads', whole, 4)
    .option('--provider-ms <number>', 'how long the provider takes', whole, 5)
    .option('--terminate <seconds>', 'instead: end threads at random for so long', whole, 0)
    .option('--json', 'results for programs', false)
    .action((options: StressCommandOptions) =>
      finish(terminal, async () => {
        const { stressThreads } = await import('../../sim/cli.ts');
        return stressThreads(options, ioOf(terminal));
      }),
    );
}

type RunFlags = Pick<RunOptions, 'scheduler' | 'seed' | 'json' | 'html'> &
  Partial<Pick<RunOptions, 'variant'>>;

async function finish(terminal: Terminal, command: () => Promise<number>): Promise<void> {
  try {
    terminal.exit(await command());
  } catch (error) {
    // A name that there is not, or a file that is no trace.
    if (!(error instanceof RangeError || error instanceof SyntaxError || isMissingFile(error))) throw error;
    terminal.err(`error: ${(error as Error).message}\n`);
    terminal.exit(exitCode.usage);
  }
}

function isMissingFile(error: unknown): boolean {
  return error instanceof Error && 'code' in error && error.code === 'ENOENT';
}

function whole(text: string): number {
  const value = Number(text);
  if (!Number.isSafeInteger(value) || value < 0) throw new RangeError(`"${text}" is no whole number`);
  return value;
}
