/** The command line: one file per command, put together here. */
import { Command, CommanderError } from 'commander';
import { version } from '../version.ts';
import { registerCheck } from './check.ts';
import { registerDiff } from './diff.ts';
import { exitCode } from './exit-codes.ts';
import { registerExplain } from './explain.ts';
import { registerKeys } from './keys.ts';
import { registerOpenapi } from './openapi.ts';
import { registerRoutes } from './routes.ts';
import { registerSchema } from './schema.ts';
import { registerSim } from './sim.ts';
import { registerSnippets } from './snippets.ts';
import { registerStart } from './start.ts';
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

export function buildProgram(terminal: Terminal): Command {
  const program = new Command('sallyport')
    .description('A gateway that verifies bearer tokens and decides, route by route, who may pass.')
    .version(version, '-V, --version')
    .configureOutput({ writeOut: terminal.out, writeErr: terminal.err })
    .showSuggestionAfterError()
    .showHelpAfterError('(add --help for what there is)')
    .addHelpText('after', examples)
    // Before the commands: they take it over.
    .exitOverride();
  registerStart(program);
  registerCheck(program, terminal);
  registerDiff(program, terminal);
  registerExplain(program, terminal);
  registerKeys(program, terminal);
  registerOpenapi(program, terminal);
  registerRoutes(program, terminal);
  registerSchema(program, terminal);
  registerSim(program, terminal);
  registerSnippets(program, terminal);
  return program;
}

/** Runs a command line. `args` begin with the command. */
export async function runProgram(args: readonly string[], terminal: Terminal): Promise<void> {
  const program = buildProgram(terminal);
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
