/** `sallyport snippets`: the configuration of another proxy that forwards by the decisions of this one. */
import { Argument, InvalidArgumentError, type Command } from 'commander';
import { loadConfig } from '../config/load.ts';
import { formatProblems } from '../config/problem.ts';
import { decisionModes, type ProxyMode } from '../decision/mode.ts';
import { caddySnippet } from '../snippets/caddy.ts';
import { envoySnippet } from '../snippets/envoy.ts';
import { type Front, frontOf } from '../snippets/front.ts';
import { haproxyLua, haproxySnippet } from '../snippets/haproxy.ts';
import { nginxSnippet } from '../snippets/nginx.ts';
import { traefikSnippet } from '../snippets/traefik.ts';
import { exitCode } from './exit-codes.ts';
import type { Terminal } from './terminal.ts';

interface SnippetOptions {
  readonly config: string;
  readonly gateway?: string;
  readonly listen: string;
  readonly lua?: true;
}

const writers: Readonly<Record<ProxyMode, (front: Front) => string>> = {
  nginx: nginxSnippet,
  caddy: caddySnippet,
  traefik: traefikSnippet,
  envoy: envoySnippet,
  haproxy: haproxySnippet,
};

const examples = `
Examples:
  $ sallyport snippets nginx -c sallyport.yaml > /etc/nginx/conf.d/sallyport.conf
  $ sallyport snippets haproxy -c sallyport.yaml > haproxy.cfg
  $ sallyport snippets haproxy -c sallyport.yaml --lua > sallyport.lua

The proxy asks the section \`decision\` of the configuration about each request, and forwards what is allowed to the
upstream that the answer names. Print it again when upstreams or identity fields change; routes and scopes need no change.

Exit codes:
  0 it is printed   2 the command line or the configuration cannot be used
`;

export function registerSnippets(program: Command, terminal: Terminal): void {
  program
    .command('snippets')
    .description('print the configuration of a proxy that asks for decisions')
    .addArgument(
      new Argument('<proxy>', 'which one').choices(decisionModes.filter((mode) => mode !== 'batch')),
    )
    .requiredOption('-c, --config <file>', 'the configuration (YAML)')
    .option('--gateway <host:port>', 'where the proxy reaches the gateway (default: the listener)', authority)
    .option('--listen <host:port>', 'where the proxy listens', authority, '127.0.0.1:8000')
    .option('--lua', 'print the Lua file that HAProxy loads')
    .addHelpText('after', examples)
    .action(async (proxy: ProxyMode, options: SnippetOptions) => {
      terminal.exit(await print(proxy, options, terminal));
    });
}

/** No more than what a host and a port are made of: it is written into files of other languages. */
function authority(text: string): string {
  if (/^(?:[A-Za-z0-9.-]+|\[[0-9A-Fa-f:.]+\]):\d{1,5}$/.test(text)) return text;
  throw new InvalidArgumentError('It is a host and a port: 127.0.0.1:8080.');
}

async function print(proxy: ProxyMode, options: SnippetOptions, terminal: Terminal): Promise<number> {
  if (options.lua === true && proxy !== 'haproxy') {
    terminal.err('error: --lua is for haproxy\n');
    return exitCode.usage;
  }
  const loaded = await loadConfig(options.config, terminal.env);
  if (!loaded.ok) {
    terminal.err(formatProblems(loaded.problems));
    return exitCode.usage;
  }
  const front = frontOf(loaded.config, loaded.policy, proxy, options);
  if (typeof front === 'string') {
    terminal.err(`error: ${front}\n`);
    return exitCode.usage;
  }
  terminal.out(options.lua === true ? haproxyLua(front) : writers[proxy](front));
  return exitCode.ok;
}
