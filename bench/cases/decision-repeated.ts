/** The facts cache at work: a decision about a token that was verified before. */
import { fileURLToPath } from 'node:url';
import type { Bench, BenchCase, Sample } from '../case.ts';
import { type ClosedLoopJob, runClosedLoop } from '../load/closed-loop.ts';
import { startGateway } from '../servers/gateway.ts';
import { type Server, startServer, withServer } from '../servers/server.ts';
import type { Corpus } from '../tokens/corpus.ts';

const bare = fileURLToPath(new URL('../servers/bare.js', import.meta.url));
const tokens = 100;
const connections = 64;
/** On two cores, server and load each have one of their own. */
const serverCore = 0;
const loadCore = 1;

export const decisionRepeated: BenchCase = {
  name: 'decision-repeated',
  question: 'How near does a decision about a known token come to an HTTP server that decides nothing?',
  figures: { perSecond: '1/s', cpuSecondsPer1000: 's', residentBytes: 'B', loadCpu: 'cores' },
  async contenders(bench) {
    const corpus = await bench.corpus(tokens);
    const load = (server: Server): Promise<Sample> => runLoad(bench, corpus, server);
    return [
      {
        name: 'sallyport',
        measure: () => withServer(startGateway({ corpus, core: serverCore }), load),
      },
      {
        name: 'bare uWebSockets.js',
        measure: () => withServer(startServer(bare, ['204', '0'], { core: serverCore }), load),
      },
    ];
  },
  ratios: ({ median }) => [
    {
      name: 'decisions per second, of bare uWebSockets.js',
      value: median('sallyport', 'perSecond') / median('bare uWebSockets.js', 'perSecond'),
      target: { atLeast: 0.75 },
    },
    {
      name: 'CPU per decision, of bare uWebSockets.js',
      value: median('sallyport', 'cpuSecondsPer1000') / median('bare uWebSockets.js', 'cpuSecondsPer1000'),
      target: null,
    },
  ],
};

async function runLoad(bench: Bench, corpus: Corpus, server: Server): Promise<Sample> {
  const job: ClosedLoopJob = {
    url: `${server.url}/decide`,
    connections,
    expectedStatus: 204,
    tokensFile: corpus.tokensFile,
    warmUp: { from: 0, to: tokens, seconds: 2 },
    measured: { from: 0, to: tokens, seconds: bench.seconds },
    body: null,
  };
  return { ...(await runClosedLoop(job, server.usage, loadCore)) };
}
