/** A small tree of files with this house's rules and packages, to plant violations in. */
import { spawnSync } from 'node:child_process';
import * as fs from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join, resolve } from 'node:path';

const RULES = ['.dependency-cruiser.cjs', '.oxlintrc.json', 'tsconfig.json', 'package.json'];

/** Writes the files by their paths; whoever asks for it removes it. */
export function plant(files: Readonly<Record<string, string>>): string {
  const folder = fs.mkdtempSync(join(tmpdir(), 'sallyport-house-'));
  for (const name of RULES) fs.copyFileSync(name, join(folder, name));
  fs.symlinkSync(resolve('node_modules'), join(folder, 'node_modules'));
  for (const [path, text] of Object.entries(files)) {
    fs.mkdirSync(dirname(join(folder, path)), { recursive: true });
    fs.writeFileSync(join(folder, path), text);
  }
  return folder;
}

/** Runs a program of this house's packages in such a tree and returns what it prints as JSON. */
export function runIn(folder: string, program: string, args: readonly string[]): unknown {
  const { stdout, stderr } = spawnSync(process.execPath, [resolve('node_modules', program), ...args], {
    cwd: folder,
    encoding: 'utf8',
    maxBuffer: 64 * 1024 * 1024,
  });
  try {
    return JSON.parse(stdout) as unknown;
  } catch {
    throw new Error(`${program} printed no JSON: ${stdout}${stderr}`);
  }
}
