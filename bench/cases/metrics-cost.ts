/**
 * What metrics cost: the share of a request's CPU that goes into the cells, and the main thread's time for a scrape of 10,000
 * routes.
 *
 * There is no gateway without metrics to compare with, and a switch that only a bench turns would be one more path to keep
 * right. So the writes of one request are timed by themselves, and set against the CPU of a whole request. What that does not
 * show: cache lines that the cells take from the rest of the request, and the observer's own few lines around the writes.
 */
import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import type { BenchCase, Measured, Sample } from '../case.ts';
import { decisionRepeated } from './decision-repeated.ts';

const run = promisify(execFile);
const script = (name: string): string => fileURLToPath(new URL(`../servers/${name}`, import.meta.url));
const routes = 10_000;
const scrapes = 20;

export const metricsCost: BenchCase = {
  name: 'metrics-cost',
  question: 'What share of a request goes into metrics, and how long does a scrape of 10,000 routes take?',
  figures: { cpuSecondsPer1000: 's', cpuMs: 'ms', longestTurnMs: 'ms', series: '1' },
  async contenders(bench) {
    const [gateway] = await decisionRepeated.contenders(bench);
    return [
      { name: 'whole request', measure: async () => only(await gateway!.measure(), 'cpuSecondsPer1000') },
      { name: 'writes of a request', measure: () => sampleOf('recorder-loop.js', String(bench.seconds)) },
      { name: 'scrape', measure: () => sampleOf('scrape-loop.js', String(routes), String(scrapes)) },
    ];
  },
  ratios: ({ median }) => [
    {
      name: 'CPU of the writes, of a whole request',
      value:
        median('writes of a request', 'cpuSecondsPer1000') / median('whole request', 'cpuSecondsPer1000'),
      target: { atMost: 0.02 },
    },
    {
      name: 'CPU ms of a scrape of 10,000 routes',
      value: median('scrape', 'cpuMs'),
      target: { atMost: 100 },
    },
  ],
};

async function sampleOf(name: string, ...args: readonly string[]): Promise<Measured> {
  const { stdout } = await run(process.execPath, [script(name), ...args]);
  return { figures: JSON.parse(stdout) as Sample, trace: null };
}

function only({ figures }: Measured, figure: string): Measured {
  return { figures: { [figure]: figures[figure]! }, trace: null };
}
