import { describe, expect, it } from 'vitest';
import { refusals } from '../../gateway/core/errors.ts';
import {
  cellFamilies,
  censusFamilies,
  controlFamilies,
  flightFamilies,
  gcKinds,
  seriesFamilies,
  type Family,
} from '../../gateway/metrics/catalogue.ts';
import type { FlightTable } from '../../gateway/flight/table.ts';
import { CellStore } from '../../gateway/metrics/cells.ts';
import { ControlMetrics, type KeyState } from '../../gateway/metrics/control.ts';
import { Exposition } from '../../gateway/metrics/exposition.ts';
import { exposeFlights } from '../../gateway/metrics/flights.ts';
import { callerGoneStatus, Recorder } from '../../gateway/metrics/recorder.ts';
import { KEY, OPTIONS, provider, SHAPE, twins } from '../flight/twins.ts';
import { parseExposition, textOf, type ParsedFamily } from './parse.ts';
import { routesNamed } from './routes.ts';

const catalogue: Readonly<Record<string, Family>> = {
  ...seriesFamilies,
  ...cellFamilies,
  ...controlFamilies,
  ...flightFamilies,
  ...censusFamilies,
};

function gateway(seriesMax = 20_000, flights: FlightTable | null = null) {
  const time = { nowMs: 1_700_000_000_000, monotonicMs: 5000 };
  const store = new CellStore(seriesMax);
  const labels = store.label({ routes: routesNamed('orders', 'a "quoted\\" id') }, ['orders', 'billing']);
  const recorder = new Recorder(store.region('listener-0'));
  store.region('listener-1');
  const exposition = new Exposition(store);
  const build = { version: '1.2.3', node: 'v20.0.0', httpDriver: 'uws' };
  const clock = { nowMs: () => time.nowMs, monotonicMs: () => time.monotonicMs };
  const control = new ControlMetrics(exposition.registry, build, store, seriesMax, clock);
  exposeFlights(exposition.registry, flights);
  const keys: KeyState[] = [];
  control.issuers(['main'], () => keys);
  control.certificates([{ label: 'gateway.example', notAfterSeconds: 1_800_000_000 }]);
  const scrape = async (): Promise<Map<string, ParsedFamily>> =>
    parseExposition(await textOf(exposition, 'text'));
  return { time, store, labels, recorder, exposition, control, keys, scrape };
}

function valueOf(
  families: Map<string, ParsedFamily>,
  name: string,
  labels: Record<string, string> = {},
): number | null {
  const family = families.get(name) ?? families.get(name.replace(/_(?:bucket|sum|count)$/, ''));
  const sample = family?.samples.find(
    (candidate) =>
      candidate.name === name &&
      Object.keys(candidate.labels).length === Object.keys(labels).length &&
      Object.entries(labels).every(([label, value]) => candidate.labels[label] === value),
  );
  return sample?.value ?? null;
}

