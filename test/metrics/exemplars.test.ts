import { once } from 'node:events';
import { pathToFileURL } from 'node:url';
import { Worker } from 'node:worker_threads';
import { describe, expect, it } from 'vitest';
import { CellStore } from '../../gateway/metrics/cells.ts';
import { exemplarBytes, Exemplars, exemplarText } from '../../gateway/metrics/exemplars.ts';
import { Exposition } from '../../gateway/metrics/exposition.ts';
import { Recorder } from '../../gateway/metrics/recorder.ts';
import { built } from '../support/built.ts';
import { textOf } from './parse.ts';
import { routesNamed } from './routes.ts';

const one = '0123456789abcdef0123456789abcdef';
const other = 'ffffffffffffffff0000000000000001';

function table(): Exemplars {
  return new Exemplars(new SharedArrayBuffer(exemplarBytes(3, 4)), 4);
}

describe('exemplars', () => {
  it('are read as they were written, each under its row and bucket', () => {
    const exemplars = table();
    exemplars.note(1, 2, other, 12.5, 1_700_000_000_250);
    expect(exemplars.read(1, 2)).toEqual({ traceId: other, seconds: 0.0125, atSeconds: 1_700_000_000.25 });
    expect([exemplars.read(1, 1), exemplars.read(0, 2), exemplars.read(2, 2)]).toEqual([null, null, null]);
  });

  it('are renewed once a second at most', () => {
    const exemplars = table();
    exemplars.note(0, 0, one, 1, 1000);
    exemplars.note(0, 0, other, 1, 1999);
    expect(exemplars.read(0, 0)?.traceId).toBe(one);
    exemplars.note(0, 0, other, 1, 2000);
    expect(exemplars.read(0, 0)?.traceId).toBe(other);
  });

  it('never leave their bucket by being rounded', () => {
    const exemplars = table();
    exemplars.note(0, 0, one, 0.500_000_1, 1000);
    expect(exemplars.read(0, 0)!.seconds).toBeGreaterThan(0.0005);
  });

  it('of several threads: the latest is shown', () => {
    const [a, b] = [table(), table()];
    a.note(0, 1, one, 1, 1000);
    b.note(0, 1, other, 2, 2000);
    expect(exemplarText([a, b])(0, 1)).toBe(` # {trace_id="${other}"} 0.002 2.000`);
    expect(exemplarText([a, b])(0, 0)).toBe('');
  });

  it('are whole or none while another thread writes', async () => {
    const buffer = new SharedArrayBuffer(exemplarBytes(1, 1));
    const module = pathToFileURL(built('gateway/metrics/exemplars.js')).href;
    const writing = `
      const { workerData: { module, buffer } } = require('node:worker_threads');
      import(module).then(({ Exemplars }) => {
        const exemplars = new Exemplars(buffer, 1);
        for (let second = 1; second <= 300000; second++)
          exemplars.note(0, 0, String(second % 10).repeat(32), second % 10, second * 1000);
      });`;
    const worker = new Worker(writing, { eval: true, workerData: { module, buffer } });
    const state = { ended: false };
    const exit = once(worker, 'exit').then(() => (state.ended = true));
    const exemplars = new Exemplars(buffer, 1);
    let whole = 0;
    while (!state.ended) {
      for (let i = 0; i < 1000; i++) {
        const exemplar = exemplars.read(0, 0);
        if (exemplar === null) continue;
        const digit = exemplar.traceId[0]!;
        expect(exemplar.traceId).toBe(digit.repeat(32));
        expect([exemplar.seconds * 1000, exemplar.atSeconds % 10]).toEqual([Number(digit), Number(digit)]);
        whole += 1;
      }
      await new Promise((resolve) => setImmediate(resolve));
    }
    await exit;
    expect(whole).toBeGreaterThan(0);
  });
});

describe('the exposition in OpenMetrics', () => {
  function recorded(exemplars: boolean) {
    const store = new CellStore(1000, exemplars);
    const { routes } = store.label({ routes: routesNamed('orders') }, []);
    const recorder = new Recorder(store.region('listener-0'));
    const exposition = new Exposition(store);
    return { exposition, done: (traceId: string) => recorder.requestDone(routes[0]!, 0, 200, 30, traceId) };
  }

  it('has the trace at the bucket of the request, and text has not', async () => {
    const { exposition, done } = recorded(true);
    done(one);
    const open = await textOf(exposition, 'openmetrics');
    const lines = open.split('\n').filter((line) => line.includes(' # {'));
    expect(lines).toEqual([
      expect.stringMatching(
        new RegExp(
          `^sallyport_http_request_duration_seconds_bucket\\{route="orders",le="0.05"\\} 1 # \\{trace_id="${one}"\\} 0\\.03 \\d+\\.\\d{3}$`,
        ),
      ),
    ]);
    expect(await textOf(exposition, 'text')).not.toContain('trace_id');
  });

  it('has none where they are off, or where a request has no trace', async () => {
    const off = recorded(false);
    off.done(one);
    expect(await textOf(off.exposition, 'openmetrics')).not.toContain('trace_id');
    const untraced = recorded(true);
    untraced.done('');
    expect(await textOf(untraced.exposition, 'openmetrics')).not.toContain('trace_id');
  });

  it('names families of counters without `_total` and their samples with it, and ends with EOF', async () => {
    const text = await textOf(recorded(false).exposition, 'openmetrics');
    expect(text).toContain('# TYPE sallyport_http_requests counter\n');
    expect(text).toMatch(/^sallyport_http_requests_total\{/m);
    expect(text.endsWith('\n# EOF\n')).toBe(true);
    expect(text).not.toContain('\n\n');
    for (const [, name, type] of text.matchAll(/^# TYPE (\S+) (\w+)$/gm)) {
      if (type === 'counter') expect(text).toMatch(new RegExp(`^${name!}_total[ {]`, 'm'));
    }
  });
});
