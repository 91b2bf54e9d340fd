/** Never-seen tokens of other algorithms than RS256. */
import type { BenchCase, Contender } from '../case.ts';
import { decideFigures, runUnseen, warmUpTokens } from '../load/decide.ts';
import { withServer } from '../servers/server.ts';

/** About a second of tokens each. */
const tokensPerSecond = { RS256: 16_000, ES256: 7000, EdDSA: 6000, HS256: 30_000 } as const;

export const decisionAlgorithms: BenchCase = {
  name: 'decision-algorithms',
  question: 'What does a decision about a never-seen token cost, by its algorithm?',
  figures: decideFigures,
  async contenders(bench) {
    const contenders: Contender[] = [];
    for (const algorithm of ['RS256', 'ES256', 'EdDSA', 'HS256'] as const) {
      const last = warmUpTokens + bench.seconds * tokensPerSecond[algorithm];
      const corpus = await bench.corpus(last, algorithm);
      contenders.push({
        name: algorithm,
        measure: () =>
          withServer(bench.gateway({ corpus, core: null }), (server) => runUnseen(server, corpus, last)),
      });
    }
    return contenders;
  },
  ratios: () => [],
};
