/** Does good traffic feel it when somebody else sends forged tokens as fast as they can be made? */
import type { BenchCase, Sample } from '../case.ts';
import { type PacedJob, startPaced } from '../load/paced.ts';
import { startGateway } from '../servers/gateway.ts';
import { type Server, withServer } from '../servers/server.ts';
import type { Corpus } from '../tokens/corpus.ts';

const goodPerSecond = 1000;
const forgedPerSecond = 5000;
const warmUpSeconds = 2;

export const forgedFlood: BenchCase = {
  name: 'forged-flood',
  question: `What do ${forgedPerSecond} forged tokens a second cost those who send good ones, ${goodPerSecond} a second?`,
  figures: { p99: 'us', p50: 'us', p999: 'us', max: 'us', serviceP99: 'us', cpuCores: 'cores' },
  async contenders(bench) {
    const corpus = await bench.corpus(100);
    const measure = (flooded: boolean) => (): Promise<Sample> =>
      withServer(startGateway({ corpus, core: null }), (server) =>
        runGood(server, corpus, bench.seconds, flooded),
      );
    return [
      { name: 'good traffic alone', measure: measure(false) },
      { name: 'good traffic in the flood', measure: measure(true) },
    ];
  },
  ratios: ({ median }) => [
    {
      name: 'p99 in the flood, of p99 alone',
      value: median('good traffic in the flood', 'p99') / median('good traffic alone', 'p99'),
      target: { atMost: 3 },
    },
  ],
};

async function runGood(server: Server, corpus: Corpus, seconds: number, flooded: boolean): Promise<Sample> {
  const common = { url: `${server.url}/decide`, tokensFile: corpus.tokensFile };
  const good: PacedJob = {
    ...common,
    perSecond: goodPerSecond,
    seconds,
    warmUpSeconds,
    connections: 64,
    expectedStatus: 204,
    tokens: 'repeat',
    localAddress: '127.0.0.1',
  };
  const forged: PacedJob = {
    ...common,
    perSecond: forgedPerSecond,
    // The flood begins with the warm-up of the good traffic and outlasts it.
    seconds: seconds + warmUpSeconds + 1,
    warmUpSeconds: 0,
    connections: 256,
    expectedStatus: 401,
    tokens: 'forge',
    localAddress: '127.0.0.2',
  };
  const flood = flooded ? startPaced(forged) : null;
  const traffic = startPaced(good);
  try {
    const before = server.usage();
    const { latency, service } = await traffic.result;
    const cpuSeconds = server.usage().cpuSeconds - before.cpuSeconds;
    await flood?.result;
    const { p50, p99, p999, max } = latency;
    return { p50, p99, p999, max, serviceP99: service.p99, cpuCores: cpuSeconds / (seconds + warmUpSeconds) };
  } finally {
    traffic.stop();
    flood?.stop();
  }
}
