/** `sallyport explain`: which route a request takes, every check on the way, and the answer. */
import { readFile } from 'node:fs/promises';
import { InvalidArgumentError, Option, type Command } from 'commander';
import { loadConfig } from '../config/load.ts';
import { formatProblems } from '../config/problem.ts';
import { explain } from '../explain/explain.ts';
import { thumbprintOfPem } from '../tls/thumbprint.ts';
import { exitCode } from './exit-codes.ts';
import { explanationAsJson, explanationAsText } from './explanation-text.ts';
import type { Terminal } from './terminal.ts';

interface ExplainOptions {
  readonly config: string;
  readonly method: string;
  readonly path: string;
  readonly token?: string;
  readonly clientCert?: string;
  readonly online?: true;
  readonly now?: number;
  readonly format: 'text' | 'json';
  readonly exitCode?: true;
}

const examples = `
Examples:
  $ sallyport explain -c sallyport.yaml --method GET --path /orders/5
  $ sallyport explain -c sallyport.yaml --method PATCH --path /orders/5 --token "$TOKEN" --online
  $ my-login | sallyport explain -c sallyport.yaml --method GET --path /orders --token -

The token is verified as the gateway does it, with keys from files and the environment; key sets are fetched with --online
only. Without it, a token of such an issuer is read but its signature is not checked, and the answer says so. Tokens given
as an argument are seen by other users of the machine: prefer "--token -".

Where the route sends a stored credential upstream, the credential store is opened to say whether it is there.

Exit codes:
  0 the answer is printed, whatever it is   1 with --exit-code, where the request is refused   2 the command line or the configuration cannot be used
`;

export function registerExplain(program: Command, terminal: Terminal): void {
  program
    .command('explain')
    .description('say what would happen to a request, and why')
    .requiredOption('-c, --config <file>', 'the configuration (YAML)')
    .requiredOption('--path <target>', 'the path of the request, with its query if it has one')
    .option('--method <method>', 'the method of the request', (text) => text.toUpperCase(), 'GET')
    .option('--token <token>', 'the bearer token; - reads it from standard input')
    .option(
      '--client-cert <file>',
      'the certificate that the caller shows (PEM), for tokens that are bound to one',
    )
    .option('--online', 'fetch key sets')
    .option('--now <seconds>', 'the time to decide by, in seconds since 1970', readSeconds)
    .addOption(new Option('--format <format>', 'how to report').choices(['text', 'json']).default('text'))
    .option('--exit-code', 'exit 1 where the request is refused')
    .addHelpText('after', examples)
    .action(async (options: ExplainOptions) => {
      terminal.exit(await run(options, terminal));
    });
}

function readSeconds(text: string): number {
  const seconds = Number(text);
  if (text.trim() === '' || !Number.isFinite(seconds))
    throw new InvalidArgumentError('It is a number of seconds.');
  return seconds;
}

/** Null where the file cannot be read, or holds none. */
async function thumbprintIn(file: string): Promise<string | null> {
  return readFile(file, 'latin1').then(thumbprintOfPem, () => null);
}

async function run(options: ExplainOptions, terminal: Terminal): Promise<number> {
  const loaded = await loadConfig(options.config, terminal.env);
  if (!loaded.ok) {
    terminal.err(formatProblems(loaded.problems));
    return exitCode.usage;
  }
  const { config, policy } = loaded;
  const certificate = options.clientCert === undefined ? null : await thumbprintIn(options.clientCert);
  if (options.clientCert !== undefined && certificate === null) {
    terminal.err(`${options.clientCert}: no certificate in PEM form\n`);
    return exitCode.usage;
  }
  const given = options.token === '-' ? await terminal.readInput() : (options.token ?? '');
  const { explanation, verified } = await explain(
    {
      config,
      policy,
      environment: terminal.env,
      nowSeconds: options.now ?? Date.now() / 1000,
      keys: async () => {
        // Key sources are loaded only where they are used.
        const { keysAtStart } = await import('../explain/token-reading.ts');
        return keysAtStart(config, terminal.env, options.online === true);
      },
    },
    { method: options.method, target: options.path, token: given, certificate },
  );
  terminal.out(
    options.format === 'json'
      ? explanationAsJson(explanation, verified)
      : explanationAsText(explanation, verified, policy.vocabulary, terminal.colors),
  );
  return options.exitCode === true && explanation.refusal !== null ? exitCode.failed : exitCode.ok;
}
