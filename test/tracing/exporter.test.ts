/** How spans leave the gateway, and what happens when they cannot. */
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { built, sallyport } from '../support/built.ts';
import { Collector } from '../support/collector.ts';
import { type GatewayOptions, startGateway, type TestGateway, testPreamble } from '../support/gateway.ts';
import { until } from '../support/until.ts';

const routes = 'routes: [{ path: "/{name}", public: true, respond: { status: 200, body: hello } }]\n';

let collector: Collector;
let gateway: TestGateway | null = null;
beforeEach(async () => {
  collector = await Collector.start();
});
afterEach(async () => {
  gateway?.signal('SIGKILL');
  await gateway?.exited;
  gateway = null;
  await collector.stop();
});

/** `{endpoint}` in `tracing` stands for the collector. */
async function start(tracing: string | null, options: GatewayOptions = {}): Promise<TestGateway> {
  const section = tracing === null ? '' : `tracing: ${tracing.replace('{endpoint}', collector.endpoint)}\n`;
  gateway = await startGateway(testPreamble + section + routes, options);
  return gateway;
}

const send = async ({ url }: TestGateway, requests: number): Promise<void> => {
  for (let i = 0; i < requests; i++) expect((await fetch(`${url}/hello-${i}`)).status).toBe(200);
};
const counted = (outcome: string): Promise<number> =>
  gateway!.metric('sallyport_trace_spans_total', `outcome="${outcome}"`);

describe('a collector that fails', () => {
  it('costs no request anything, is counted, and is told once in a while without its address', async () => {
    const running = await start('{ exporter: otlp, endpoint: "{endpoint}", interval_ms: 10 }');
    expect(await counted('failed')).toBe(0);
    collector.status = 400;
    for (let round = 1; round <= 3; round++) {
      await send(running, 5);
      await until('five more are lost', async () => (await counted('failed')) === 5 * round);
    }
    const warnings = await until('a warning', () => {
      const all = running.logs.filter(({ level }) => level === 'warn');
      return all.length > 0 && all;
    });
    expect(warnings).toMatchObject([{ msg: 'spans could not be sent', reason: 'status 400' }]);
    expect(JSON.stringify(running.logs)).not.toContain(new URL(collector.endpoint).port);
    expect(await counted('exported')).toBe(0);
  });

  it('that does not answer holds up no more spans than `queue_max`', async () => {
    collector.status = 0;
    const running = await start(
      '{ exporter: otlp, endpoint: "{endpoint}", interval_ms: 10, queue_max: 8, batch_max: 4, timeout_ms: 60000 }',
    );
    await send(running, 30);
    await until('the rest is dropped', async () => (await counted('dropped')) === 22);
  });
});

describe('the end of the program', () => {
  it('sends what was gathered', async () => {
    const running = await start('{ exporter: otlp, endpoint: "{endpoint}", interval_ms: 60000 }');
    await send(running, 3);
    expect(collector.spans).toEqual([]);
    expect(await running.stop()).toEqual({ code: 0, signal: null });
    expect(collector.spans.map(({ name }) => name)).toEqual(Array.from({ length: 3 }, () => 'GET /{name}'));
  });

  it('waits for a silent collector no longer than `timeout_ms`', async () => {
    collector.status = 0;
    const running = await start(
      '{ exporter: otlp, endpoint: "{endpoint}", interval_ms: 60000, timeout_ms: 200 }',
    );
    await send(running, 1);
    expect(await running.stop()).toEqual({ code: 0, signal: null });
    expect(collector.bodies).toHaveLength(1);
  });
});

describe('an SDK that the operator registered', () => {
  const preload = built('test/tracing/registered-sdk-thread.js');
  const options = (): GatewayOptions => ({ preload, env: { TEST_COLLECTOR: collector.endpoint } });

  it('gets the spans without a word in the configuration, and is flushed at the end', async () => {
    await send(await start(null, options()), 2);
    await gateway!.stop();
    expect(collector.spans).toMatchObject([{ scope: 'sallyport' }, { scope: 'sallyport' }]);
  });

  it.each(['start', 'end'])('costs no request anything when it throws at the %s of a span', async (place) => {
    const running = await start(null, { preload, env: { ...options().env, TEST_BROKEN_AT: place } });
    await send(running, 5);
    const told = await until('it is told', () => {
      const errors = running.logs.filter(({ level }) => level === 'error');
      return errors.length > 0 && errors;
    });
    expect(told).toMatchObject([{ msg: 'the OpenTelemetry SDK failed' }]);
    expect(await running.metric('sallyport_listener_restarts_total')).toBe(0);
  });

  it('gets nothing with `exporter: none`', async () => {
    await send(await start('{ exporter: none }', options()), 2);
    await gateway!.stop();
    expect(collector.bodies).toEqual([]);
  });
});

describe('without tracing', () => {
  it('no thread that serves requests loads anything of OpenTelemetry', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'sallyport-loaded-'));
    const said = join(folder, 'loaded');
    const loaded = async (tracing: string | null): Promise<string> => {
      writeFileSync(said, '');
      const preload = built('test/tracing/loaded-packages-thread.js');
      await send(await start(tracing, { preload, env: { TEST_LOADED: said } }), 1);
      await gateway!.stop();
      return readFileSync(said, 'utf8');
    };
    expect(await loaded(null)).toMatch(/^(?:0\n)+$/);
    // The look finds them where they are.
    expect(await loaded('{ exporter: otlp, endpoint: "{endpoint}" }')).toMatch(/^[1-9]\d+$/m);
    rmSync(folder, { recursive: true });
  });
});

describe('packages that are not there', () => {
  it('are a problem of the configuration, with its place and the way to mend it', () => {
    const folder = mkdtempSync(join(tmpdir(), 'sallyport-missing-'));
    const file = join(folder, 'sallyport.yaml');
    writeFileSync(file, `${testPreamble}tracing: { exporter: otlp }\n${routes}`);
    const preload = pathToFileURL(built('test/tracing/missing-package-thread.js')).href;
    const { status, stderr } = spawnSync(
      process.execPath,
      ['--import', preload, sallyport, 'start', '-c', file],
      { encoding: 'utf8' },
    );
    rmSync(folder, { recursive: true });
    expect(status).toBe(2);
    expect(stderr).toContain('sallyport.yaml:5:12: tracing.exporter: ');
    expect(stderr).toMatch(
      /not installed .*\(@opentelemetry\/sdk-trace-base\): npm install @opentelemetry\//,
    );
  });
});
