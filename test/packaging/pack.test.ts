/** What `npm pack` makes, installed into an empty folder without any install script, works. */
import { execFileSync, spawn, spawnSync } from 'node:child_process';
import { createPublicKey, generateKeyPairSync } from 'node:crypto';
import * as fs from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { TestGateway, testPreamble } from '../support/gateway.ts';

interface Packed {
  readonly filename: string;
  readonly files: readonly { readonly path: string }[];
}

const INSTALL_MS_MAX = 180_000;

const folder = fs.mkdtempSync(join(tmpdir(), 'sallyport-pack-'));
const consumer = join(folder, 'consumer');
const home = join(folder, 'home');
const command = join(consumer, 'node_modules/.bin/sallyport');
const environment = { PATH: process.env['PATH'], HOME: home, TMPDIR: folder };
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
        'dist/sallyport/main.js',
        'dist/sallyport/listener.js',
        'dist/sallyport/verify.js',
        'dist/sallyport/LICENCES.txt',
        'dist/gateway/native/uws.js',
        'dist/gateway/native/install.js',
      ]),
    );
  });

  it('brings the licences of the packages that were bundled', () => {
    const licences = fs.readFileSync(
      join(consumer, 'node_modules/sallyport/dist/sallyport/LICENCES.txt'),
      'utf8',
    );
    for (const name of ['zod', 'yaml', 'prom-client', 'jose', 'commander', 'ws'])
      expect(licences).toMatch(new RegExp(`^${name} [\\d.]+: [A-Z]`, 'm'));
    expect(licences.match(/permission|apache license/gi)!.length).toBeGreaterThan(10);
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
    expect(run(command, ['--help'])).toMatch(/^ +start\b/m);
  });

  it('has the simulator, and the modules that it runs', () => {
    expect(run(command, ['sim', 'run', 'burst-2'])).toMatch(/burst-2 +complete/);
  });

  it('serves: its threads find their code', async () => {
    const file = join(folder, 'sallyport.yaml');
    const keys = createPublicKey(generateKeyPairSync('ed25519').privateKey).export({ format: 'jwk' });
    fs.writeFileSync(join(folder, 'keys.json'), JSON.stringify({ keys: [{ ...keys, alg: 'EdDSA' }] }));
    fs.writeFileSync(
      file,
      `${testPreamble}issuers:
  own: { issuer: 'https://issuer.example', audiences: [us], algorithms: [EdDSA], keys: { jwks_file: keys.json } }
routes:
  - { path: /open, public: true, respond: { status: 204 } }
`,
    );
    const gateway = new TestGateway(
      spawn(command, ['start', '-c', file], {
        cwd: consumer,
        env: environment,
        stdio: ['ignore', 'pipe', 'pipe'],
      }),
      fs.mkdtempSync(join(folder, 'run-')),
      file,
    );
    await gateway.ready();
    expect((await fetch(`${gateway.url}/open`)).status).toBe(204);
    expect(await gateway.stop()).toEqual({ code: 0, signal: null });
  });
});

/** Runs a program in the consumer's folder with a home of its own, and returns what it prints. */
function run(program: string, args: readonly string[]): string {
  const options = { cwd: consumer, env: environment, encoding: 'utf8' } as const;
  const { status, stdout, stderr } = spawnSync(program, args, options);
  if (status !== 0) throw new Error(`${program} ended with ${String(status)}: ${stderr}`);
  return stdout;
}
