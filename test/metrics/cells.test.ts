import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { refusals } from '../../gateway/core/errors.ts';
import { foldedFamilies, webSocketEnds } from '../../gateway/metrics/catalogue.ts';
import { CellStore } from '../../gateway/metrics/cells.ts';
import { layoutFor } from '../../gateway/metrics/layout.ts';
import { otherRoute, reservedRouteNames } from '../../gateway/metrics/ordinals.ts';
import { Recorder } from '../../gateway/metrics/recorder.ts';
import {
  decisionKey,
  decodeKey,
  requestKey,
  routeOf,
  routeOrdinalMax,
} from '../../gateway/metrics/series.ts';
import { route, routesNamed } from './routes.ts';

const permit = -1;

function seriesValue(store: CellStore, key: number): number {
  const slot = store.series.find(key);
  return slot < 0 ? 0 : store.sum(store.layout.seriesBase + slot);
}

function folded(store: CellStore, family: (typeof foldedFamilies)[number]): number {
  const { base } = store.layout.families.sallyport_metrics_folded_total;
  return store.sum(base + foldedFamilies.indexOf(family));
}

describe('series keys', () => {
  it('decode to what they were made of, are never 0 and never meet', () => {
    const routes = fc.integer({ min: 0, max: routeOrdinalMax });
    const request = fc.tuple(routes, fc.integer({ min: 0, max: 7 }), fc.integer({ min: 100, max: 599 }));
    const decision = fc.tuple(routes, fc.integer({ min: -1, max: 200 }));
    fc.assert(
      fc.property(request, decision, ([r, method, status], [d, refusal]) => {
        const a = requestKey(r, method, status);
        const b = decisionKey(d, refusal);
        expect(decodeKey(a)).toEqual({ kind: 'request', route: r, method, status });
        expect(decodeKey(b)).toEqual({ kind: 'decision', route: d, refusal });
        expect(a).not.toBe(0);
        expect(b).not.toBe(0);
      }),
    );
  });

  it.each([0, 99, 600, 999, -1])('keep the odd status %i apart from real ones', (status) => {
    expect(decodeKey(requestKey(0, 0, status))).toMatchObject({ status: 0 });
    expect(requestKey(0, 0, status)).not.toBe(0);
  });
});

describe('cells', () => {
  const event = fc.record({
    thread: fc.integer({ min: 0, max: 2 }),
    route: fc.integer({ min: 0, max: 4 }),
    method: fc.integer({ min: -1, max: 6 }),
    status: fc.constantFrom(200, 204, 401, 503),
    refusal: fc.constantFrom(permit, refusals.token_expired.index, refusals.scope_insufficient.index),
    restart: fc.boolean(),
  });

  it('sum over threads to what a plain tally says, through restarts of the writers', () => {
    fc.assert(
      fc.property(fc.array(event, { maxLength: 200 }), (events) => {
        const store = new CellStore(1000);
        const { routes } = store.label({ routes: routesNamed('a', 'b', 'c', 'd', 'e') }, []);
        const open = (thread: number): Recorder => new Recorder(store.region(`listener-${thread}`));
        const recorders = [open(0), open(1), open(2)];
        const tally = new Map<number, number>();
        const count = (key: number): void => void tally.set(key, (tally.get(key) ?? 0) + 1);
        for (const { thread, route, method, status, refusal, restart } of events) {
          if (restart) recorders[thread] = open(thread);
          recorders[thread]!.requestDone(routes[route]!, method, status, 1);
          recorders[thread]!.decided(routes[route]!, refusal);
          count(requestKey(routes[route]!, method, status));
          count(decisionKey(routes[route]!, refusal));
        }
        for (const [key, value] of tally) expect(seriesValue(store, key)).toBe(value);
        const total = store.series.keys().reduce((sum, key) => sum + seriesValue(store, key), 0);
        expect(total).toBe(2 * events.length);
      }),
    );
  });

  it('drop the gauges of a dead thread, and nothing of the living', () => {
    const store = new CellStore(1000);
    const dead = new Recorder(store.region('listener-0'));
    const living = new Recorder(store.region('listener-1'));
    for (const recorder of [dead, living]) recorder.requestStarted();
    const inFlight = store.layout.families.sallyport_http_requests_in_flight.base;
    expect(store.sum(inFlight)).toBe(2);
    void new Recorder(store.region('listener-0'));
    expect(store.sum(inFlight)).toBe(1);
  });

  it('keep the series of a route over a reload that moves it', () => {
    const store = new CellStore(1000);
    const recorder = new Recorder(store.region('listener-0'));
    const before = store.label({ routes: routesNamed('a', 'b') }, []);
    recorder.decided(before.routes[1]!, permit);
    const after = store.label({ routes: routesNamed('c', 'd', 'b') }, []);
    recorder.decided(after.routes[2]!, permit);
    expect(after.routes[2]).toBe(before.routes[1]);
    expect(seriesValue(store, decisionKey(before.routes[1]!, permit))).toBe(2);
  });

  it('refuse a region of another version', () => {
    const store = new CellStore(1000);
    expect(() => new Recorder({ ...store.region('x'), version: 0 })).toThrow('another version');
  });
});

