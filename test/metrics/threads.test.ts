import { once } from 'node:events';
import { pathToFileURL } from 'node:url';
import { Worker } from 'node:worker_threads';
import { describe, expect, it } from 'vitest';
import { foldedFamilies } from '../../gateway/metrics/catalogue.ts';
import { CellStore } from '../../gateway/metrics/cells.ts';
import { otherRoute } from '../../gateway/metrics/ordinals.ts';
import { decisionKey, routeOf } from '../../gateway/metrics/series.ts';
import { built } from '../support/built.ts';
import { routesNamed } from './routes.ts';

const threads = 4;
const rounds = 50;

/** A thread that waits for the others, then counts a permit on every route, in an order of its own, again and again. */
const counting = `
  const { workerData: { module, handle, routes, rounds, threads, thread, gate } } = require('node:worker_threads');
  import(module).then(({ Recorder }) => {
    const recorder = new Recorder(handle);
    const order = routes.map((_, index) => routes[(index * 7 + thread * 31) % routes.length]);
    Atomics.add(gate, 0, 1);
    while (Atomics.load(gate, 0) < threads);
    for (let round = 0; round < rounds; round++) for (const route of order) recorder.decided(route, -1);
  });
`;

describe('threads that count at the same time', () => {
  it('claim each series once, keep to the budget together, and lose nothing', async () => {
    const store = new CellStore(400);
    const ids = Array.from({ length: 500 }, (_, index) => `route-${index}`);
    const { routes } = store.label({ routes: routesNamed(...ids) }, []);
    const module = pathToFileURL(built('gateway/metrics/recorder.js')).href;
    const gate = new Int32Array(new SharedArrayBuffer(4));
    const ended = Array.from({ length: threads }, async (_, thread) => {
      const handle = store.region(`listener-${thread}`);
      const worker = new Worker(counting, {
        eval: true,
        workerData: { module, handle, routes, rounds, threads, thread, gate },
      });
      const [exitCode] = (await once(worker, 'exit')) as [number];
      return exitCode;
    });
    expect(await Promise.all(ended)).toEqual([0, 0, 0, 0]);

    const keys = store.series.keys();
    expect(new Set(keys).size).toBe(keys.length);
    expect(store.series.size).toBe(keys.length);
    expect(keys.filter((key) => routeOf(key) > otherRoute).length).toBe(store.layout.seriesBudget);
    const count = (key: number): number => store.sum(store.layout.seriesBase + store.series.find(key));
    const total = keys.reduce((sum, key) => sum + count(key), 0);
    expect(total).toBe(threads * rounds * ids.length);
    expect(count(decisionKey(otherRoute, -1))).toBe(
      store.sum(
        store.layout.families.sallyport_metrics_folded_total.base + foldedFamilies.indexOf('decisions'),
      ),
    );
  });
});
