/** What package.json promises. */
import { existsSync, readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';

interface Manifest {
  readonly dependencies: Record<string, string>;
  readonly devDependencies: Record<string, string>;
  readonly engines: { readonly node: string };
  readonly files: readonly string[];
}

const manifest = JSON.parse(readFileSync('package.json', 'utf8')) as Manifest;
const EXACT = /^(npm:(@[\w-]+\/)?[\w.-]+@)?\d+\.\d+\.\d+$/;

function inexact(versions: Readonly<Record<string, string>>): string[] {
  return Object.entries(versions).flatMap(([name, version]) =>
    EXACT.test(version) ? [] : [`${name}@${version}`],
  );
}

describe('package.json', () => {
  it.each(['^1.2.3', '~1.2.3', '1.x', '>=1.2.3', 'latest', 'npm:other@^1.2.3', 'github:someone/thing'])(
    'the check of versions finds %s',
    (version) => {
      expect(inexact({ planted: version })).toEqual([`planted@${version}`]);
    },
  );

  it('names each version exactly', () => {
    expect(inexact({ ...manifest.dependencies, ...manifest.devDependencies })).toEqual([]);
  });

  it('has the lock file of these versions', () => {
    const lock = JSON.parse(readFileSync('package-lock.json', 'utf8')) as { packages: { '': Manifest } };
    expect(lock.packages[''].dependencies).toEqual(manifest.dependencies);
    expect(lock.packages[''].devDependencies).toEqual(manifest.devDependencies);
  });

  it('has a lock file that names the optional packages of every platform, as npm ci asks for them all', () => {
    const { packages } = JSON.parse(readFileSync('package-lock.json', 'utf8')) as {
      packages: Record<string, { optionalDependencies?: Record<string, string> }>;
    };
    const missing = Object.entries(packages).flatMap(([path, { optionalDependencies = {} }]) =>
      Object.keys(optionalDependencies).filter(
        (name) => !(`node_modules/${name}` in packages) && !(`${path}/node_modules/${name}` in packages),
      ),
    );
    expect(missing).toEqual([]);
  });

  it('leaves node to the machine: no package puts one of its own before it', () => {
    const { packages } = JSON.parse(readFileSync('package-lock.json', 'utf8')) as {
      packages: Record<string, { bin?: Record<string, string> }>;
    };
    expect(Object.entries(packages).flatMap(([path, { bin = {} }]) => ('node' in bin ? [path] : []))).toEqual(
      [],
    );
  });

  it('publishes, and leaves out, folders and files that exist', () => {
    const committed = manifest.files.filter((path) => !/^!?dist\//.test(path));
    expect(committed.filter((path) => !existsSync(path.replaceAll(/^!|\/\*.*$/g, '')))).toEqual([]);
  });
});
