/**
 * 10,000 connections on which nothing happens. Memory is what the process of the server holds; what the kernel keeps for a
 * socket is not in it, and is the same for all.
 */
import type { BenchCase, Contender, Measured } from '../case.ts';
import { runRepeated } from '../load/decide.ts';
import { openIdle } from '../load/idle.ts';
import { debian } from '../peers/debian.ts';
import { startHaproxy } from '../peers/haproxy.ts';
import { startBare } from '../servers/bare-server.ts';
import { type Server, withServer } from '../servers/server.ts';
import type { Corpus } from '../tokens/corpus.ts';

const connections = 10_000;
const perAddress = 1000;
/** uWebSockets.js closes a connection that is silent for 10 s; warming up takes two of them. */
const secondsMax = 5;
const beside = (name: string): string => `${name}, 10,000 idle`;

export const idleConnections: BenchCase = {
  name: 'idle-connections',
  question: 'What do 10,000 idle connections cost, in memory and to those that are busy?',
  figures: {
    perSecond: '1/s',
    cpuSecondsPer1000: 's',
    residentBytes: 'B',
    kibibytesEach: 'KiB',
    loadCpu: 'cores',
  },
  async contenders(bench) {
    const corpus = await bench.corpus(100);
    const seconds = Math.min(bench.seconds, secondsMax);
    const gateway = (): Promise<Server> => bench.gateway({ corpus, core: null });
    const idle = (start: () => Promise<Server>) => (): Promise<Measured> =>
      withServer(start(), (server) => runBesideIdle(server, corpus, seconds));
    return [
      {
        name: 'sallyport',
        measure: () => withServer(gateway(), (server) => runRepeated(server, corpus, { seconds })),
      },
      { name: beside('sallyport'), measure: idle(gateway) },
      { name: beside('bare uWebSockets.js'), measure: idle(() => startBare(204, 0, null)) },
      {
        name: beside('HAProxy, 1 thread'),
        needs: [debian.haproxy],
        measure: idle(() => startHaproxy({ threads: 1, core: null, corpus, upstreamUrl: null })),
      },
    ] satisfies Contender[];
  },
  ratios: ({ median }) => [
    {
      name: 'decisions per second beside 10,000 idle connections, of those without',
      value: median(beside('sallyport'), 'perSecond') / median('sallyport', 'perSecond'),
      target: null,
    },
    {
      name: 'KiB of resident memory for each idle connection',
      value: median(beside('sallyport'), 'kibibytesEach'),
      target: null,
    },
  ],
};

async function runBesideIdle(server: Server, corpus: Corpus, seconds: number): Promise<Measured> {
  // What a busy server takes anyway must not count as theirs.
  await runRepeated(server, corpus, { seconds: 1 });
  const before = server.usage().residentBytes;
  const idle = await openIdle({
    url: `${server.url}/decide`,
    connections,
    perAddress,
    tokensFile: corpus.tokensFile,
  });
  try {
    const kibibytesEach = (server.usage().residentBytes - before) / connections / 1024;
    await idle.ask();
    const { figures, trace } = await runRepeated(server, corpus, { seconds });
    const left = await idle.count();
    if (left < connections) throw new Error(`${connections - left} of the idle connections were closed`);
    return { figures: { ...figures, kibibytesEach }, trace };
  } finally {
    idle.stop();
  }
}
