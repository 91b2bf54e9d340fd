/**
 * Growth of what is remembered: live tokens. Memory counts from the gateway that has seen a single one. What is resident holds
 * garbage, too; heap and what stands outside of it are what the listener's engine says of itself, every five seconds.
 */
import type { BenchCase, Contender, Measured } from '../case.ts';
import { fill } from '../load/fill.ts';
import { runWrk } from '../load/wrk.ts';
import { debian } from '../peers/debian.ts';
import type { Gateway } from '../servers/gateway.ts';
import { seriesOf } from '../servers/series.ts';
import { withServer } from '../servers/server.ts';
import type { Corpus } from '../tokens/corpus.ts';

const sizes = [1, 1000, 100_000, 1_000_000] as const;
const most = 1_000_000;
const contender = (size: number): string => `${size.toLocaleString('en')} tokens`;

export const growthTokens: BenchCase = {
  name: 'growth-tokens',
  question: 'What does it cost to know many tokens?',
  figures: {
    perSecond: '1/s',
    cpuSecondsPer1000: 's',
    residentBytes: 'B',
    heapBytes: 'B',
    externalBytes: 'B',
    loadCpu: 'cores',
  },
  sizes,
  async contenders(bench) {
    const corpus = await bench.corpus(most, 'HS256');
    return sizes.map((tokens): Contender => ({
      name: contender(tokens),
      needs: [debian.wrk],
      measure: () =>
        withServer(bench.gateway({ corpus, core: null, cacheEntries: 1_200_000 }), (gateway) =>
          measure(gateway, corpus, bench.seconds, tokens),
        ),
    }));
  },
  ratios: ({ median }) => {
    const grown = (figure: string): number => median(contender(most), figure) - median(contender(1), figure);
    return [
      {
        name: 'KiB of resident memory for each of 1,000,000 tokens',
        value: grown('residentBytes') / most / 1024,
        target: { atMost: 1 },
      },
      {
        name: 'KiB of heap and outside of it for each of 1,000,000 tokens',
        value: (grown('heapBytes') + grown('externalBytes')) / most / 1024,
        target: null,
      },
      ...sizes.slice(1).map((size) => ({
        name: `decisions per second with ${contender(size)}, of ${contender(1)}`,
        value: median(contender(size), 'perSecond') / median(contender(1), 'perSecond'),
        target: null,
      })),
    ];
  },
};

async function measure(gateway: Gateway, corpus: Corpus, seconds: number, tokens: number): Promise<Measured> {
  const { tokensFile } = corpus;
  await fill({ url: `${gateway.url}/decide`, tokensFile, tokens, expectedStatus: 204 });
  const { figures, trace } = await runWrk(gateway, corpus, { seconds, tokens });
  const heapBytes = await seriesOf(gateway, 'sallyport_heap_used_bytes{thread="listener-0"}');
  const externalBytes = await seriesOf(gateway, 'sallyport_external_memory_bytes{thread="listener-0"}');
  return { figures: { ...figures, heapBytes, externalBytes }, trace };
}
