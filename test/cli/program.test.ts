import { describe, expect, test } from 'vitest';
import { jsonSchemaText } from '../../gateway/config/json-schema.ts';
import { wantsColor } from '../../gateway/cli/terminal.ts';
import { version } from '../../gateway/version.ts';
import { run } from './memory-terminal.ts';

test('--help says what there is, with examples and exit codes, on stdout', async () => {
  const { code, out, err } = await run(['--help']);
  expect({ code, err }).toEqual({ code: 0, err: '' });
  for (const word of ['Examples:', 'Exit codes:', 'start', 'check', 'explain', 'schema'])
    expect(out).toContain(word);
});

test.each(['start', 'check', 'explain', 'schema'])('%s --help has examples', async (command) => {
  const { code, out } = await run([command, '--help']);
  expect(code).toBe(0);
  expect(out).toContain(`$ sallyport ${command}`);
});

test('--version', async () => {
  expect(await run(['--version'])).toEqual({ code: 0, out: `${version}\n`, err: '' });
});

test('schema prints the JSON Schema', async () => {
  expect((await run(['schema'])).out).toBe(jsonSchemaText());
});

describe('a command line that cannot be used is exit code 2, on stderr', () => {
  test.each([
    [[], 'Usage:'],
    [['chek'], "unknown command 'chek'\n(Did you mean check?)"],
    [['check'], "missing required argument 'file'"],
    [['check', 'a', '--frmat', 'json'], '(Did you mean --format?)'],
    [['check', 'a', '--format', 'xml'], 'Allowed choices are text, json, github'],
    [['explain', '--path', '/'], "required option '-c, --config <file>' not specified"],
    [['explain', '-c', 'a'], "required option '--path <target>' not specified"],
    [['explain', '-c', 'a', '--path', '/', '--now', 'noon'], 'It is a number of seconds.'],
  ])('%j', async (args, message) => {
    const { code, out, err } = await run(args);
    expect({ code, out }).toEqual({ code: 2, out: '' });
    expect(err).toContain(message);
  });
});

describe('colours', () => {
  test.each([
    [{}, true, true],
    [{}, false, false],
    [{ NO_COLOR: '1' }, true, false],
    [{ NO_COLOR: '' }, true, true],
    [{ FORCE_COLOR: '1' }, false, true],
    [{ FORCE_COLOR: '0' }, true, false],
    [{ NO_COLOR: '1', FORCE_COLOR: '1' }, true, false],
    [{ TERM: 'dumb' }, true, false],
  ])('%j on a terminal: %s', (env, isTerminal, wanted) => {
    expect(wantsColor(env, isTerminal)).toBe(wanted);
  });
});
