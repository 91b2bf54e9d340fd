/** The same question as `decision-repeated`, asked by two load generators: what depends on who asks is no property of a server. */
import type { BenchCase, Contender } from '../case.ts';
import { decideFigures, runRepeated } from '../load/decide.ts';
import { runWrk } from '../load/wrk.ts';
import { debian, type DebianPackage } from '../peers/debian.ts';
import { startHaproxy } from '../peers/haproxy.ts';
import { startBare } from '../servers/bare-server.ts';
import { type Server, withServer } from '../servers/server.ts';

/** On two cores, server and load each have one of their own. */
const serverCore = 0;
const loadCore = 1;
const generators = ['autocannon', 'wrk'] as const;
const servers = ['sallyport', 'bare uWebSockets.js', 'HAProxy, 1 thread'] as const;

export const decisionWrk: BenchCase = {
  name: 'decision-wrk',
  question: 'Do two load generators see the same of a decision about a known token?',
  figures: decideFigures,
  async contenders(bench) {
    const corpus = await bench.corpus(100);
    const haproxy = { threads: 1, core: serverCore, corpus, upstreamUrl: null };
    const start: Record<(typeof servers)[number], () => Promise<Server>> = {
      sallyport: () => bench.gateway({ corpus, core: serverCore }),
      'bare uWebSockets.js': () => startBare(204, 0, serverCore),
      'HAProxy, 1 thread': () => startHaproxy(haproxy),
    };
    const needs: Record<(typeof servers)[number], readonly DebianPackage[]> = {
      sallyport: [],
      'bare uWebSockets.js': [],
      'HAProxy, 1 thread': [debian.haproxy],
    };
    const load = { seconds: bench.seconds, core: loadCore };
    return servers.flatMap((name): Contender[] => [
      {
        name: `${name}, autocannon`,
        needs: needs[name],
        measure: () => withServer(start[name](), (server) => runRepeated(server, corpus, load)),
      },
      {
        name: `${name}, wrk`,
        needs: [...needs[name], debian.wrk],
        measure: () => withServer(start[name](), (server) => runWrk(server, corpus, load)),
      },
    ]);
  },
  ratios: ({ median }) => [
    ...servers.map((name) => ({
      name: `requests per second of ${name}, wrk of autocannon`,
      value: median(`${name}, wrk`, 'perSecond') / median(`${name}, autocannon`, 'perSecond'),
      target: null,
    })),
    ...generators.flatMap((generator) => {
      const ratio = (of: (typeof servers)[number], atLeast: number) => ({
        name: `decisions per second, of ${of}, both asked by ${generator}`,
        value: median(`sallyport, ${generator}`, 'perSecond') / median(`${of}, ${generator}`, 'perSecond'),
        // autocannon is at its limit, and hides what lies beyond it.
        target: generator === 'wrk' ? { atLeast } : null,
      });
      return [ratio('bare uWebSockets.js', 0.9), ratio('HAProxy, 1 thread', 4)];
    }),
  ],
};
