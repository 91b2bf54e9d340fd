/** `sallyport diff`: what a new configuration accepts that an old one refused, and the other way around. */
import type { Command } from 'commander';
import { compareConfigs } from '../comparison/compare.ts';
import { effects, type Change, type Effect } from '../comparison/change.ts';
import { loadConfig, type Loaded } from '../config/load.ts';
import { formatProblems } from '../config/problem.ts';
import { exitCode } from './exit-codes.ts';
import type { Colors, Terminal } from './terminal.ts';

const examples = `
Examples:
  $ sallyport diff deployed.yaml sallyport.yaml           what would change, what loosens the policy first
  $ sallyport diff deployed.yaml sallyport.yaml --json    the same for programs

The compiled policies are compared, path by path and method by method: a moved line, another order or another way to write
the same is no change. "loosened" means that some request is accepted that was refused before.

Exit codes:
  0 nothing is loosened   1 one of the configurations cannot be used   2 something is loosened, or the command line cannot be used
`;

export function registerDiff(program: Command, terminal: Terminal): void {
  program
    .command('diff')
    .description('say what a new configuration loosens, tightens and changes')
    .argument('<old>', 'the configuration as it is (YAML)')
    .argument('<new>', 'the configuration as it would be')
    .option('--json', 'for programs')
    .addHelpText('after', examples)
    .action(async (old: string, now: string, { json }: { json?: true }) => {
      terminal.exit(await diff(old, now, json === true, terminal));
    });
}

type Good = Extract<Loaded, { ok: true }>;

/** A change with `file:line` for its places. */
interface Told extends Omit<Change, 'old' | 'new'> {
  readonly old: string | null;
  readonly new: string | null;
}

async function diff(oldFile: string, newFile: string, asJson: boolean, terminal: Terminal): Promise<number> {
  const old = await loadConfig(oldFile, terminal.env);
  const now = await loadConfig(newFile, terminal.env);
  if (!old.ok || !now.ok) {
    for (const loaded of [old, now]) if (!loaded.ok) terminal.err(formatProblems(loaded.problems));
    return exitCode.failed;
  }
  const changes = compareConfigs(old, now).map(
    ({ effect, subject, setting, detail, old: before, new: after }): Told => ({
      effect, subject, setting, detail, old: placeIn(old, before), new: placeIn(now, after),
    }), // prettier-ignore
  );
  terminal.out(asJson ? changesAsJson(changes) : changesAsText(changes, terminal.colors));
  return changes.some(({ effect }) => effect === 'loosened') ? exitCode.loosened : exitCode.ok;
}

function placeIn({ placeOf }: Good, path: Change['old']): string | null {
  if (path === null) return null;
  const { file, line } = placeOf(path);
  return `${file}:${line}`;
}

/** `version` changes with the shape, of which a change is a part. */
function changesAsJson(changes: readonly Told[]): string {
  const count = (effect: Effect): number => changes.filter((change) => change.effect === effect).length;
  const report = {
    version: 1,
    loosened: count('loosened'),
    tightened: count('tightened'),
    changed: count('changed'),
    changes,
  };
  return `${JSON.stringify(report, null, 2)}\n`;
}

function changesAsText(changes: readonly Told[], colors: Colors): string {
  if (changes.length === 0) return 'No difference in what is accepted, or in what happens then.\n';
  const paint = { loosened: colors.red, tightened: colors.green, changed: colors.yellow };
  const width = Math.max(...effects.map(({ length }) => length));
  const lines = changes.flatMap(({ effect, subject, setting, detail, old, new: now }) => [
    `${paint[effect](effect.padEnd(width))}  ${colors.bold(subject)}  ${setting}: ${detail}`,
    colors.dim(`${' '.repeat(width)}  ${[old, now].filter((place) => place !== null).join(' → ')}`),
  ]);
  return `${lines.join('\n')}\n`;
}
