/**
 * `npm run bench -- [case…] [--rounds 5] [--seconds 4] [--out FILE]`
 *
 * Exit codes: 0 all targets met, 1 one was missed, 2 the command line cannot be used. See README.md.
 */
import { mkdirSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { parseArgs } from 'node:util';
import type { Bench, BenchCase } from './case.ts';
import { decisionRepeated } from './cases/decision-repeated.ts';
import { decisionUnseen } from './cases/decision-unseen.ts';
import { flightBurst } from './cases/flight-burst.ts';
import { forgedFlood } from './cases/forged-flood.ts';
import { metricsCost } from './cases/metrics-cost.ts';
import { proxiedSmall } from './cases/proxied-small.ts';
import { simSpeed } from './cases/sim-speed.ts';
import { describeMachine } from './machine.ts';
import { type Report, tableOf } from './report.ts';
import { type CaseResult, runCase } from './run.ts';
import { openCorpus } from './tokens/corpus.ts';

const cases: readonly BenchCase[] = [
  decisionRepeated,
  decisionUnseen,
  forgedFlood,
  proxiedSmall,
  flightBurst,
  metricsCost,
  simSpeed,
];

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    rounds: { type: 'string', default: '5' },
    seconds: { type: 'string', default: '4' },
    out: { type: 'string' },
  },
});
const [rounds, seconds] = [Number(values.rounds), Number(values.seconds)];
const chosen = positionals.length === 0 ? cases : cases.filter(({ name }) => positionals.includes(name));
const unknown = positionals.filter((name) => !cases.some((known) => known.name === name));
if (
  unknown.length > 0 ||
  !Number.isInteger(rounds) ||
  rounds < 1 ||
  !Number.isInteger(seconds) ||
  seconds < 1
) {
  console.error(`usage: bench [case…] [--rounds N] [--seconds N] [--out FILE]`);
  console.error(`cases: ${cases.map(({ name }) => name).join(', ')}`);
  process.exit(2);
}

const machine = describeMachine();
const bench: Bench = {
  seconds,
  corpus(count) {
    say(`signing ${count} tokens, unless they are there from an earlier run`);
    return openCorpus(count);
  },
};

const results: CaseResult[] = [];
for (const benchCase of chosen) {
  const result = await runCase(benchCase, bench, rounds, (done, all, contender) => {
    say(`${benchCase.name}: ${done + 1} of ${all}, ${contender}`);
  });
  say('');
  console.log(tableOf(result));
  results.push(result);
}

const taken = new Date().toISOString();
const report: Report = { version: 1, taken, seconds, rounds, machine, cases: results };
const out = values.out ?? join('bench', 'results', `${taken.replaceAll(/[:.]/g, '-')}.json`);
mkdirSync(dirname(out), { recursive: true });
writeFileSync(out, `${JSON.stringify(report, null, 2)}\n`);
console.log(
  `${machine.cpu}, ${machine.cores} cores, Node ${machine.versions['node']}, load before ${machine.loadBefore}`,
);
console.log(`written to ${out}`);
process.exitCode = results.some(({ ratios }) => ratios.some(({ met }) => met === false)) ? 1 : 0;

/** Progress: one line that is written over, on a terminal only. */
function say(line: string): void {
  if (process.stderr.isTTY) process.stderr.write(`\r\u001B[K${line}`);
}
