/** `sallyport schema`: the JSON Schema of the configuration, for editors. */
import type { Command } from 'commander';
import { jsonSchemaText } from '../config/json-schema.ts';
import type { Terminal } from './terminal.ts';

const examples = `
Examples:
  $ sallyport schema > sallyport.schema.json

Then begin the configuration with this line, and the editor completes and checks it:
  # yaml-language-server: $schema=./sallyport.schema.json
`;

export function registerSchema(program: Command, terminal: Terminal): void {
  program
    .command('schema')
    .description('print the JSON Schema (draft-07) of the configuration')
    .addHelpText('after', examples)
    .action(() => terminal.out(jsonSchemaText()));
}
