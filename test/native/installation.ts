/** An installed package as npm leaves it, in a folder of its own: the driver's compiled files and the native package. */
import { spawnSync } from 'node:child_process';
import * as fs from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { onTestFinished } from 'vitest';

const NOBODY = 65_534;

/** A Node that CI installs beside the one that runs the tests. */
export function otherNode(major: 22 | 24): string {
  return resolve(`test/nodes/node_modules/node${String(major)}/bin/node`);
}

export interface Installation {
  readonly folder: string;
  /** The original binary for this machine's Node. */
  readonly binary: string;
  readonly home: string;
}

export interface Outcome {
  readonly status: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** Makes one; it is removed when the test ends. */
export function makeInstallation(): Installation {
  const folder = fs.mkdtempSync(join(tmpdir(), 'sallyport-native-'));
  onTestFinished(() => fs.rmSync(folder, { recursive: true, force: true }));
  fs.chmodSync(folder, 0o755);
  const driver = join(folder, 'node_modules/uWebSockets.js');
  fs.mkdirSync(driver, { recursive: true });
  const original = 'node_modules/uWebSockets.js';
  for (const name of ['package.json', 'uws.js', 'ESM_wrapper.mjs']) {
    fs.copyFileSync(join(original, name), join(driver, name));
  }
  for (const abi of new Set([process.versions.modules, '127', '137'])) {
    const name = `uws_${process.platform}_${process.arch}_${abi}.node`;
    fs.copyFileSync(join(original, name), join(driver, name));
  }
  fs.writeFileSync(join(folder, 'package.json'), '{"type":"module"}');
  fs.cpSync('dist/gateway/native', join(folder, 'dist/gateway/native'), { recursive: true });
  const home = join(folder, 'home');
  fs.mkdirSync(join(home, 'tmp'), { recursive: true });
  const binary = join(driver, `uws_${process.platform}_${process.arch}_${process.versions.modules}.node`);
  return { folder, binary, home };
}

/** Gives a folder to a user that may not write to the rest, and returns how to start a process as that user. */
export function asOrdinaryUser(installation: Installation): { uid?: number } {
  if (process.getuid?.() !== 0) return {};
  for (const path of [installation.home, join(installation.home, 'tmp')]) fs.chownSync(path, NOBODY, NOBODY);
  return { uid: NOBODY };
}

/** Runs JavaScript inside of an installation with `loadDriver` in reach. */
export function runInside(
  { folder, home }: Installation,
  code: string,
  { node = process.execPath, uid, env = {} }: { node?: string; uid?: number; env?: NodeJS.ProcessEnv } = {},
): Outcome {
  const program = `import { loadDriver } from './dist/gateway/native/uws.js';\n${code}`;
  return start(node, ['--input-type=module', '--eval', program], folder, { ...homeOf(home), ...env }, uid);
}

/** Runs the script that npm would run after the install. */
export function runInstallScript({ folder, home }: Installation, uid?: number): Outcome {
  return start(process.execPath, ['dist/gateway/native/install.js'], folder, homeOf(home), uid);
}

/** Lists the copies in a folder and below. */
export function copiesIn(folder: string): string[] {
  return fs
    .readdirSync(folder, { recursive: true, encoding: 'utf8' })
    .filter((name) => /\.[0-9a-f]{16}\.node/.test(name))
    .map((name) => join(folder, name));
}

function homeOf(home: string): NodeJS.ProcessEnv {
  return { HOME: home, TMPDIR: join(home, 'tmp') };
}

function start(node: string, args: string[], cwd: string, env: NodeJS.ProcessEnv, uid?: number): Outcome {
  return spawnSync(node, args, { cwd, env, encoding: 'utf8', ...(uid === undefined ? {} : { uid }) });
}
