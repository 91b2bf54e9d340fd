/** The verify workers at work: every request carries a token that the gateway has not seen. */
import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import type { BenchCase, Measured, Sample } from '../case.ts';
import { decideFigures, runUnseen, warmUpTokens } from '../load/decide.ts';
import { runWrk } from '../load/wrk.ts';
import { debian } from '../peers/debian.ts';
import { startHaproxy } from '../peers/haproxy.ts';
import { seriesOf } from '../servers/series.ts';
import type { Server } from '../servers/server.ts';
import { niceCpuSeconds } from '../usage.ts';
import { withVerifier } from '../servers/verifier.ts';

const verifyLoop = fileURLToPath(new URL('../servers/verify-loop.js', import.meta.url));
const run = promisify(execFile);
/** Each token is used once, so that a round is as long as its tokens last; this many are about a second of them. */
const tokensPerSecond = 16_000;
const loopTokens = 40_000;
/** wrk is told how long to go on, so there must be more tokens than it can get rid of. */
const wrkTokensPerSecond = 40_000;
const loop = 'crypto.verify loop, one core';
const haproxy = 'HAProxy, 2 threads';
const byWrk = 'sallyport, asked by wrk';
const haproxyByWrk = 'HAProxy, 2 threads, asked by wrk';

export const decisionUnseen: BenchCase = {
  name: 'decision-unseen',
  question: 'How near do decisions about never-seen RS256 tokens come to what one core can verify at all?',
  figures: { ...decideFigures, verifySecondsPer1000: 's', workerShare: '1' },
  async contenders(bench) {
    const last = warmUpTokens + bench.seconds * tokensPerSecond;
    const wrkTokens = bench.seconds * wrkTokensPerSecond;
    const corpus = await bench.corpus(Math.max(warmUpTokens + wrkTokens, loopTokens));
    const startPeer = (): Promise<Server> =>
      startHaproxy({ threads: 2, core: null, corpus, upstreamUrl: null });
    const verified = (
      start: () => Promise<Server>,
      measure: (server: Server) => Promise<Measured>,
    ): (() => Promise<Measured>) => {
      // To a process of its own for each round, the tokens are new again.
      return () => withVerifier(start(), corpus, '/decide', measure);
    };
    return [
      {
        name: 'sallyport',
        measure: () =>
          withVerifier(bench.gateway({ corpus, core: null }), corpus, '/decide', async (gateway) => {
            const startSeconds = niceCpuSeconds(gateway.pid);
            const { figures, trace } = await runUnseen(gateway, corpus, last);
            const workerSeconds = niceCpuSeconds(gateway.pid) - startSeconds;
            const workerTokens = await seriesOf(gateway, 'sallyport_verify_batch_tokens_sum');
            return {
              figures: {
                ...figures,
                verifySecondsPer1000: (workerSeconds / workerTokens) * 1000,
                workerShare: workerTokens / last,
              },
              trace,
            };
          }),
      },
      {
        name: haproxy,
        needs: [debian.haproxy],
        measure: verified(startPeer, (server) => runUnseen(server, corpus, last)),
      },
      {
        name: byWrk,
        needs: [debian.wrk],
        measure: verified(
          () => bench.gateway({ corpus, core: null }),
          (server) => runWrk(server, corpus, { seconds: bench.seconds, tokens: wrkTokens, unseen: true }),
        ),
      },
      {
        name: haproxyByWrk,
        needs: [debian.haproxy, debian.wrk],
        // It remembers none, so that it does not matter when they come again.
        measure: verified(startPeer, (server) =>
          runWrk(server, corpus, { seconds: bench.seconds, tokens: wrkTokens }),
        ),
      },
      {
        name: loop,
        async measure(): Promise<Measured> {
          const args = [verifyLoop, corpus.keysFile, corpus.tokensFile, String(loopTokens)];
          const { stdout } = await run(process.execPath, args);
          return { figures: JSON.parse(stdout) as Sample, trace: null };
        },
      },
    ];
  },
  ratios: ({ median }) => [
    {
      name: 'decisions per second, of the verify loop',
      value: median('sallyport', 'perSecond') / median(loop, 'perSecond'),
      target: { atLeast: 0.6 },
    },
    {
      name: 'decisions per second, of HAProxy with as many threads',
      value: median('sallyport', 'perSecond') / median(haproxy, 'perSecond'),
      target: { atLeast: 1 },
    },
    {
      name: 'decisions per second asked by wrk, of the verify loop',
      value: median(byWrk, 'perSecond') / median(loop, 'perSecond'),
      target: null,
    },
    {
      name: 'decisions per second, of HAProxy with as many threads, both asked by wrk',
      value: median(byWrk, 'perSecond') / median(haproxyByWrk, 'perSecond'),
      target: null,
    },
    {
      name: "a worker's CPU per token, of the CPU of the verify loop",
      value: median('sallyport', 'verifySecondsPer1000') / median(loop, 'cpuSecondsPer1000'),
      target: { atMost: 1.15 },
    },
    {
      name: 'CPU per decision, of the verify loop',
      value: median('sallyport', 'cpuSecondsPer1000') / median(loop, 'cpuSecondsPer1000'),
      target: null,
    },
    {
      name: 'CPU per decision, of HAProxy',
      value: median('sallyport', 'cpuSecondsPer1000') / median(haproxy, 'cpuSecondsPer1000'),
      target: null,
    },
  ],
};
