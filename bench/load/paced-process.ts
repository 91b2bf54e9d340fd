/** Entry of the process that sends paced load. See `paced.ts`. */
import { connect, type Socket } from 'node:net';
import { Worker } from 'node:worker_threads';
import { forger } from '../tokens/forge.ts';
import { readTokens } from '../tokens/lines.ts';
import type { MetronomeData } from './metronome.ts';
import type { PacedJob, PacedResult, Percentiles } from './paced.ts';
import { Latencies } from './percentiles.ts';

interface Connection {
  readonly socket: Socket;
  dueMs: number;
  sentMs: number;
}

/** A metronome faster than this costs more than it shows; what is due within one tick is sent together. */
const ticksPerSecondMax = 1000;
const repeatedTokens = 100;
const graceMs = 2000;

process.once('message', (job: PacedJob) => {
  void run(job).then((result) => process.send!(result, () => process.exit()));
});

async function run(job: PacedJob): Promise<PacedResult> {
  const latency = new Latencies();
  const service = new Latencies();
  const unexpected: Record<string, number> = {};
  const waiting: number[] = [];
  const nextRequest = requestsOf(job);
  const statusText = String(job.expectedStatus);
  let answered = 0;
  let measureFromMs = 0;

  const { hostname, port } = new URL(job.url);
  const idle = await Promise.all(
    Array.from({ length: job.connections }, async (): Promise<Connection> => {
      const socket = connect({
        host: hostname,
        port: Number(port),
        localAddress: job.localAddress,
        noDelay: true,
      });
      await new Promise((resolve, reject) => socket.once('connect', resolve).once('error', reject));
      return { socket, dueMs: 0, sentMs: 0 };
    }),
  );
  for (const connection of idle) connection.socket.on('data', (chunk) => hear(connection, chunk));

  function send(connection: Connection, dueMs: number): void {
    connection.dueMs = dueMs;
    connection.sentMs = performance.now();
    connection.socket.write(nextRequest());
  }

  /** Answers are smaller than a packet, so that each comes as one chunk. */
  function hear(connection: Connection, chunk: Buffer): void {
    const nowMs = performance.now();
    const status = chunk.toString('latin1', 9, 12);
    if (connection.dueMs >= measureFromMs) {
      if (status === statusText) answered += 1;
      else unexpected[status] = (unexpected[status] ?? 0) + 1;
      latency.add(nowMs - connection.dueMs);
      service.add(nowMs - connection.sentMs);
    }
    const dueMs = waiting.shift();
    if (dueMs === undefined) idle.push(connection);
    else send(connection, dueMs);
  }

  const ticksPerSecond = Math.min(ticksPerSecondMax, job.perSecond);
  const perTick = job.perSecond / ticksPerSecond;
  const ticks = (job.warmUpSeconds + job.seconds) * ticksPerSecond;
  // Some time to start the thread.
  const startMs = performance.now() + 200;
  measureFromMs = startMs + job.warmUpSeconds * 1000;
  const workerData: MetronomeData = { ticksPerSecond, ticks, startMs: performance.timeOrigin + startMs };
  const metronome = new Worker(new URL('./metronome.js', import.meta.url), { workerData });
  metronome.on('message', (tick: number) => {
    const dueMs = startMs + (tick * 1000) / ticksPerSecond;
    for (let n = 0; n < perTick; n += 1) {
      const connection = idle.pop();
      if (connection === undefined) waiting.push(dueMs);
      else send(connection, dueMs);
    }
  });
  await new Promise((resolve) => metronome.once('exit', resolve));
  await new Promise((resolve) => setTimeout(resolve, graceMs));
  return { answered, unexpected, latency: percentiles(latency), service: percentiles(service) };
}

function requestsOf(job: PacedJob): () => Buffer {
  const { host, pathname } = new URL(job.url);
  const tokens = readTokens(job.tokensFile, 0, repeatedTokens);
  const build = (token: string): Buffer =>
    Buffer.from(`GET ${pathname} HTTP/1.1\r\nHost: ${host}\r\nAuthorization: Bearer ${token}\r\n\r\n`);
  if (job.tokens === 'forge') {
    const forge = forger(tokens[0]!);
    return () => build(forge());
  }
  const requests = tokens.map(build);
  let turn = 0;
  return () => requests[(turn += 1) % requests.length]!;
}

function percentiles(latencies: Latencies): Percentiles {
  return {
    p50: latencies.at(50),
    p90: latencies.at(90),
    p99: latencies.at(99),
    p999: latencies.at(99.9),
    max: latencies.at(100),
    curve: latencies.curve(),
  };
}
