/** Import rules: the tree keeps them, and each of them finds a violation planted for it. */
import { readFileSync, rmSync } from 'node:fs';
import { createRequire } from 'node:module';
import { resolve } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { plant, runIn } from './planted.ts';

interface Cruise {
  readonly summary: {
    readonly violations: readonly { readonly rule: { readonly name: string }; readonly from: string }[];
  };
}

const { forbidden } = createRequire(import.meta.url)(resolve('.dependency-cruiser.cjs')) as {
  forbidden: readonly { name: string }[];
};
const { dependencies, peerDependencies } = JSON.parse(readFileSync('package.json', 'utf8')) as Record<
  'dependencies' | 'peerDependencies',
  Record<string, string>
>;
const vendors = { ...dependencies, ...peerDependencies };

/** Rule → a file that breaks it. Every other file of the tree is innocent. */
const planted: Readonly<Record<string, readonly [file: string, text: string]>> = {
  'no-cycles': ['gateway/keys/one.ts', "import './two.ts';"],
  'no-unresolved': ['gateway/keys/lost.ts', "import './nowhere.ts';"],
  'product-runs-on-dependencies': ['gateway/keys/dev.ts', "import 'fast-check';"],
  'core-imports-nothing': ['gateway/core/curious.ts', "import '../keys/plain.ts';"],
  'flight-imports-assert': ['gateway/flight/curious.ts', "import '../core/plain.ts';"],
  'route-imports-core': ['gateway/route/curious.ts', "import type { Plain } from '../keys/plain.ts';"],
  'decision-imports-route': ['gateway/decision/curious.ts', "import '../keys/plain.ts';"],
  'openapi-imports-core-and-route': ['gateway/openapi/curious.ts', "import '../keys/plain.ts';"],
  'native-imports-nothing': ['gateway/native/curious.ts', "import '../keys/plain.ts';"],
  'protocol-imports-assert-and-flight': [
    'gateway/oauth/protocol/curious.ts',
    "import '../../core/plain.ts';",
  ],
  'sim-imports-core-flight-protocol': ['sim/curious.ts', "import '../gateway/keys/plain.ts';"],
  'product-never-imports-tools': ['workers/tool.ts', "import '../bench/plain.ts';"],
  'nothing-imports-tests': ['bench/tested.ts', "import '../test/plain.ts';"],
  ...Object.fromEntries(
    Object.keys(vendors).map((vendor) => [
      `one-door-${vendor}`,
      [`gateway/admin/${vendor}.ts`, `import type * as Vendor from '${vendor}';`],
    ]),
  ),
};
const innocent = {
  'gateway/keys/two.ts': "import './one.ts';",
  'gateway/core/plain.ts': 'export type Plain = string;',
  'gateway/keys/plain.ts': 'export type Plain = string;',
  'bench/plain.ts': "import 'undici';",
  'test/plain.ts': "import '../sim/curious.ts';",
};

const folder = plant({ ...innocent, ...Object.fromEntries(Object.values(planted)) });
afterAll(() => rmSync(folder, { recursive: true }));

function violationsIn(root: string): { rule: string; from: string }[] {
  const program = 'dependency-cruiser/bin/dependency-cruise.mjs';
  const args = ['--config', '.dependency-cruiser.cjs', '--output-type', 'json', '.'];
  const { violations } = (runIn(root, program, args) as Cruise).summary;
  return violations.map(({ rule, from }) => ({ rule: rule.name, from }));
}

describe('import rules', () => {
  const found = violationsIn(folder);

  it.each(forbidden)('$name finds the violation planted for it', ({ name }) => {
    expect(found).toContainEqual({ rule: name, from: planted[name]?.[0] });
  });

  it('each runtime dependency has one door', () => {
    const doors = forbidden.flatMap(({ name }) => (name.startsWith('one-door-') ? [name.slice(9)] : []));
    expect(doors.toSorted()).toEqual(Object.keys(vendors).toSorted());
  });

  it('the tree keeps them all', () => {
    expect(violationsIn('.')).toEqual([]);
  });
});
