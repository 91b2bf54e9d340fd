/** A scrape of all metrics while traffic goes on: every one of 10,000 routes has been used, and the series budget holds them. */
import { readFileSync } from 'node:fs';
import type { BenchCase, Contender, Measured } from '../case.ts';
import { besideFigures, runBeside } from '../load/beside.ts';
import { otherPath, type Gateway } from '../servers/gateway.ts';
import { withServer } from '../servers/server.ts';
import { summarise } from '../statistics.ts';
import type { Corpus } from '../tokens/corpus.ts';
import { readTokens } from '../tokens/lines.ts';

const otherRoutes = 10_000;
const seriesMax = 200_000;
const atOnce = 50;
const quiet = 'no scrapes';
const scraping = 'a scrape every second';

export const scrape: BenchCase = {
  name: 'scrape',
  question: 'How long does a scrape of 10,000 routes hold the main thread, and does traffic feel it?',
  figures: { mainThreadMs: 'ms', scrapeMs: 'ms', series: '1', ...besideFigures },
  async contenders(bench) {
    const corpus = await bench.corpus(100);
    const used = async (use: (gateway: Gateway) => Promise<Measured>): Promise<Measured> =>
      await withServer(
        bench.gateway({ corpus, core: null, otherRoutes, otherScopes: 32, seriesMax }),
        async (gateway) => {
          await useAllRoutes(gateway, corpus);
          return await use(gateway);
        },
      );
    return [
      { name: quiet, measure: () => used((gateway) => runBeside(gateway, corpus, bench.seconds, null)) },
      {
        name: scraping,
        measure: () =>
          used(async (gateway) => {
            const scrapes: Scrape[] = [];
            const series = await countSeries(gateway);
            const { figures, trace } = await runBeside(gateway, corpus, bench.seconds, async () => {
              scrapes.push(await scrapeOnce(gateway));
            });
            const median = (figure: keyof Scrape): number =>
              summarise(scrapes.map((each) => each[figure])).median;
            const own = {
              mainThreadMs: median('mainThreadMs'),
              scrapeMs: median('scrapeMs'),
              series,
            };
            return { figures: { ...own, ...figures }, trace };
          }),
      },
    ] satisfies Contender[];
  },
  ratios: ({ median }) => [
    {
      name: "ms of the main thread's time for a scrape",
      value: median(scraping, 'mainThreadMs'),
      target: { atMost: 100 },
    },
    {
      name: 'p99 with scrapes, of that without',
      value: median(scraping, 'p99') / median(quiet, 'p99'),
      target: null,
    },
  ],
};

/** A refusal for want of the scope is a use of the route, too. */
async function useAllRoutes(gateway: Gateway, { tokensFile }: Corpus): Promise<void> {
  const [token] = readTokens(tokensFile, 0, 1);
  const headers = { authorization: `Bearer ${token}` };
  const use = async (route: number): Promise<void> => {
    const { status } = await fetch(`${gateway.url}${otherPath(route, 'some')}`, { headers });
    if (status !== 403) throw new Error(`a route was answered with ${status}`);
  };
  for (let from = 0; from < otherRoutes; from += atOnce)
    await Promise.all(Array.from({ length: atOnce }, (_, n) => use(from + n)));
}

interface Scrape {
  readonly mainThreadMs: number;
  readonly scrapeMs: number;
}

async function countSeries({ adminUrl }: Gateway): Promise<number> {
  const text = await (await fetch(`${adminUrl}/metrics`)).text();
  return text.split('\n').filter((line) => line !== '' && !line.startsWith('#')).length;
}

async function scrapeOnce({ adminUrl, pid }: Gateway): Promise<Scrape> {
  const [startMs, startCpuMs] = [performance.now(), mainThreadMs(pid)];
  await (await fetch(`${adminUrl}/metrics`)).arrayBuffer();
  return { mainThreadMs: mainThreadMs(pid) - startCpuMs, scrapeMs: performance.now() - startMs };
}

/** On a core so far: the first figure of schedstat (Linux, Documentation/scheduler/sched-stats.rst), in nanoseconds. */
function mainThreadMs(pid: number): number {
  const [nanoseconds] = readFileSync(`/proc/${pid}/task/${pid}/schedstat`, 'utf8').split(' ');
  return Number(nanoseconds) / 1e6;
}
