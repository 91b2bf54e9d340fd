/** Entry of the process that runs autocannon. It counts by itself: autocannon's own result is rounded to whole intervals. */
import autocannon from 'autocannon';
import { readTokens } from '../tokens/lines.ts';
import { Latencies } from './percentiles.ts';
import type { ClosedLoopJob, ClosedLoopReport, Phase } from './closed-loop.ts';

process.once('message', (job: ClosedLoopJob) => {
  void run(job).then(() => process.disconnect());
});

async function run(job: ClosedLoopJob): Promise<void> {
  await load(job, job.warmUp, tokensOf(job, job.warmUp), () => {});
  report(await load(job, job.measured, mixed(job), () => report({ kind: 'begun' })));
}

const tokensOf = ({ tokensFile }: ClosedLoopJob, { from, to }: { from: number; to: number }): string[] =>
  readTokens(tokensFile, from, to);

function mixed(job: ClosedLoopJob): readonly string[] {
  const { measured, between } = job;
  const own = tokensOf(job, measured);
  if (between === undefined) return own;
  const others = tokensOf(job, between);
  const all: string[] = [];
  for (const token of own) {
    all.push(token);
    for (let n = 0; n < between.times; n += 1) all.push(others[all.length % others.length]!);
  }
  return all;
}

async function load(
  job: ClosedLoopJob,
  phase: Phase,
  tokens: readonly string[],
  onBegin: () => void,
): Promise<ClosedLoopReport> {
  const shares = shareOut(tokens, job.connections);
  const unexpected: Record<string, number> = {};
  const latencies = new Latencies();
  const perTenth: number[] = [];
  let answered = 0;
  let lastMs = 0;
  let startMs = 0;
  let cpu = process.cpuUsage();
  const { hostname, port, pathname } = new URL(job.url);
  const { errors, timeouts } = await autocannon({
    url: `http://${hostname}:${port}`,
    connections: job.connections,
    ...(phase.seconds === null ? { amount: tokens.length } : { duration: phase.seconds }),
    sampleInt: 100,
    setupClient(client) {
      const share = shares.pop()!;
      client.setRequests(
        share.map((token) => {
          const headers = { authorization: `Bearer ${token}` };
          return job.body === null
            ? { path: pathname, headers }
            : { path: pathname, headers, method: 'POST', body: job.body };
        }),
      );
      client.on('response', (status, _bytes, tookMs) => {
        lastMs = performance.now();
        if (status !== job.expectedStatus) {
          unexpected[status] = (unexpected[status] ?? 0) + 1;
          return;
        }
        answered += 1;
        latencies.add(tookMs);
        const tenth = Math.floor((lastMs - startMs) / 100);
        perTenth[tenth] = (perTenth[tenth] ?? 0) + 1;
      });
      // All clients are made in one turn, and requests are built with them; the first is sent in a later turn.
      if (shares.length > 0) return;
      cpu = process.cpuUsage();
      startMs = performance.now();
      onBegin();
    },
  });
  const { user, system } = process.cpuUsage(cpu);
  const seconds = (lastMs - startMs) / 1000;
  if (errors > 0) unexpected['connection errors'] = errors;
  if (timeouts > 0) unexpected['timeouts'] = timeouts;
  return {
    kind: 'done',
    answered,
    seconds,
    loadCpu: (user + system) / 1e6 / seconds,
    trace: { latencyUs: latencies.curve(), answered: Array.from(perTenth, (count) => count ?? 0) },
    unexpected,
  };
}

/** With fewer items than shares, several have the same one. */
function shareOut<T>(items: readonly T[], shares: number): T[][] {
  if (items.length < shares)
    return Array.from({ length: shares }, (_, share) => [items[share % items.length]!]);
  return Array.from({ length: shares }, (_, share) =>
    items.filter((_item, index) => index % shares === share),
  );
}

function report(message: ClosedLoopReport): void {
  process.send!(message);
}
