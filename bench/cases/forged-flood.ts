/** Does good traffic feel it when somebody else sends forged tokens as fast as they can be made? */
import type { BenchCase, Measured } from '../case.ts';
import { goodPerSecond, goodTraffic, warmUpSeconds } from '../load/beside.ts';
import { type PacedJob, startPaced } from '../load/paced.ts';
import { type Server, withServer } from '../servers/server.ts';
import type { Corpus } from '../tokens/corpus.ts';

const forgedPerSecond = 5000;

export const forgedFlood: BenchCase = {
  name: 'forged-flood',
  question: `What do ${forgedPerSecond} forged tokens a second cost those who send good ones, ${goodPerSecond} a second?`,
  figures: { p99: 'us', p50: 'us', p999: 'us', max: 'us', serviceP99: 'us', cpuCores: 'cores' },
  async contenders(bench) {
    const corpus = await bench.corpus(100);
    const measure = (beside: Beside) => (): Promise<Measured> =>
      withServer(bench.gateway({ corpus, core: null }), (server) =>
        runGood(server, corpus, bench.seconds, beside),
      );
    return [
      { name: 'good traffic alone', measure: measure(null) },
      // What the machine makes of two processes that send, whatever they send.
      { name: 'good traffic beside as many good requests', measure: measure('repeat') },
      { name: 'good traffic in the flood', measure: measure('forge') },
    ];
  },
  ratios: ({ median }) => [
    {
      name: 'p99 in the flood, of p99 alone',
      value: median('good traffic in the flood', 'p99') / median('good traffic alone', 'p99'),
      target: { atMost: 2 },
    },
    {
      name: 'p99 in the flood, of p99 beside as many good requests',
      value:
        median('good traffic in the flood', 'p99') /
        median('good traffic beside as many good requests', 'p99'),
      target: null,
    },
  ],
};

/** What else is sent, `forgedPerSecond` times a second. */
type Beside = 'forge' | 'repeat' | null;

async function runGood(server: Server, corpus: Corpus, seconds: number, beside: Beside): Promise<Measured> {
  const good = goodTraffic(server, corpus, seconds);
  const other: PacedJob = {
    ...good,
    perSecond: forgedPerSecond,
    // The flood begins with the warm-up of the good traffic and outlasts it.
    seconds: seconds + warmUpSeconds + 1,
    warmUpSeconds: 0,
    connections: 256,
    expectedStatus: beside === 'forge' ? 401 : 204,
    tokens: beside ?? 'repeat',
    localAddress: '127.0.0.2',
  };
  const flood = beside === null ? null : startPaced(other);
  const traffic = startPaced(good);
  try {
    const before = server.usage();
    const { latency, service } = await traffic.result;
    const cpuSeconds = server.usage().cpuSeconds - before.cpuSeconds;
    await flood?.result;
    const { p50, p99, p999, max } = latency;
    const cpuCores = cpuSeconds / (seconds + warmUpSeconds);
    return {
      figures: { p50, p99, p999, max, serviceP99: service.p99, cpuCores },
      trace: { latencyUs: latency.curve, answered: [] },
    };
  } finally {
    traffic.stop();
    flood?.stop();
  }
}
