/** Forwarding with a known token, and bodies of one size both ways: a case for each size. */
import type { BenchCase, Measured } from '../case.ts';
import { runClosedLoop } from '../load/closed-loop.ts';
import { startApache } from '../peers/apache.ts';
import { debian, nginxWithLua } from '../peers/debian.ts';
import { startHaproxy } from '../peers/haproxy.ts';
import { startNginxAsking, startNginxLua, startNginxNjs } from '../peers/nginx.ts';
import { startFastify, startUndiciProxy } from '../peers/node-peers.ts';
import { startBare } from '../servers/bare-server.ts';
import { type Server, withServer } from '../servers/server.ts';
import { withVerifier } from '../servers/verifier.ts';

const tokens = 100;
const connections = 64;
const jwt = 'HAProxy, 1 thread, jwt_verify';
const plain = 'HAProxy, 1 thread, forwards all';
const asking = 'nginx, 1 worker, auth_request to sallyport';
const njs = 'nginx + njs, 1 worker';
const lua = 'nginx + Lua, 1 worker';
const apache = 'Apache + mod_auth_openidc';
const fastify = 'Fastify + @fastify/jwt + @fastify/http-proxy';
const undici = 'node:http + undici, forwards all';
const service = 'the service itself';

function proxied(name: string, size: string, bodyBytes: number, hasTargets: boolean): BenchCase {
  return {
    name,
    question: `What does it cost to put something before a service, with ${size} each way?`,
    figures: {
      perSecond: '1/s',
      cpuSecondsPer1000: 's',
      askedCpuPer1000: 's',
      residentBytes: 'B',
      loadCpu: 'cores',
    },
    async contenders(bench) {
      const corpus = await bench.corpus(tokens);
      const load = async (server: Server): Promise<Measured> => {
        const job = {
          url: `${server.url}/forward`,
          connections,
          expectedStatus: 200,
          tokensFile: corpus.tokensFile,
          warmUp: { from: 0, to: tokens, seconds: 2 },
          measured: { from: 0, to: tokens, seconds: bench.seconds },
          body: bodyBytes === 0 ? null : 'u'.repeat(bodyBytes),
        };
        return await runClosedLoop(job, server.usage, null);
      };
      const behind = (start: (upstreamUrl: string) => Promise<Server>) => (): Promise<Measured> =>
        withServer(startBare(200, bodyBytes, null), ({ url }) => withServer(start(url), load));
      const verified = (start: (upstreamUrl: string) => Promise<Server>) => (): Promise<Measured> =>
        withServer(startBare(200, bodyBytes, null), ({ url }) =>
          withVerifier(start(url), corpus, '/forward', load),
        );
      const haproxy = { threads: 1, core: null };
      return [
        {
          name: 'sallyport',
          measure: verified((upstreamUrl) => bench.gateway({ corpus, core: null, upstreamUrl })),
        },
        {
          name: jwt,
          needs: [debian.haproxy],
          measure: verified((upstreamUrl) => startHaproxy({ ...haproxy, corpus, upstreamUrl })),
        },
        {
          name: plain,
          needs: [debian.haproxy],
          measure: behind((upstreamUrl) => startHaproxy({ ...haproxy, corpus: null, upstreamUrl })),
        },
        {
          name: asking,
          needs: [debian.nginx],
          measure: verified(async (upstreamUrl) =>
            startNginxAsking(await bench.gateway({ corpus, core: null, upstreamUrl, decides: true })),
          ),
        },
        {
          name: njs,
          needs: [debian.nginx, debian.njs],
          measure: verified((upstreamUrl) => startNginxNjs({ corpus, core: null, upstreamUrl })),
        },
        {
          name: lua,
          needs: nginxWithLua,
          measure: verified((upstreamUrl) => startNginxLua({ corpus, core: null, upstreamUrl })),
        },
        {
          name: apache,
          needs: [debian.apache, debian.openidc],
          measure: verified((upstreamUrl) => startApache({ corpus, core: null, upstreamUrl })),
        },
        { name: fastify, measure: verified((upstreamUrl) => startFastify(corpus, null, upstreamUrl)) },
        { name: undici, measure: behind((upstreamUrl) => startUndiciProxy(upstreamUrl, null)) },
        { name: service, measure: () => withServer(startBare(200, bodyBytes, null), load) },
      ];
    },
    ratios: ({ median }) => {
      const ratio = (of: string, atLeast: number | null, figure = 'perSecond') => ({
        name: `${figure === 'perSecond' ? 'requests per second' : 'CPU per request'}, of ${of}`,
        value: median('sallyport', figure) / median(of, figure),
        target: atLeast === null || !hasTargets ? null : { atLeast },
      });
      return [
        ratio(jwt, 1.5),
        ratio(plain, 1),
        ratio(fastify, 4),
        ratio(asking, null),
        ratio(njs, null),
        ratio(lua, null),
        ratio(apache, null),
        ratio(undici, null),
        ratio(service, null),
        ratio(plain, null, 'cpuSecondsPer1000'),
        ratio(asking, null, 'cpuSecondsPer1000'),
        ratio(lua, null, 'cpuSecondsPer1000'),
        ratio(undici, null, 'cpuSecondsPer1000'),
      ];
    },
  };
}

export const proxiedCases: readonly BenchCase[] = [
  proxied('proxied-0', 'no body', 0, false),
  proxied('proxied-1k', '1 KiB', 1024, true),
  proxied('proxied-64k', '64 KiB', 65_536, false),
  proxied('proxied-1m', '1 MiB', 1_048_576, false),
];
