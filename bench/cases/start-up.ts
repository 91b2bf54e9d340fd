/** From the start of the process to its first answer, and what it takes while nobody asks. */
import type { BenchCase, Measured } from '../case.ts';
import { withServer } from '../servers/server.ts';
import { readTokens } from '../tokens/lines.ts';

export const startUp: BenchCase = {
  name: 'start-up',
  question: 'How long from the start of the process to the first 200, and how much memory does it hold then?',
  figures: { firstAnswerMs: 'ms', residentBytes: 'B' },
  async contenders(bench) {
    const corpus = await bench.corpus(100);
    const [token] = readTokens(corpus.tokensFile, 0, 1);
    return [
      {
        name: 'sallyport',
        async measure(): Promise<Measured> {
          const startMs = performance.now();
          return await withServer(bench.gateway({ corpus, core: null }), async (server) => {
            const answer = await fetch(`${server.url}/decide`, {
              headers: { authorization: `Bearer ${token}` },
            });
            const firstAnswerMs = performance.now() - startMs;
            if (answer.status !== 204) throw new Error(`the first answer was ${answer.status}`);
            return { figures: { firstAnswerMs, residentBytes: server.usage().residentBytes }, trace: null };
          });
        },
      },
    ];
  },
  ratios: ({ median }) => [
    {
      name: 'ms from the start to the first answer',
      value: median('sallyport', 'firstAnswerMs'),
      target: { atMost: 400 },
    },
    { name: 'MB resident, idle', value: median('sallyport', 'residentBytes') / 1e6, target: { atMost: 150 } },
  ],
};
