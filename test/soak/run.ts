/**
 * One soak: mixed load on the built gateway while its threads are broken one after another. What must hold is collected as
 * violations; a sound run has none.
 */
import { Agent } from 'node:http';
import { setTimeout as delay } from 'node:timers/promises';
import { usageOf } from '../../bench/usage.ts';
import { built } from '../support/built.ts';
import { startGateway, testPreamble, type TestGateway } from '../support/gateway.ts';
import { until } from '../support/until.ts';
import { type Caller, callers } from './callers.ts';
import { isFlat, type MemoryTrend, trendOf } from './memory.ts';
import { type Sabotage, sabotageMessage } from './sabotage.ts';
import { audience, issuer, SoakIssuer } from './tokens.ts';
import { SoakUpstream } from './upstream.ts';

export interface SoakOptions {
  readonly seconds: number;
  readonly throwEverySeconds: number;
  readonly terminateEverySeconds: number;
}

export interface SoakResult {
  readonly options: SoakOptions;
  /** Requests by kind of caller and by what came of them; `expected` is what had to. */
  readonly outcomes: Readonly<Record<string, Readonly<Record<string, number>>>>;
  readonly requests: number;
  readonly requestsAtUpstream: number;
  readonly listenersThrown: number;
  readonly listenersRestarted: number;
  readonly workersTerminated: number;
  /** Those that were at work when they ended; an idle one is replaced without being counted. */
  readonly workersMissed: number;
  readonly memory: MemoryTrend;
  readonly upstreamSocketsAtEnd: number;
  readonly violations: readonly string[];
}

const config = (upstreamUrl: string): string => `${testPreamble.replace('threads: 1', 'threads: 2')}
verifier: { threads: 1, cache_entries: 2000, negative_entries: 1000 }
issuers:
  soak:
    issuer: ${issuer}
    audiences: [${audience}]
    algorithms: [ES256]
    keys: { jwks_file: ./jwks.json }
upstreams:
  soak: { urls: [${upstreamUrl}], keep_alive_ms: 1000 }
routes:
  - prefix: /soak
    issuer: soak
    upstream: soak
    scopes: { all: [soak:use] }
`;

interface DeathLine {
  readonly msg: string;
  readonly err?: { readonly message?: string; readonly stack?: string } | null;
}

/** Our side had no verdict; the caller may try again. Never to be mixed up with 401. */
const noVerdict = /^503 verifier_(failed|timeout|full)$/;
const isStatus = /^\d{3}/;
const familiarTokens = 50;
/** A shorter run is all warm-up. */
const judgeMemorySeconds = 60;

export async function runSoak(options: SoakOptions): Promise<SoakResult> {
  const soakIssuer = await SoakIssuer.create();
  const familiar = await Promise.all(Array.from({ length: familiarTokens }, () => soakIssuer.good()));
  const upstream = new SoakUpstream();
  const gateway = await startGateway(config(await upstream.listen()), {
    files: { 'jwks.json': soakIssuer.jwks },
    preload: built('test/soak/saboteur.js'),
  });
  try {
    return await soak(options, gateway, upstream, soakIssuer, familiar);
  } finally {
    await gateway.stop();
    upstream.close();
  }
}

