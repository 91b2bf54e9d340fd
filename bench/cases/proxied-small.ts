/** Forwarding with a known token: 1 KiB up and 1 KiB down. */
import { fileURLToPath } from 'node:url';
import type { Bench, BenchCase, Sample } from '../case.ts';
import { runClosedLoop } from '../load/closed-loop.ts';
import { startGateway } from '../servers/gateway.ts';
import { type Server, startServer, withServer } from '../servers/server.ts';
import type { Corpus } from '../tokens/corpus.ts';

const bare = fileURLToPath(new URL('../servers/bare.js', import.meta.url));
const bodyBytes = 1024;
const tokens = 100;
const connections = 64;

export const proxiedSmall: BenchCase = {
  name: 'proxied-small',
  question: 'What does it cost to put the gateway before a service, with 1 KiB each way?',
  figures: { perSecond: '1/s', cpuSecondsPer1000: 's', residentBytes: 'B', loadCpu: 'cores' },
  async contenders(bench) {
    const corpus = await bench.corpus(tokens);
    const upstream = () => startServer(bare, ['200', String(bodyBytes)], { core: null });
    return [
      {
        name: 'sallyport',
        measure: () =>
          withServer(upstream(), ({ url }) =>
            withServer(startGateway({ corpus, core: null, upstreamUrl: url }), (server) =>
              runLoad(bench, corpus, server),
            ),
          ),
      },
      {
        name: 'the service itself',
        measure: () => withServer(upstream(), (server) => runLoad(bench, corpus, server)),
      },
    ];
  },
  ratios: ({ median }) => [
    {
      name: 'requests per second, of the service itself',
      value: median('sallyport', 'perSecond') / median('the service itself', 'perSecond'),
      target: null,
    },
  ],
};

async function runLoad(bench: Bench, corpus: Corpus, server: Server): Promise<Sample> {
  const job = {
    url: `${server.url}/forward`,
    connections,
    expectedStatus: 200,
    tokensFile: corpus.tokensFile,
    warmUp: { from: 0, to: tokens, seconds: 2 },
    measured: { from: 0, to: tokens, seconds: bench.seconds },
    body: 'u'.repeat(bodyBytes),
  };
  return { ...(await runClosedLoop(job, server.usage, null)) };
}
