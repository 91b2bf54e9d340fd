/** Callers that keep no connection: each request brings one of its own, and takes a whole TLS handshake where there is TLS. */
import type { BenchCase, Contender } from '../case.ts';
import { decideFigures } from '../load/decide.ts';
import { runWrk } from '../load/wrk.ts';
import { debian, type DebianPackage } from '../peers/debian.ts';
import { startHaproxy } from '../peers/haproxy.ts';
import { startBare } from '../servers/bare-server.ts';
import { certificate } from '../servers/certificate.ts';
import { type Server, withServer } from '../servers/server.ts';

const haproxy = 'HAProxy, 1 thread';
const overTls = (name: string): string => `${name}, TLS`;

export const connectionChurn: BenchCase = {
  name: 'connection-churn',
  question: 'What does a decision cost when every request comes over a new connection?',
  figures: decideFigures,
  async contenders(bench) {
    const corpus = await bench.corpus(100);
    const contender = (
      name: string,
      needs: readonly DebianPackage[],
      start: () => Promise<Server>,
    ): Contender => ({
      name,
      needs: [debian.wrk, ...needs],
      measure: () =>
        withServer(start(), (server) => runWrk(server, corpus, { seconds: bench.seconds, closes: true })),
    });
    const rules = { threads: 1, core: null, corpus, upstreamUrl: null };
    return [
      contender('sallyport', [], () => bench.gateway({ corpus, core: null })),
      contender('bare uWebSockets.js', [], () => startBare(204, 0, null)),
      contender(haproxy, [debian.haproxy], () => startHaproxy(rules)),
      contender(overTls('sallyport'), [debian.openssl], () =>
        bench.gateway({ corpus, core: null, tls: certificate() }),
      ),
      contender(overTls(haproxy), [debian.haproxy, debian.openssl], () =>
        startHaproxy({ ...rules, tls: certificate() }),
      ),
    ];
  },
  ratios: ({ median }) => {
    const ratio = (one: string, of: string, figure: 'perSecond' | 'cpuSecondsPer1000') => ({
      name: `${figure === 'perSecond' ? 'requests per second' : 'CPU per request'} of ${one}, of ${of}`,
      value: median(one, figure) / median(of, figure),
      target: null,
    });
    return [
      ratio('sallyport', 'bare uWebSockets.js', 'perSecond'),
      ratio('sallyport', haproxy, 'perSecond'),
      ratio('sallyport', haproxy, 'cpuSecondsPer1000'),
      ratio(overTls('sallyport'), overTls(haproxy), 'perSecond'),
      ratio(overTls('sallyport'), overTls(haproxy), 'cpuSecondsPer1000'),
    ];
  },
};
