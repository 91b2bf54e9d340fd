/** Growth of what is remembered: live tokens. Memory counts from the gateway that has seen a single one. */
import type { BenchCase, Contender } from '../case.ts';
import { decideFigures, runRepeated } from '../load/decide.ts';
import { withServer } from '../servers/server.ts';

const sizes = [1, 1000, 100_000, 1_000_000] as const;
const most = 1_000_000;
const contender = (size: number): string => `${size.toLocaleString('en')} tokens`;

export const growthTokens: BenchCase = {
  name: 'growth-tokens',
  question: 'What does it cost to know many tokens?',
  figures: decideFigures,
  sizes,
  async contenders(bench) {
    const corpus = await bench.corpus(most, 'HS256');
    return sizes.map((tokens): Contender => ({
      name: contender(tokens),
      measure: () =>
        withServer(bench.gateway({ corpus, core: null, cacheEntries: 1_200_000 }), (server) =>
          runRepeated(server, corpus, { seconds: bench.seconds, tokens, everyTokenFirst: true }),
        ),
    }));
  },
  ratios: ({ median }) => [
    {
      name: 'KiB of resident memory for each of 1,000,000 tokens',
      value: (median(contender(most), 'residentBytes') - median(contender(1), 'residentBytes')) / most / 1024,
      target: { atMost: 1 },
    },
    {
      name: `decisions per second with ${contender(most)}, of ${contender(1)}`,
      value: median(contender(most), 'perSecond') / median(contender(1), 'perSecond'),
      target: null,
    },
  ],
};
