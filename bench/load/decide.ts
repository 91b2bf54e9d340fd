/** Load on `/decide`, as the cases about decisions have it. */
import type { Measured } from '../case.ts';
import type { Server } from '../servers/server.ts';
import type { Corpus } from '../tokens/corpus.ts';
import { runClosedLoop } from './closed-loop.ts';

/** What `runRepeated` and `runUnseen` measure, for `BenchCase.figures`. */
export const decideFigures = {
  perSecond: '1/s',
  cpuSecondsPer1000: 's',
  residentBytes: 'B',
  loadCpu: 'cores',
} as const;

interface RepeatedOptions {
  readonly seconds: number;
  readonly connections?: number;
  readonly core?: number | null;
}

/** The same tokens over and over, after a warm-up in which each was used. */
export async function runRepeated(
  server: Server,
  corpus: Corpus,
  { seconds, connections = 64, core = null }: RepeatedOptions,
): Promise<Measured> {
  const job = {
    url: `${server.url}/decide`,
    connections,
    expectedStatus: 204,
    tokensFile: corpus.tokensFile,
    warmUp: { from: 0, to: repeatedTokens, seconds: 2 },
    measured: { from: 0, to: repeatedTokens, seconds },
    body: null,
  };
  return await runClosedLoop(job, server.usage, core);
}

const repeatedTokens = 100;
export const warmUpTokens = 20_000;

/** Tokens `warmUpTokens` to `last`, each used once, after others that warmed the server up. */
export async function runUnseen(
  server: Server,
  corpus: Corpus,
  last: number,
  connections = 128,
): Promise<Measured> {
  const job = {
    url: `${server.url}/decide`,
    connections,
    expectedStatus: 204,
    tokensFile: corpus.tokensFile,
    warmUp: { from: 0, to: warmUpTokens, seconds: null },
    measured: { from: warmUpTokens, to: last, seconds: null },
    body: null,
  };
  return await runClosedLoop(job, server.usage, null);
}
