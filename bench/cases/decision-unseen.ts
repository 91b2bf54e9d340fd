/** The verify workers at work: every request carries a token that the gateway has not seen. */
import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import type { BenchCase, Sample } from '../case.ts';
import { runClosedLoop } from '../load/closed-loop.ts';
import { startGateway } from '../servers/gateway.ts';
import { withServer } from '../servers/server.ts';

const verifyLoop = fileURLToPath(new URL('../servers/verify-loop.js', import.meta.url));
const run = promisify(execFile);
const connections = 128;
const warmUpTokens = 20_000;
/** Each token is used once, so that a round is as long as its tokens last; this many are about a second of them. */
const tokensPerSecond = 16_000;
const loopTokens = 40_000;

export const decisionUnseen: BenchCase = {
  name: 'decision-unseen',
  question: 'How near do decisions about never-seen RS256 tokens come to what one core can verify at all?',
  figures: { perSecond: '1/s', cpuSecondsPer1000: 's', residentBytes: 'B', loadCpu: 'cores' },
  async contenders(bench) {
    const last = warmUpTokens + bench.seconds * tokensPerSecond;
    const corpus = await bench.corpus(Math.max(last, loopTokens));
    return [
      {
        name: 'sallyport',
        // A gateway of its own for each round: to the next one the tokens are new again.
        measure: () =>
          withServer(startGateway({ corpus, core: null }), async (server): Promise<Sample> => {
            const job = {
              url: `${server.url}/decide`,
              connections,
              expectedStatus: 204,
              tokensFile: corpus.tokensFile,
              warmUp: { from: 0, to: warmUpTokens, seconds: null },
              measured: { from: warmUpTokens, to: last, seconds: null },
              body: null,
            };
            return { ...(await runClosedLoop(job, server.usage, null)) };
          }),
      },
      {
        name: 'crypto.verify loop, one core',
        async measure(): Promise<Sample> {
          const args = [verifyLoop, corpus.jwksFile, corpus.tokensFile, String(loopTokens)];
          const { stdout } = await run(process.execPath, args);
          const { perSecond } = JSON.parse(stdout) as { perSecond: number };
          return { perSecond, cpuSecondsPer1000: 1000 / perSecond };
        },
      },
    ];
  },
  ratios: ({ median }) => [
    {
      name: 'decisions per second, of the verify loop',
      value: median('sallyport', 'perSecond') / median('crypto.verify loop, one core', 'perSecond'),
      target: { atLeast: 0.6 },
    },
    {
      name: 'CPU per decision, of the verify loop',
      value:
        median('sallyport', 'cpuSecondsPer1000') /
        median('crypto.verify loop, one core', 'cpuSecondsPer1000'),
      target: null,
    },
  ],
};
