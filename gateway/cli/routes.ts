/** `sallyport routes`: the compiled policy, route by route, and where each part of it was written. */
import { Option, type Command } from 'commander';
import { loadConfig } from '../config/load.ts';
import { formatProblems } from '../config/problem.ts';
import { besides } from '../explain/wording.ts';
import type { Policy } from '../route/policy.ts';
import { exitCode } from './exit-codes.ts';
import { cellsOf } from '../explain/route-row.ts';
import { routeTable, type RouteRow } from '../explain/route-table.ts';
import type { Colors, Terminal } from './terminal.ts';

const examples = `
Examples:
  $ sallyport routes -c sallyport.yaml           what each route asks for, who answers it, and where that is written
  $ sallyport routes -c sallyport.yaml --json    the same for programs: keep it beside the code, and review what changes

Everything is resolved: inherited settings, unions over the levels, defaults. "from" names the lines of the nodes that a
setting comes from, where that is not the line of the route itself.

Exit codes:
  0 the table is printed   2 the command line or the configuration cannot be used
`;

export function registerRoutes(program: Command, terminal: Terminal): void {
  program
    .command('routes')
    .description('print the compiled routes, and where each part of them comes from')
    .requiredOption('-c, --config <file>', 'the configuration (YAML)')
    .addOption(new Option('--json', 'for programs'))
    .addHelpText('after', examples)
    .action(async ({ config, json }: { config: string; json?: true }) => {
      terminal.exit(await printRoutes(config, json === true, terminal));
    });
}

async function printRoutes(file: string, asJson: boolean, terminal: Terminal): Promise<number> {
  const loaded = await loadConfig(file, terminal.env);
  if (!loaded.ok) {
    terminal.err(formatProblems(loaded.problems));
    return exitCode.usage;
  }
  const rows = routeTable(loaded);
  const { policy } = loaded;
  terminal.out(asJson ? tableAsJson(rows, policy) : tableAsText(rows, policy, terminal.colors));
  return exitCode.ok;
}

/** `version` changes with the shape. Spelling is that of the configuration. */
function tableAsJson(rows: readonly RouteRow[], policy: Policy): string {
  const routes = rows.map(({ accessHook, allowInPath, bodyBytesMax, jsonBody, at, from, ...row }) => ({
    ...row,
    tokens: row.tokens.map(({ certificateBound, ...token }) => ({
      ...token,
      certificate_bound: certificateBound,
    })),
    access_hook: accessHook,
    allow_in_path: allowInPath,
    max_body_bytes: bodyBytesMax,
    json_body: jsonBody,
    at,
    from,
  }));
  return `${JSON.stringify({ version: 1, routes, closed: patternsOf(policy) }, null, 2)}\n`;
}

const columns = ['METHODS', 'PATH', 'TOKENS', 'SCOPES', 'BOUND TO', 'ANSWERED BY', 'WRITTEN'] as const;

const patternsOf = ({ closed }: Policy): string[] => closed.map(({ pattern }) => pattern);

function tableAsText(rows: readonly RouteRow[], policy: Policy, colors: Colors): string {
  const below = patternsOf(policy).map((pattern) => ['*', pattern, '', '', '', 'nothing else: 404', '']);
  const cells = [...rows.map((row) => cellsOf(row)), ...below];
  const widths = columns.map((name, column) =>
    Math.max(name.length, ...cells.map((line) => line[column]!.length)),
  );
  const lineOf = (line: readonly string[]): string =>
    line
      .map((cell, column) => cell.padEnd(widths[column]!))
      .join('  ')
      .trimEnd();
  const lines = [colors.bold(lineOf(columns))];
  for (const [index, row] of rows.entries()) {
    lines.push(lineOf(cells[index]!));
    for (const sentence of besides(policy.routes[index]!, policy)) lines.push(colors.dim(`    ${sentence}`));
    for (const [setting, places] of Object.entries(row.from)) {
      const above = places.filter((place) => place !== row.at);
      if (above.length > 0) lines.push(colors.dim(`    ${setting} from ${above.join(', ')}`));
    }
  }
  lines.push(...below.map(lineOf));
  return `${lines.join('\n')}\n`;
}
