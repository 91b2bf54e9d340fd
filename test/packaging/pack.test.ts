/** What `npm pack` makes, installed into an empty folder without any install script, works. */
import { execFileSync, spawnSync } from 'node:child_process';
import * as fs from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

interface Packed {
  readonly filename: string;
  readonly files: readonly { readonly path: string }[];
}

const INSTALL_MS_MAX = 180_000;

const folder = fs.mkdtempSync(join(tmpdir(), 'sallyport-pack-'));
const consumer = join(folder, 'consumer');
const home = join(folder, 'home');
let packed: Packed;

beforeAll(() => {
  // The scripts have run already: `npm test` builds first.
  const args = ['pack', '--ignore-scripts', '--json', '--pack-destination', folder];
  [packed] = JSON.parse(execFileSync('npm', args, { encoding: 'utf8' })) as [Packed];

  fs.mkdirSync(consumer);
  fs.mkdirSync(home);
  fs.writeFileSync(join(consumer, 'package.json'), '{"private":true}');
  execFileSync(
    'npm',
    [
      'install',
      '--ignore-scripts',
      '--prefer-offline',
      '--no-audit',
      '--no-fund',
      join(folder, packed.filename),
    ],
    { cwd: consumer, stdio: 'pipe' },
  );
}, INSTALL_MS_MAX);
afterAll(() => fs.rmSync(folder, { recursive: true, force: true }));

describe('the packed program', () => {
  it('holds the built program and its papers', () => {
    const paths = packed.files.map(({ path }) => path);
    expect(paths).toEqual(
      expect.arrayContaining([
        'LICENSE',
        'package.json',
        'dist/gateway/native/uws.js',
        'dist/gateway/native/install.js',
      ]),
    );
  });

  it('holds no tests, sources or maps', () => {
    const odd = packed.files.filter(({ path }) =>
      /^dist\/test\/|\.map$|^(gateway|workers|sim|bench)\/.*\.ts$/.test(path),
    );
    expect(odd).toEqual([]);
  });

  it('loads its native driver without an install script', () => {
    const door = pathToFileURL(join(consumer, 'node_modules/sallyport/dist/gateway/native/uws.js')).href;
    const code = `const { loadDriver } = await import('${door}'); console.log(typeof loadDriver().App);`;
    expect(run(process.execPath, ['--input-type=module', '--eval', code])).toBe('function\n');
  });

  it('has a command that explains itself', () => {
    expect(run(join(consumer, 'node_modules/.bin/sallyport'), ['--help'])).toMatch(/^ +start\b/m);
  });
});

/** Runs a program in the consumer's folder with a home of its own, and returns what it prints. */
function run(program: string, args: readonly string[]): string {
  const env = { PATH: process.env['PATH'], HOME: home, TMPDIR: folder };
  const { status, stdout, stderr } = spawnSync(program, args, { cwd: consumer, env, encoding: 'utf8' });
  if (status !== 0) throw new Error(`${program} ended with ${String(status)}: ${stderr}`);
  return stdout;
}