async function soak(
  options: SoakOptions,
  gateway: TestGateway,
  upstream: SoakUpstream,
  soakIssuer: SoakIssuer,
  familiar: readonly string[],
): Promise<SoakResult> {
  const endMs = performance.now() + options.seconds * 1000;
  const over = (): boolean => performance.now() >= endMs || gateway.process.exitCode !== null;
  const outcomes: Record<string, Record<string, number>> = {};
  const violations: string[] = [];
  const samples: number[] = [];
  const ordered: Record<Sabotage, number> = { throw: 0, terminate: 0 };
  let workersTerminated = 0;
  gateway.process.on('message', () => (workersTerminated += 1));
  let n = 0;
  let connectionsLost = 0;

  async function call(kind: string, asked: Caller, restMs: number): Promise<void> {
    const agent = new Agent({ keepAlive: true, maxSockets: 1 });
    const counts = (outcomes[kind] ??= {});
    while (!over()) {
      n += 1;
      const { expected, actual } = await asked({
        url: gateway.url,
        issuer: soakIssuer,
        agent,
        n,
        familiar,
      }).catch((error: NodeJS.ErrnoException) => ({ expected: '', actual: error.code ?? error.message }));
      counts[actual] = (counts[actual] ?? 0) + 1;
      if (!isStatus.test(actual) && actual !== 'left') connectionsLost += 1;
      else if (actual !== expected && !noVerdict.test(actual))
        violations.push(`${kind}: ${actual}, not ${expected}`);
      await delay(restMs);
    }
    agent.destroy();
  }

  async function every(seconds: number, act: () => void): Promise<void> {
    for (let nextMs = performance.now() + seconds * 1000; nextMs < endMs; nextMs += seconds * 1000) {
      await delay(Math.max(0, nextMs - performance.now()));
      if (!over()) act();
    }
  }

  const sabotage = (kind: Sabotage) => () => {
    ordered[kind] += 1;
    gateway.process.send(kind);
  };

  const allCallers = Object.entries(callers).flatMap(([kind, { ask, count, restMs }]) =>
    Array.from({ length: count }, () => call(kind, ask, restMs)),
  );
  await Promise.all([
    ...allCallers,
    every(options.throwEverySeconds, sabotage('throw')),
    every(options.terminateEverySeconds, sabotage('terminate')),
    every(options.seconds / 200, () => samples.push(usageOf(gateway.pid).residentBytes)),
  ]);

  if (gateway.process.exitCode !== null || gateway.process.signalCode !== null) {
    throw new Error(`the gateway ended during the soak\n${await gateway.complaints()}`);
  }
  const sockets = (): Promise<number> => upstream.sockets();
  await until('no upstream socket is left', async () => (await sockets()) === 0, 10_000).catch(() => {});
  const upstreamSocketsAtEnd = await sockets();
  const memory = trendOf(samples);
  const listenersRestarted = await gateway.metric('sallyport_listener_restarts_total');
  const workersMissed = await gateway.metric('sallyport_verify_worker_restarts_total');
  const inFlight = await gateway.metric('sallyport_http_requests_in_flight');

  const check = (holds: boolean, sentence: string): void => void (holds || violations.push(sentence));
  check(upstream.trespassers === 0, `${upstream.trespassers} requests with a bad token reached the upstream`);
  check(options.seconds < judgeMemorySeconds || isFlat(memory), 'memory grew after the warm-up');
  check(upstreamSocketsAtEnd === 0, `${upstreamSocketsAtEnd} upstream sockets were left`);
  check(inFlight === 0, `${inFlight} requests were still counted as in flight`);
  for (const { msg, err } of gateway.logs as readonly DeathLine[]) {
    if (msg !== 'listener died') continue;
    const cause = err?.stack ?? err?.message ?? 'no error';
    check(cause.includes(sabotageMessage), `a listener died of itself: ${cause}`);
  }
  check(
    listenersRestarted === ordered.throw,
    `${ordered.throw} listeners threw, ${listenersRestarted} were restarted`,
  );
  check(
    workersTerminated === ordered.terminate,
    `${ordered.terminate} workers were to end, ${workersTerminated} did`,
  );
  const lossesMax = 2 * allCallers.length * ordered.throw;
  check(connectionsLost <= lossesMax, `${connectionsLost} connections were lost, ${lossesMax} are explained`);
  return {
    options,
    outcomes,
    requests: n,
    requestsAtUpstream: upstream.requests,
    listenersThrown: ordered.throw,
    listenersRestarted,
    workersTerminated,
    workersMissed,
    memory,
    upstreamSocketsAtEnd,
    violations: summarised(violations),
  };
}

/** Equal sentences once, with their number. */
function summarised(sentences: readonly string[]): string[] {
  const counts = new Map<string, number>();
  for (const sentence of sentences) counts.set(sentence, (counts.get(sentence) ?? 0) + 1);
  return [...counts].map(([sentence, count]) => (count === 1 ? sentence : `${sentence} (${count} times)`));
}
