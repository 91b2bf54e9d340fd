/** `sallyport explain`: which route a request takes, every check on the way, and the answer. */
import { InvalidArgumentError, Option, type Command } from 'commander';
import { loadConfig } from '../config/load.ts';
import { formatProblems } from '../config/problem.ts';
import type { Config } from '../config/schema.ts';
import { refusals } from '../core/errors.ts';
import { accountOfRequest } from '../oauth/account.ts';
import type { Policy } from '../route/policy.ts';
import { exitCode } from './exit-codes.ts';
import { type Explanation, explainRequest, type TokenReading } from './explanation.ts';
import { explanationAsJson, explanationAsText } from './explanation-text.ts';
import type { Terminal } from './terminal.ts';

interface ExplainOptions {
  readonly config: string;
  readonly method: string;
  readonly path: string;
  readonly token?: string;
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
    .option('--online', 'fetch key sets')
    .option('--now <seconds>', 'the time to decide by, in seconds since 1970', readSeconds)
    .addOption(new Option('--format <format>', 'how to report').choices(['text', 'json']).default('text'))
    .option('--exit-code', 'exit 1 where the request is refused')
    .addHelpText('after', examples)
    .action(async (options: ExplainOptions) => {
      terminal.exit(await explain(options, terminal));
    });
}

function readSeconds(text: string): number {
  const seconds = Number(text);
  if (text.trim() === '' || !Number.isFinite(seconds))
    throw new InvalidArgumentError('It is a number of seconds.');
  return seconds;
}

async function explain(options: ExplainOptions, terminal: Terminal): Promise<number> {
  const loaded = await loadConfig(options.config, terminal.env);
  if (!loaded.ok) {
    terminal.err(formatProblems(loaded.problems));
    return exitCode.usage;
  }
  const { config, policy } = loaded;
  const token = await tokenOf(options, config, policy, terminal);
  const nowSeconds = options.now ?? Date.now() / 1000;
  const decided = explainRequest({
    policy,
    targetBytesMax: config.listener.maxTargetBytes,
    method: options.method,
    target: options.path,
    token,
    nowSeconds,
  });
  const explanation = await withCredential(decided, config, policy, token, nowSeconds, terminal);
  const verified = token.kind !== 'read' || token.verified;
  terminal.out(
    options.format === 'json'
      ? explanationAsJson(explanation, verified)
      : explanationAsText(explanation, verified, policy.vocabulary, terminal.colors),
  );
  return options.exitCode === true && explanation.refusal !== null ? exitCode.failed : exitCode.ok;
}

/** The stored credential of a request that the policy lets through, where its route sends one upstream. */
async function withCredential(
  explanation: Explanation,
  { oauth }: Config,
  { vocabulary }: Policy,
  token: TokenReading,
  nowSeconds: number,
  { env }: Terminal,
): Promise<Explanation> {
  const use = explanation.route?.credential ?? null;
  if (explanation.refusal !== null || use === null || oauth === undefined) return explanation;
  const { readCredential } = await import('./credential-reading.ts');
  const account = accountOfRequest(use, token.kind === 'read' ? token.facts : null, vocabulary);
  const step = await readCredential(oauth, use.provider, account, nowSeconds * 1000, env);
  const refusal = step.passed || step.code === null ? null : refusals[step.code];
  return { ...explanation, steps: [...explanation.steps, step], refusal };
}

async function tokenOf(
  options: ExplainOptions,
  config: Config,
  policy: Policy,
  terminal: Terminal,
): Promise<TokenReading> {
  if (options.token === undefined) return { kind: 'none' };
  const given = options.token === '-' ? await terminal.readInput() : options.token;
  const token = given.trim().replace(/^bearer(?: +|$)/i, '');
  if (token === '') return { kind: 'none' };
  // Verification and its key sources are loaded only where they are used.
  const { readToken } = await import('./token-reading.ts');
  return readToken(config, policy, token, { env: terminal.env, online: options.online === true });
}
