/** `sallyport openapi`: the OpenAPI document of the routes. */
import type { Command } from 'commander';
import { loadConfig } from '../config/load.ts';
import { formatProblems } from '../config/problem.ts';
import { mixedVersions } from '../config/published.ts';
import { exitCode } from './exit-codes.ts';
import type { Terminal } from './terminal.ts';

const examples = `
Examples:
  $ sallyport openapi -c sallyport.yaml > openapi.json    what a route with "respond: { openapi: true }" answers

Every route is in it, with the scopes that its tokens need. Imported operations are described as in their documents, without
the extensions that "openapi.internal" names.

Exit codes:
  0 the document is printed   1 imported documents cannot be published as one   2 the command line or the configuration cannot be used
`;

export function registerOpenapi(program: Command, terminal: Terminal): void {
  program
    .command('openapi')
    .description('print the OpenAPI document of the routes')
    .requiredOption('-c, --config <file>', 'the configuration (YAML)')
    .addHelpText('after', examples)
    .action(async ({ config }: { config: string }) => {
      terminal.exit(await printDocument(config, terminal));
    });
}

async function printDocument(file: string, terminal: Terminal): Promise<number> {
  const loaded = await loadConfig(file, terminal.env);
  if (!loaded.ok) {
    terminal.err(formatProblems(loaded.problems));
    return exitCode.usage;
  }
  const document = loaded.openapi();
  if (document === null) {
    terminal.err(`${file}: ${mixedVersions}\n`);
    return exitCode.failed;
  }
  terminal.out(document);
  return exitCode.ok;
}
