/**
 * What share of a request's CPU goes into metrics, in two ways. One gateway beside the same without the writes: it holds all
 * that they cost, and the noise of two whole measurements. And the writes timed by themselves: hardly any noise, but what they
 * take of the caches from the rest of the request is not in it, nor the observer's own few lines around them.
 */
import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import type { BenchCase, Measured, Sample } from '../case.ts';
import { runRepeated } from '../load/decide.ts';
import { ownProgram, startGateway } from '../servers/gateway.ts';
import { type Server, withServer } from '../servers/server.ts';
import { withoutMetrics } from '../servers/unmetered.ts';

const run = promisify(execFile);
const recorderLoop = fileURLToPath(new URL('../servers/recorder-loop.js', import.meta.url));
/** On two cores, server and load each have one of their own. */
const serverCore = 0;
const loadCore = 1;
const without = 'without the writes';
const alone = 'the writes alone';

export const metricsCost: BenchCase = {
  name: 'metrics-cost',
  question: 'What share of a request goes into metrics?',
  figures: { cpuSecondsPer1000: 's', perSecond: '1/s', loadCpu: 'cores' },
  async contenders(bench) {
    const corpus = await bench.corpus(100);
    const emptied = withoutMetrics(ownProgram);
    const measure = (start: () => Promise<Server>) => (): Promise<Measured> =>
      withServer(start(), (server) =>
        runRepeated(server, corpus, { seconds: bench.seconds, core: loadCore }),
      );
    return [
      { name: 'sallyport', measure: measure(() => bench.gateway({ corpus, core: serverCore })) },
      { name: without, measure: measure(() => startGateway(emptied, { corpus, core: serverCore })) },
      {
        name: alone,
        async measure(): Promise<Measured> {
          const { stdout } = await run(process.execPath, [recorderLoop, String(bench.seconds)]);
          return { figures: JSON.parse(stdout) as Sample, trace: null };
        },
      },
    ];
  },
  ratios: ({ median }) => {
    const cpu = (name: string): number => median(name, 'cpuSecondsPer1000');
    return [
      {
        name: 'CPU of a request, of one without the writes',
        value: cpu('sallyport') / cpu(without),
        target: { atMost: 1.02 },
      },
      {
        name: 'CPU of the writes alone, of a whole request',
        value: cpu(alone) / cpu('sallyport'),
        target: { atMost: 0.02 },
      },
    ];
  },
};
