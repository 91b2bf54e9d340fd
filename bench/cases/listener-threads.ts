/** One listener thread, and two. wrk asks, because autocannon takes a core of its own, of which there may be but two. */
import type { BenchCase, Contender } from '../case.ts';
import { decideFigures } from '../load/decide.ts';
import { runWrk } from '../load/wrk.ts';
import { debian } from '../peers/debian.ts';
import { startHaproxy } from '../peers/haproxy.ts';
import { type Server, withServer } from '../servers/server.ts';

const counts = [1, 2] as const;
const servers = ['sallyport', 'HAProxy'] as const;
const contender = (server: string, threads: number): string =>
  `${server}, ${threads} ${threads === 1 ? 'thread' : 'threads'}`;

export const listenerThreads: BenchCase = {
  name: 'listener-threads',
  question: 'What does a second listener thread add to decisions about known tokens?',
  figures: decideFigures,
  async contenders(bench) {
    const corpus = await bench.corpus(100);
    const start = (server: (typeof servers)[number], threads: number): Promise<Server> =>
      server === 'sallyport'
        ? bench.gateway({ corpus, core: null, threads })
        : startHaproxy({ threads, core: null, corpus, upstreamUrl: null });
    return servers.flatMap((server) =>
      counts.map((threads): Contender => ({
        name: contender(server, threads),
        needs: server === 'HAProxy' ? [debian.wrk, debian.haproxy] : [debian.wrk],
        measure: () =>
          withServer(start(server, threads), (started) =>
            runWrk(started, corpus, { seconds: bench.seconds }),
          ),
      })),
    );
  },
  ratios: ({ median }) => [
    ...servers.flatMap((server) => {
      const grown = (figure: string): number =>
        median(contender(server, 2), figure) / median(contender(server, 1), figure);
      return [
        {
          name: `decisions per second of ${server} with 2 threads, of 1`,
          value: grown('perSecond'),
          target: null,
        },
        {
          name: `CPU per decision of ${server} with 2 threads, of 1`,
          value: grown('cpuSecondsPer1000'),
          target: null,
        },
      ];
    }),
    ...counts.map((threads) => ({
      name: `decisions per second, of HAProxy with as many threads (${threads})`,
      value:
        median(contender('sallyport', threads), 'perSecond') /
        median(contender('HAProxy', threads), 'perSecond'),
      target: null,
    })),
  ],
};
