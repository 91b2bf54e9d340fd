/** `sallyport check`: everything that can be said of a configuration without running it. */
import type { Command } from 'commander';
import { Option } from 'commander';
import { loadConfig } from '../config/load.ts';
import { formatProblems, problemsAsGithub, problemsAsJson, type Problem } from '../config/problem.ts';
import { exitCode } from './exit-codes.ts';
import type { Terminal } from './terminal.ts';

type Format = 'text' | 'json' | 'github';

const examples = `
Examples:
  $ sallyport check sallyport.yaml                    say what is wrong with it, or how many routes it has
  $ sallyport check sallyport.yaml --format json      the same for programs
  $ sallyport check sallyport.yaml --format github    marks in a pull request

Checks syntax, names, values, and that the policy can be met and is not ambiguous. Opens no socket and fetches no keys.
Variables that the file takes from the environment must be set, or have defaults.

Exit codes:
  0 the configuration is good   2 it is not, or it cannot be read
`;

export function registerCheck(program: Command, terminal: Terminal): void {
  program
    .command('check')
    .description('check a configuration')
    .argument('<file>', 'the configuration (YAML)')
    .addOption(
      new Option('--format <format>', 'how to report').choices(['text', 'json', 'github']).default('text'),
    )
    .addHelpText('after', examples)
    .action(async (file: string, { format }: { format: Format }) => {
      terminal.exit(await check(file, format, terminal));
    });
}

async function check(file: string, format: Format, terminal: Terminal): Promise<number> {
  const loaded = await loadConfig(file, terminal.env);
  const problems: readonly Problem[] = loaded.ok ? [] : loaded.problems;
  const warnings: readonly Problem[] = loaded.ok ? loaded.warnings : [];
  switch (format) {
    case 'json':
      terminal.out(problemsAsJson(file, problems, warnings));
      break;
    case 'github':
      terminal.out(problemsAsGithub(problems, 'error') + problemsAsGithub(warnings, 'warning'));
      break;
    case 'text':
      terminal.err(formatProblems(problems));
      if (warnings.length > 0)
        terminal.err(`${terminal.colors.yellow('Warnings:')}\n${formatProblems(warnings)}`);
      if (loaded.ok) {
        const { routes } = loaded.policy;
        const open = routes.filter(({ access }) => access === null).length;
        terminal.out(`${file}: good. ${counted(routes.length, 'route')}, ${open} of them public.\n`);
      } else terminal.err(`${file}: ${terminal.colors.red(counted(problems.length, 'problem'))}.\n`);
  }
  return loaded.ok ? exitCode.ok : exitCode.usage;
}

const counted = (count: number, noun: string): string => `${count} ${noun}${count === 1 ? '' : 's'}`;