describe('the exposition', () => {
  it('has every family of the catalogue with its type, its help and a first sample', async () => {
    const { scrape } = gateway();
    const families = await scrape();
    for (const [name, family] of Object.entries(catalogue)) {
      const { type, help, samples } = families.get(name) ?? { type: 'missing', help: '', samples: [] };
      expect({ name, type, help }).toEqual({ name, type: family.type, help: family.help });
      expect({ name, empty: samples.length === 0 }).toEqual({ name, empty: false });
    }
    const ours = [...families.keys()].filter((name) => name.startsWith('sallyport_'));
    expect(ours.toSorted()).toEqual(Object.keys(catalogue).toSorted());
  });

  it('uses the labels of the catalogue and no others', async () => {
    const families = await gateway().scrape();
    for (const [name, family] of Object.entries(catalogue)) {
      for (const { labels } of families.get(name)!.samples) {
        const used = Object.keys(labels).filter((label) => label !== 'le');
        expect([name, ...used.toSorted()]).toEqual([name, ...Object.keys(family.labels).toSorted()]);
      }
    }
  });

  it('starts every counter and histogram at 0', async () => {
    const families = await gateway().scrape();
    for (const [name, family] of families) {
      if (!name.startsWith('sallyport_') || family.type === 'gauge') continue;
      expect({ name, counted: family.samples.filter(({ value }) => value !== 0) }).toEqual({
        name,
        counted: [],
      });
    }
  });

  it('says what was recorded, under the labels it was recorded with', async () => {
    const { recorder, labels, scrape } = gateway();
    const orders = labels.routes[0]!;
    const billing = labels.upstreams.get('billing')!;
    recorder.requestStarted();
    recorder.requestStarted();
    recorder.requestStarted();
    recorder.requestDone(orders, 2, 201, 3);
    recorder.requestDone(labels.routes[1]!, -1, callerGoneStatus, 3);
    recorder.decided(orders, -1);
    recorder.decided(orders, refusals.token_expired.index);
    recorder.decided(orders, refusals.verifier_full.index);
    recorder.tokenSeen('ES256', 'refused', 'joined');
    recorder.tokenSeen(null, 'failed', 'miss');
    recorder.queueHolds('suspect', 7);
    recorder.workerBusy(2_500_000_000);
    recorder.upstreamFailed(billing, 'timeout');
    recorder.upstreamsHold([
      [labels.upstreams.get('orders')!, { busy: 9, idle: 9, queued: 9, urls: 1, urlsOut: 1 }],
    ]);
    recorder.upstreamsHold([
      [billing, { busy: 3, idle: 4, queued: 5, urls: 2, urlsOut: 1 }],
      [billing, { busy: 1, idle: 0, queued: 0, urls: 2, urlsOut: 0 }],
    ]);
    recorder.eventLoop(0.01, 0.02, 0.5);
    recorder.gcPaused(gcKinds.indexOf('major'), 250);
    recorder.heapHolds(10, 20, 30);
    const families = await scrape();
    const cases: [string, Record<string, string>, number][] = [
      ['sallyport_http_requests_in_flight', {}, 1],
      ['sallyport_http_requests_total', { route: 'orders', method: 'POST', code: '201' }, 1],
      ['sallyport_http_requests_total', { route: 'a "quoted\\" id', method: '_OTHER', code: '499' }, 1],
      ['sallyport_authz_decisions_total', { route: 'orders', decision: 'allowed', reason: 'none' }, 1],
      [
        'sallyport_authz_decisions_total',
        { route: 'orders', decision: 'denied', reason: 'token_expired' },
        1,
      ],
      [
        'sallyport_authz_decisions_total',
        { route: 'orders', decision: 'failed', reason: 'verifier_full' },
        1,
      ],
      ['sallyport_jwt_verifications_total', { algorithm: 'ES256', result: 'refused', cache: 'joined' }, 1],
      ['sallyport_jwt_verifications_total', { algorithm: 'other', result: 'failed', cache: 'miss' }, 1],
      ['sallyport_verify_queue_tokens', { lane: 'suspect' }, 7],
      ['sallyport_verify_queue_tokens', { lane: 'fresh' }, 0],
      ['sallyport_verify_busy_seconds_total', {}, 2.5],
      ['sallyport_upstream_errors_total', { upstream: 'billing', kind: 'timeout' }, 1],
      ['sallyport_upstream_errors_total', { upstream: 'orders', kind: 'timeout' }, 0],
      ['sallyport_upstream_connections', { upstream: 'billing', state: 'idle' }, 4],
      ['sallyport_upstream_connections', { upstream: 'billing', state: 'busy' }, 4],
      ['sallyport_upstream_connections', { upstream: 'orders', state: 'busy' }, 0],
      ['sallyport_upstream_requests_queued', { upstream: 'billing' }, 5],
      ['sallyport_upstream_urls', { upstream: 'billing' }, 4],
      ['sallyport_upstream_urls_out', { upstream: 'billing' }, 1],
      ['sallyport_event_loop_utilization_ratio', { thread: 'listener-0' }, 0.5],
      ['sallyport_event_loop_utilization_ratio', { thread: 'listener-1' }, 0],
      ['sallyport_gc_pauses_total', { thread: 'listener-0', kind: 'major' }, 1],
      ['sallyport_gc_pause_seconds_total', { thread: 'listener-0', kind: 'major' }, 0.25],
      ['sallyport_gc_pauses_total', { thread: 'listener-0', kind: 'minor' }, 0],
      ['sallyport_gc_pauses_total', { thread: 'listener-1', kind: 'major' }, 0],
      ['sallyport_heap_used_bytes', { thread: 'listener-0' }, 10],
      ['sallyport_heap_limit_bytes', { thread: 'listener-0' }, 20],
      ['sallyport_external_memory_bytes', { thread: 'listener-0' }, 30],
      ['sallyport_build_info', { version: '1.2.3', node: 'v20.0.0', http_driver: 'uws' }, 1],
    ];
    for (const [name, wanted, value] of cases) {
      expect({ name, wanted, value: valueOf(families, name, wanted) }).toEqual({ name, wanted, value });
    }
  });

  it('tells what the flight table counted, and how full it is', async () => {
    const { first, second } = twins();
    const lead = provider();
    const starts = [first.start(KEY, lead.work, OPTIONS), second.start(KEY, provider().work, OPTIONS)];
    lead.release();
    await Promise.all(starts);
    const families = await gateway(20_000, first).scrape();
    const cases: [string, Record<string, string>, number][] = [
      ['sallyport_flight_claims_total', {}, 1],
      ['sallyport_flight_joins_total', {}, 1],
      ['sallyport_flight_published_total', {}, 1],
      ['sallyport_flight_full_total', {}, 0],
      ['sallyport_flight_keys', {}, 1],
      ['sallyport_flight_slots', {}, SHAPE.slots],
      ['sallyport_flights', { state: 'pending' }, 1],
      ['sallyport_flights', { state: 'success' }, 0],
    ];
    for (const [name, wanted, value] of cases) {
      expect({ name, wanted, value: valueOf(families, name, wanted) }).toEqual({ name, wanted, value });
    }
  });

  it('counts a histogram up to its bounds, which belong to the bucket they end', async () => {
    const { recorder, labels, scrape } = gateway();
    for (const ms of [0.4, 0.5, 1, 9.9, 10_000, 10_001]) recorder.requestDone(labels.routes[0]!, 0, 200, ms);
    const families = await scrape();
    const bucket = (le: string): number | null =>
      valueOf(families, 'sallyport_http_request_duration_seconds_bucket', { route: 'orders', le });
    expect([bucket('0.0005'), bucket('0.001'), bucket('0.005'), bucket('0.01')]).toEqual([2, 3, 3, 4]);
    expect([bucket('7.5'), bucket('10'), bucket('+Inf')]).toEqual([4, 5, 6]);
    expect(valueOf(families, 'sallyport_http_request_duration_seconds_count', { route: 'orders' })).toBe(6);
    expect(valueOf(families, 'sallyport_http_request_duration_seconds_sum', { route: 'orders' })).toBeCloseTo(
      20.0128,
    );
  });

  it('shows an upstream and a route that a reload brought', async () => {
    const { store, scrape } = gateway();
    await scrape();
    store.label({ routes: routesNamed('new') }, ['newer']);
    const families = await scrape();
    expect(valueOf(families, 'sallyport_upstream_errors_total', { upstream: 'newer', kind: 'reset' })).toBe(
      0,
    );
    expect(
      valueOf(families, 'sallyport_authz_decisions_total', {
        route: 'new',
        decision: 'allowed',
        reason: 'none',
      }),
    ).toBe(0);
  });

  it('stays without doubles when a route is called like a reserved label or like another route', async () => {
    const { store, scrape } = gateway();
    store.label({ routes: routesNamed('none', 'other', 'same', 'same') }, ['other']);
    await expect(scrape()).resolves.toBeInstanceOf(Map);
  });

  it('of 10,000 routes is complete, and lets others through between its pieces', async () => {
    const store = new CellStore(200_000);
    const ids = Array.from({ length: 10_000 }, (_, index) => `route-${index}`);
    const { routes } = store.label({ routes: routesNamed(...ids) }, []);
    const recorder = new Recorder(store.region('listener-0'));
    for (const ordinal of routes) recorder.requestDone(ordinal, 0, 418, 1);
    const state = { turns: 0, over: false };
    const turn = (): void => {
      state.turns += 1;
      if (!state.over) setImmediate(turn);
    };
    setImmediate(turn);
    const families = parseExposition(await textOf(new Exposition(store), 'text'));
    state.over = true;
    const teapots = families
      .get('sallyport_http_requests_total')!
      .samples.filter(({ labels, value }) => labels['code'] === '418' && value === 1);
    expect(new Set(teapots.map(({ labels }) => labels['route'])).size).toBe(10_000);
    expect(state.turns).toBeGreaterThan(50);
  });

  it('has no more series of named routes than the budget, whatever happens on them', async () => {
    const store = new CellStore(1000);
    const ids = Array.from({ length: 300 }, (_, index) => `route-${index}`);
    const { routes } = store.label({ routes: routesNamed(...ids) }, []);
    const recorder = new Recorder(store.region('listener-0'));
    for (const status of [200, 404, 418, 500])
      for (const ordinal of routes) recorder.requestDone(ordinal, 0, status, 1);
    const families = parseExposition(await textOf(new Exposition(store), 'text'));
    const named = [...families.values()]
      .flatMap(({ samples }) => samples)
      .filter(({ labels }) => labels['route']?.startsWith('route-'));
    expect(named.length).toBeGreaterThan(900);
    expect(named.length).toBeLessThanOrEqual(1000);
  });

  it('answers scrapes at the same time with one text', async () => {
    const { exposition } = gateway();
    const [a, b] = [exposition.scrape('text'), exposition.scrape('text')];
    expect(a).toBe(b);
    await a;
    expect(exposition.scrape('text')).not.toBe(a);
  });
});

