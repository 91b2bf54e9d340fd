/**
 * A new configuration of 10,000 routes while the old one serves: from the POST until a path that only the new one has is
 * answered, and what traffic feels of it. One a second, or one after the other where they take longer.
 */
import { writeFileSync } from 'node:fs';
import type { BenchCase, Contender, Measured } from '../case.ts';
import { besideFigures, runBeside } from '../load/beside.ts';
import { type Gateway, gatewayConfig, type GatewayOptions } from '../servers/gateway.ts';
import { withServer } from '../servers/server.ts';
import { summarise } from '../statistics.ts';
import { readTokens } from '../tokens/lines.ts';

const otherRoutes = 10_000;
const quiet = 'no reload';
const reloading = 'reloads';

export const reload: BenchCase = {
  name: 'reload',
  question: 'How long does a reload of 10,000 routes take, and what does traffic feel of it?',
  figures: { reloadMs: 'ms', ...besideFigures },
  async contenders(bench) {
    const corpus = await bench.corpus(100);
    const options: GatewayOptions = { corpus, core: null, otherRoutes, otherScopes: 32 };
    return [
      {
        name: quiet,
        measure: () =>
          withServer(bench.gateway(options), (gateway) => runBeside(gateway, corpus, bench.seconds, null)),
      },
      {
        name: reloading,
        measure: () =>
          withServer(bench.gateway(options), async (gateway): Promise<Measured> => {
            const tookMs: number[] = [];
            const { figures, trace } = await runBeside(gateway, corpus, bench.seconds, async () => {
              tookMs.push(await reloadOnce(gateway, options, `/reload-${tookMs.length}`));
            });
            return { figures: { reloadMs: summarise(tookMs).median, ...figures }, trace };
          }),
      },
    ] satisfies Contender[];
  },
  ratios: ({ median }) => [
    {
      name: 'longest wait with reloads, of that without',
      value: median(reloading, 'max') / median(quiet, 'max'),
      target: null,
    },
    {
      name: 'p99 with reloads, of that without',
      value: median(reloading, 'p99') / median(quiet, 'p99'),
      target: null,
    },
  ],
};

/** Milliseconds until `path`, which is new, is answered. */
async function reloadOnce(gateway: Gateway, options: GatewayOptions, path: string): Promise<number> {
  writeFileSync(gateway.configFile, gatewayConfig({ ...options, extraPath: path }));
  const [token] = readTokens(options.corpus.tokensFile, 0, 1);
  const headers = { authorization: `Bearer ${token}` };
  const startMs = performance.now();
  const answer = await fetch(`${gateway.adminUrl}/-/reload`, { method: 'POST' });
  if (!answer.ok) throw new Error(`the reload was answered with ${answer.status}: ${await answer.text()}`);
  await answer.arrayBuffer();
  for (;;) {
    const { status } = await fetch(`${gateway.url}${path}`, { headers });
    if (status === 204) return performance.now() - startMs;
    if (status !== 404) throw new Error(`the new path was answered with ${status}`);
  }
}
