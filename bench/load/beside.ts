/** What good traffic feels of something that is done to the gateway once a second. */
import { setTimeout as delay } from 'node:timers/promises';
import type { Measured } from '../case.ts';
import type { Server } from '../servers/server.ts';
import type { Corpus } from '../tokens/corpus.ts';
import { type PacedJob, startPaced } from './paced.ts';

const everyMs = 1000;
export const goodPerSecond = 1000;
export const warmUpSeconds = 2;

/** What `runBeside` measures, for `BenchCase.figures`. */
export const besideFigures = { p99: 'us', p50: 'us', p999: 'us', max: 'us' } as const;

/** Good traffic: decisions about known tokens, 1,000 a second. */
export function goodTraffic({ url }: Server, { tokensFile }: Corpus, seconds: number): PacedJob {
  return {
    url: `${url}/decide`,
    tokensFile,
    perSecond: goodPerSecond,
    seconds,
    warmUpSeconds,
    connections: 64,
    expectedStatus: 204,
    tokens: 'repeat',
    localAddress: '127.0.0.1',
  };
}

/** Good traffic, and `disturb` over and over: the next one a second after the last, or at once. */
export async function runBeside(
  server: Server,
  corpus: Corpus,
  seconds: number,
  disturb: (() => Promise<void>) | null,
): Promise<Measured> {
  const traffic = startPaced(goodTraffic(server, corpus, seconds));
  const over = new AbortController();
  const result = traffic.result.finally(() => over.abort());
  const disturbing = disturb === null ? Promise.resolve() : repeat(disturb, over.signal);
  try {
    const [{ latency }] = await Promise.all([result, disturbing]);
    const { p50, p99, p999, max } = latency;
    return { figures: { p50, p99, p999, max }, trace: { latencyUs: latency.curve, answered: [] } };
  } finally {
    traffic.stop();
  }
}

async function repeat(run: () => Promise<void>, over: AbortSignal): Promise<void> {
  while (!over.aborted) {
    const beat = delay(everyMs, undefined, { signal: over }).catch(() => {});
    await run();
    await beat;
  }
}