describe('metrics of the control plane', () => {
  it('give the age of keys, NaN before they were ever seen', async () => {
    const { keys, time, scrape } = gateway();
    expect(valueOf(await scrape(), 'sallyport_jwks_age_seconds', { issuer: 'main' })).toBeNaN();
    keys.push({ issuer: 'main', keys: 3, lastGoodMs: time.monotonicMs, maxStaleSeconds: 600 });
    time.monotonicMs += 4000;
    const families = await scrape();
    expect(valueOf(families, 'sallyport_jwks_age_seconds', { issuer: 'main' })).toBe(4);
    expect(valueOf(families, 'sallyport_jwks_max_stale_seconds', { issuer: 'main' })).toBe(600);
    expect(valueOf(families, 'sallyport_jwks_keys', { issuer: 'main' })).toBe(3);
  });

  it('forget an issuer that left the configuration and keep the others', async () => {
    const { control, scrape } = gateway();
    control.keysFetched('main', 'failed', 10);
    const second: KeyState = { issuer: 'second', keys: 1, lastGoodMs: 0, maxStaleSeconds: Infinity };
    control.issuers(['main', 'second'], () => [second]);
    expect(valueOf(await scrape(), 'sallyport_jwks_keys', { issuer: 'second' })).toBe(1);
    control.issuers(['main'], () => [second]);
    control.keysFetched('second', 'changed', 10);
    control.unknownKid('second', 'fetched');
    const families = await scrape();
    expect(valueOf(families, 'sallyport_jwks_fetches_total', { issuer: 'main', outcome: 'failed' })).toBe(1);
    for (const { samples } of families.values()) {
      expect(samples.filter(({ labels }) => labels['issuer'] === 'second')).toEqual([]);
    }
  });

  it('keep the time of the last good configuration when a reload is rejected', async () => {
    const { control, time, scrape } = gateway();
    control.configurationLoaded();
    time.nowMs += 60_000;
    control.reloaded('rejected');
    const families = await scrape();
    expect(valueOf(families, 'sallyport_config_last_reload_successful')).toBe(0);
    expect(valueOf(families, 'sallyport_config_last_reload_success_timestamp_seconds')).toBe(1_700_000_000);
    expect(valueOf(families, 'sallyport_config_reloads_total', { outcome: 'rejected' })).toBe(1);
  });
});
