/**
 * `npm run bench -- [case…] [--rounds 5] [--seconds 4] [--out FILE]`
 *
 * Exit codes: 0 all targets met, 1 one was missed, 2 the command line cannot be used. See README.md.
 */
import { mkdirSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { openBench, say, sayForNow } from './bench.ts';
import { casesNamed } from './cases.ts';
import { readCommandLine } from './command-line.ts';
import { pageOf } from './html.ts';
import { describeMachine } from './machine.ts';
import { type Report, tableOf } from './report.ts';
import { type CaseResult, runCase } from './run.ts';
import { ownProgram } from './servers/gateway.ts';

const { values, names } = readCommandLine('bench [case…] [--rounds N] [--seconds N] [--out FILE.json]', {
  rounds: 5,
  seconds: 4,
});
const { rounds, seconds } = values;
const machine = describeMachine();
const bench = openBench(seconds, ownProgram);

const results: CaseResult[] = [];
for (const benchCase of casesNamed(names)) {
  const result = await runCase(benchCase, bench, rounds, (done, all, contender) => {
    sayForNow(`${benchCase.name}: ${done + 1} of ${all}, ${contender}`);
  });
  sayForNow('');
  console.log(tableOf(result));
  results.push(result);
}

const taken = new Date().toISOString();
const report: Report = { version: 2, taken, seconds, rounds, machine, cases: results };
const out = values.out ?? join('bench', 'results', `${taken.replaceAll(/[:.]/g, '-')}.json`);
const page = `${out.replace(/\.json$/, '')}.html`;
mkdirSync(dirname(out), { recursive: true });
writeFileSync(out, `${JSON.stringify(report, null, 1)}\n`);
writeFileSync(page, pageOf(report));
say(
  `${machine.cpu}, ${machine.cores} cores, Node ${machine.versions['node']}, load before ${machine.loadBefore}`,
);
say(`written to ${out} and ${page}`);
process.exitCode = results.some(({ ratios }) => ratios.some(({ met }) => met === false)) ? 1 : 0;
