/** Entry of the process that runs autocannon. It counts by itself: autocannon's own result is rounded to whole intervals. */
import autocannon from 'autocannon';
import { readFileSync } from 'node:fs';
import type { ClosedLoopJob, ClosedLoopReport, Phase } from './closed-loop.ts';

process.once('message', (job: ClosedLoopJob) => {
  void run(job).then(() => process.disconnect());
});

async function run(job: ClosedLoopJob): Promise<void> {
  const tokens = readFileSync(job.tokensFile, 'utf8').split('\n');
  await load(job, job.warmUp, tokens, () => {});
  report(await load(job, job.measured, tokens, () => report({ kind: 'begun' })));
}

async function load(
  job: ClosedLoopJob,
  phase: Phase,
  tokens: readonly string[],
  onBegin: () => void,
): Promise<ClosedLoopReport> {
  const shares = shareOut(tokens.slice(phase.from, phase.to), job.connections);
  const unexpected: Record<string, number> = {};
  let answered = 0;
  let lastMs = 0;
  let startMs = 0;
  let cpu = process.cpuUsage();
  const { hostname, port, pathname } = new URL(job.url);
  const { errors, timeouts } = await autocannon({
    url: `http://${hostname}:${port}`,
    connections: job.connections,
    ...(phase.seconds === null ? { amount: phase.to - phase.from } : { duration: phase.seconds }),
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
      client.on('response', (status) => {
        if (status === job.expectedStatus) answered += 1;
        else unexpected[status] = (unexpected[status] ?? 0) + 1;
        lastMs = performance.now();
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
  return { kind: 'done', answered, seconds, loadCpu: (user + system) / 1e6 / seconds, unexpected };
}

function shareOut<T>(items: readonly T[], shares: number): T[][] {
  return Array.from({ length: shares }, (_, share) =>
    items.filter((_item, index) => index % shares === share),
  );
}

function report(message: ClosedLoopReport): void {
  process.send!(message);
}
