import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, test } from 'vitest';
import { example } from '../config/example.ts';
import { run } from './memory-terminal.ts';

const folder = await mkdtemp(join(tmpdir(), 'sallyport-check-'));
afterAll(() => rm(folder, { recursive: true }));

async function fileOf(name: string, text: string): Promise<string> {
  const file = join(folder, name);
  await writeFile(file, text);
  return file;
}

const good = await fileOf('good.yaml', example);
const bad = await fileOf(
  'a,b:50%.yaml',
  example.replace('upstream: orders', 'upstream: oders').replace('version: 1', 'version: 2'),
);

test('a good configuration is exit code 0: what it has on stdout, warnings on stderr', async () => {
  const { code, out, err } = await run(['check', good]);
  expect({ code, out }).toEqual({ code: 0, out: `${good}: good. 3 routes, 1 of them public.\n` });
  expect(err).toContain('oauth.store.key_file: the file cannot be read here');
});

test('a bad one is exit code 2, with every problem on stderr', async () => {
  const { code, out, err } = await run(['check', bad]);
  expect({ code, out }).toEqual({ code: 2, out: '' });
  expect(err).toContain(`${bad}:1:10: version: must be 1\n    1 | version: 2\n      |          ^\n`);
  expect(err).toContain(
    `${bad}:18:15: routes[0].upstream: unknown upstream "oders"; did you mean "orders"?\n`,
  );
  expect(err).toContain('2 problems.');
});

test('a file that is not there is exit code 2', async () => {
  const { code, err } = await run(['check', join(folder, 'none.yaml')]);
  expect({ code, err }).toEqual({
    code: 2,
    err: expect.stringContaining('none.yaml: the file cannot be read (ENOENT)'),
  });
});

test('--format json has one shape for good and bad', async () => {
  const fine = JSON.parse((await run(['check', good, '--format', 'json'])).out) as unknown;
  expect(fine).toEqual({
    version: 1,
    file: good,
    ok: true,
    problems: [],
    warnings: [expect.objectContaining({ line: 24, column: 43, path: 'oauth.store.key_file' })],
  });
  const { code, out, err } = await run(['check', bad, '--format', 'json']);
  expect({ code, err }).toEqual({ code: 2, err: '' });
  expect(JSON.parse(out)).toEqual({
    version: 1, file: bad, ok: false, warnings: [],
    problems: [
      { line: 1, column: 10, path: 'version', message: 'must be 1' },
      { line: 18, column: 15, path: 'routes[0].upstream', message: 'unknown upstream "oders"; did you mean "orders"?' },
    ],
  }); // prettier-ignore
});

test('--format github writes workflow commands, with what would end them escaped', async () => {
  const { code, out } = await run(['check', bad, '--format', 'github']);
  expect(code).toBe(2);
  const file = bad.replace('%', '%25').replace(':', '%3A').replace(',', '%2C');
  expect(out.split('\n')).toEqual([
    `::error file=${file},line=1,col=10::version: must be 1`,
    `::error file=${file},line=18,col=15::routes[0].upstream: unknown upstream "oders"; did you mean "orders"?`,
    '',
  ]);
  expect((await run(['check', good, '--format', 'github'])).out).toMatch(
    /^::warning file=.*,line=24,col=43::oauth\.store\.key_file: /,
  );
});

test('the environment is that of the command', async () => {
  const file = await fileOf('env.yaml', example.replace('port: 8080', 'port: ${env:GW_PORT}'));
  expect((await run(['check', file])).err).toContain('GW_PORT is not set');
  expect((await run(['check', file], { env: { GW_PORT: '81' } })).code).toBe(0);
});
