/** Between known and never-seen: a share of the requests carries a new token. */
import type { BenchCase, Contender, Measured } from '../case.ts';
import { runClosedLoop } from '../load/closed-loop.ts';
import { decideFigures } from '../load/decide.ts';
import { withServer } from '../servers/server.ts';

const shares = [1, 10, 50] as const;
const repeated = 100;
/** About a second of requests at each share. */
const perSecond = { 1: 60_000, 10: 45_000, 50: 25_000 } as const;

export const decisionMix: BenchCase = {
  name: 'decision-mix',
  question: 'What do decisions cost when a share of the tokens is new?',
  figures: decideFigures,
  async contenders(bench) {
    const news = Math.max(...shares.map((share) => (perSecond[share] * share * (bench.seconds + 1)) / 100));
    const corpus = await bench.corpus(repeated + news);
    return shares.map((share): Contender => ({
      name: `${share} % new`,
      measure: () =>
        withServer(bench.gateway({ corpus, core: null }), async (server): Promise<Measured> => {
          const requests = perSecond[share] * bench.seconds;
          const job = {
            url: `${server.url}/decide`,
            connections: 64,
            expectedStatus: 204,
            tokensFile: corpus.tokensFile,
            warmUp: { from: 0, to: repeated, seconds: 2 },
            measured: { from: repeated, to: repeated + (requests * share) / 100, seconds: null },
            between: { from: 0, to: repeated, times: 100 / share - 1 },
            body: null,
          };
          return await runClosedLoop(job, server.usage, null);
        }),
    }));
  },
  ratios: () => [],
};