describe('the series budget', () => {
  it('is exact, and what it has no room for is counted as `other`', () => {
    const store = new CellStore(100);
    const { seriesBudget } = store.layout;
    const ids = Array.from({ length: 300 }, (_, index) => `route-${index}`);
    const { routes } = store.label({ routes: routesNamed(...ids) }, []);
    const recorder = new Recorder(store.region('listener-0'));
    for (const ordinal of routes) recorder.decided(ordinal, permit);

    const named = store.series.keys().filter((key) => routeOf(key) > otherRoute);
    expect(named.length).toBe(seriesBudget);
    const counted = named.reduce((sum, key) => sum + seriesValue(store, key), 0);
    expect(seriesValue(store, decisionKey(otherRoute, permit))).toBe(300 - counted);
    expect(folded(store, 'decisions')).toBe(300 - counted);
    expect(counted).toBeGreaterThan(0);
  });

  it('tells of each family what it had no room for', () => {
    const store = new CellStore(100);
    const ids = Array.from({ length: 300 }, (_, index) => `route-${index}`);
    const { routes } = store.label({ routes: routesNamed(...ids) }, []);
    const recorder = new Recorder(store.region('listener-0'));
    expect(foldedFamilies.map((family) => folded(store, family))).toEqual([0, 0, 0]);
    for (const ordinal of routes) recorder.requestDone(ordinal, 0, 418, 1);
    const rowsOfOwn = store.layout.durationRows - reservedRouteNames.length;
    expect(folded(store, 'durations')).toBe(300 - rowsOfOwn);
    expect(folded(store, 'requests')).toBe(seriesValue(store, requestKey(otherRoute, 0, 418)));
    expect(folded(store, 'requests')).toBeGreaterThan(0);
    expect(folded(store, 'decisions')).toBe(0);
  });

  it('is never spent on zeros by more than half', () => {
    const store = new CellStore(100);
    store.label({ routes: routesNamed(...Array.from({ length: 300 }, (_, index) => `route-${index}`)) }, []);
    expect(store.series.free).toBeGreaterThanOrEqual(Math.floor(store.layout.seriesBudget / 2));
  });

  it('covers histograms and counters together', () => {
    for (const seriesMax of [100, 1000, 20_000, 1_000_000]) {
      const { durationRows, seriesBudget } = layoutFor(seriesMax);
      const perRow = 20 + 1 + webSocketEnds.length;
      expect((durationRows - 2) * perRow + seriesBudget).toBe(seriesMax);
    }
  });

  it('gives the first routes a duration histogram and folds the others', () => {
    const store = new CellStore(150);
    const { routes } = store.label({ routes: routesNamed('first', 'second', 'third') }, []);
    const recorder = new Recorder(store.region('listener-0'));
    for (const ordinal of routes) recorder.requestDone(ordinal, 0, 200, 2000);
    const { base, width } = store.layout.families.sallyport_http_request_duration_seconds;
    const sumOf = (ordinal: number): number => store.sum(base + ordinal * width + width - 1);
    expect(sumOf(routes[0]!)).toBe(2);
    expect(sumOf(otherRoute)).toBe(4);
  });

  it('does not bind requests without a route: all their series fit whatever happened before', () => {
    const store = new CellStore(100);
    const recorder = new Recorder(store.region('listener-0'));
    const ids = Array.from({ length: 300 }, (_, index) => `route-${index}`);
    for (const ordinal of store.label({ routes: routesNamed(...ids) }, []).routes)
      recorder.decided(ordinal, permit);
    for (const ordinal of [0, otherRoute]) {
      for (let method = -1; method < 7; method++) {
        for (let status = 100; status < 600; status++) recorder.requestDone(ordinal, method, status, 1);
        for (const { index } of Object.values(refusals)) recorder.decided(ordinal, index);
      }
    }
    expect(seriesValue(store, requestKey(0, 6, 599))).toBe(1);
    expect(seriesValue(store, requestKey(otherRoute, -1, 100))).toBe(1);
  });
});

describe('known series', () => {
  it('exist at 0 before the first request, as far as the route can give them', () => {
    const store = new CellStore(20_000);
    const open = route(1, 'open', { access: null, respond: { status: 204, headers: [], body: '' } });
    const { routes } = store.label({ routes: [route(0, 'orders', { methods: ['GET', 'POST'] }), open] }, []);
    const exists = (key: number): boolean => store.series.find(key) >= 0;
    expect(exists(decisionKey(routes[0]!, permit))).toBe(true);
    expect(exists(decisionKey(routes[0]!, refusals.scope_insufficient.index))).toBe(true);
    expect(exists(decisionKey(routes[0]!, refusals.subject_mismatch.index))).toBe(false);
    expect(exists(requestKey(routes[0]!, 2, 200))).toBe(true);
    expect(exists(requestKey(routes[0]!, 3, 200))).toBe(false);
    expect(exists(requestKey(routes[1]!, 0, 204))).toBe(true);
    expect(exists(decisionKey(routes[1]!, refusals.credentials_missing.index))).toBe(false);
  });
});
