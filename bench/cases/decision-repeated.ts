/**
 * The facts cache at work: a decision about a token that was verified before. autocannon takes all of its core for the fastest of
 * them, so that the targets are judged in `decision-wrk`.
 */
import type { BenchCase, Measured } from '../case.ts';
import { decideFigures, runRepeated } from '../load/decide.ts';
import { startApache } from '../peers/apache.ts';
import { debian, nginxWithLua } from '../peers/debian.ts';
import { startHaproxy } from '../peers/haproxy.ts';
import { startNginxLua, startNginxNjs } from '../peers/nginx.ts';
import { startExpress, startFastify } from '../peers/node-peers.ts';
import { startBare } from '../servers/bare-server.ts';
import { type Server, withServer } from '../servers/server.ts';
import { withVerifier } from '../servers/verifier.ts';

/** On two cores, server and load each have one of their own. */
const serverCore = 0;
const loadCore = 1;
const njs = 'nginx + njs, 1 worker';
const lua = 'nginx + Lua, 1 worker';
const apache = 'Apache + mod_auth_openidc';

export const decisionRepeated: BenchCase = {
  name: 'decision-repeated',
  question: 'How near does a decision about a known token come to an HTTP server that decides nothing?',
  figures: decideFigures,
  async contenders(bench) {
    const corpus = await bench.corpus(100);
    const load = (server: Server): Promise<Measured> =>
      runRepeated(server, corpus, { seconds: bench.seconds, core: loadCore });
    const measure = (start: () => Promise<Server>) => (): Promise<Measured> =>
      withVerifier(start(), corpus, '/decide', load);
    const haproxy = { threads: 1, core: serverCore, corpus, upstreamUrl: null };
    return [
      { name: 'sallyport', measure: measure(() => bench.gateway({ corpus, core: serverCore })) },
      { name: 'bare uWebSockets.js', measure: () => withServer(startBare(204, 0, serverCore), load) },
      {
        name: 'HAProxy, 1 thread',
        needs: [debian.haproxy],
        measure: measure(() => startHaproxy(haproxy)),
      },
      {
        name: njs,
        needs: [debian.nginx, debian.njs],
        measure: measure(() => startNginxNjs({ corpus, core: serverCore, upstreamUrl: null })),
      },
      {
        name: lua,
        needs: nginxWithLua,
        measure: measure(() => startNginxLua({ corpus, core: serverCore, upstreamUrl: null })),
      },
      {
        name: apache,
        needs: [debian.apache, debian.openidc],
        measure: measure(() => startApache({ corpus, core: serverCore, upstreamUrl: null })),
      },
      { name: 'Fastify + @fastify/jwt', measure: measure(() => startFastify(corpus, serverCore)) },
      {
        name: 'Express + express-oauth2-jwt-bearer',
        measure: measure(() => startExpress(corpus, serverCore)),
      },
    ];
  },
  ratios: ({ median }) => {
    const ratio = (of: string, figure = 'perSecond'): number =>
      median('sallyport', figure) / median(of, figure);
    return [
      {
        name: 'decisions per second, of bare uWebSockets.js',
        value: ratio('bare uWebSockets.js'),
        target: null,
      },
      {
        name: 'CPU per decision, of bare uWebSockets.js',
        value: ratio('bare uWebSockets.js', 'cpuSecondsPer1000'),
        target: null,
      },
      { name: 'decisions per second, of HAProxy', value: ratio('HAProxy, 1 thread'), target: null },
      { name: 'decisions per second, of nginx + njs', value: ratio(njs), target: null },
      { name: 'decisions per second, of nginx + Lua', value: ratio(lua), target: null },
      { name: 'decisions per second, of Apache', value: ratio(apache), target: null },
      { name: 'decisions per second, of Fastify', value: ratio('Fastify + @fastify/jwt'), target: null },
      {
        name: 'decisions per second, of Express',
        value: ratio('Express + express-oauth2-jwt-bearer'),
        target: null,
      },
    ];
  },
};
