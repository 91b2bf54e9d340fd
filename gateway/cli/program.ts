/** The command line: one file per command, put together here. */
import { Command, CommanderError } from 'commander';
import { version } from '../version.ts';
import { exitCode } from './exit-codes.ts';
import type { Terminal } from './terminal.ts';

const examples = `
Examples:
  $ sallyport start                                       a demo that works as it is
  $ sallyport check sallyport.yaml                        is the configuration good?
  $ sallyport start -c sallyport.yaml                     run the gateway
  $ sallyport explain -c sallyport.yaml --path /orders    what would happen to a request, and why

Exit codes:
  0 it worked   1 it failed   2 the command line or the configuration cannot be used

Colours follow NO_COLOR and FORCE_COLOR.
`;

type Register = (program: Command, terminal: Terminal) => void;

/** What a command needs is loaded when it is the one that was asked for: `start` would wait for what all of them need. */
const commands: Readonly<Record<string, () => Promise<Register>>> = {
  start: async () => (await import('./start.ts')).registerStart,
  check: async () => (await import('./check.ts')).registerCheck,
  diff: async () => (await import('./diff.ts')).registerDiff,
  explain: async () => (await import('./explain.ts')).registerExplain,
  keys: async () => (await import('./keys.ts')).registerKeys,
  openapi: async () => (await import('./openapi.ts')).registerOpenapi,
  routes: async () => (await import('./routes.ts')).registerRoutes,
  schema: async () => (await import('./schema.ts')).registerSchema,
  sim: async () => (await import('./sim.ts')).registerSim,
  snippets: async () => (await import('./snippets.ts')).registerSnippets,
};

/** The program with the command that `args` begin with, or with all of them where they begin with none. */
async function buildProgram(args: readonly string[], terminal: Terminal): Promise<Command> {
  const program = new Command('sallyport')
    .description('A gateway that verifies bearer tokens and decides, route by route, who may pass.')
    .version(version, '-V, --version')
    .configureOutput({ writeOut: terminal.out, writeErr: terminal.err })
    .showSuggestionAfterError()
    .showHelpAfterError('(add --help for what there is)')
    .addHelpText('after', examples)
    // Before the commands: they take it over.
    .exitOverride();
  const [name = ''] = args;
  const wanted = Object.hasOwn(commands, name) ? [commands[name]!] : Object.values(commands);
  for (const load of wanted) (await load())(program, terminal);
  return program;
}

/** Runs a command line. `args` begin with the command. */
export async function runProgram(args: readonly string[], terminal: Terminal): Promise<void> {
  const program = await buildProgram(args, terminal);
  try {
    if (args.length === 0) {
      program.outputHelp({ error: true });
      terminal.exit(exitCode.usage);
      return;
    }
    await program.parseAsync(args, { from: 'user' });
  } catch (error) {
    // Help and version end here as well, with code 0; what they are about has been written.
    if (!(error instanceof CommanderError)) throw error;
    terminal.exit(error.exitCode === 0 ? exitCode.ok : exitCode.usage);
  }
}
