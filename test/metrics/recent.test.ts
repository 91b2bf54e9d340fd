import { describe, expect, it } from 'vitest';
import { refusals } from '../../gateway/core/errors.ts';
import { methodIndex } from '../../gateway/core/methods.ts';
import { CellStore } from '../../gateway/metrics/cells.ts';
import { Figures, quantileOf } from '../../gateway/metrics/figures.ts';
import { RecentFigures } from '../../gateway/metrics/recent.ts';
import { Recorder } from '../../gateway/metrics/recorder.ts';
import { routesNamed } from './routes.ts';

const get = methodIndex('GET');

function stage(...names: string[]) {
  const store = new CellStore(20_000);
  const labels = store.label({ routes: routesNamed(...names) }, ['orders', 'bills']);
  const [one, other] = [new Recorder(store.region('listener-0')), new Recorder(store.region('listener-1'))];
  let nowMs = 5000;
  const figures = new Figures(store);
  const recent = new RecentFigures(figures, { nowMs: () => nowMs, monotonicMs: () => nowMs });
  const answer = (route: number, status: number, durationMs = 1, recorder = one): void => {
    recorder.requestStarted();
    recorder.requestDone(labels.routes[route]!, get, status, durationMs);
  };
  const pass = (seconds: number): void => {
    for (let passed = 0; passed < seconds; passed += 10) {
      nowMs += 10_000;
      recent.sample();
    }
  };
  return { store, labels, one, other, figures, recent, answer, pass };
}

describe('recent figures', () => {
  it('count what all threads answered, by how it ended, as soon as it has happened', () => {
    const { recent, answer, other } = stage('a');
    answer(0, 200);
    answer(0, 204, 1, other);
    answer(0, 302);
    answer(0, 404);
    answer(0, 503);
    answer(0, 499);
    const { minute, whole } = recent.recent();
    expect(minute).toMatchObject({
      requests: 6,
      endings: { '2xx': 2, '3xx': 1, '4xx': 1, '5xx': 1, left: 1 },
    });
    expect(whole.requests).toBe(6);
    recent.close();
  });

  it('keep a minute apart from the quarter of an hour, and forget what is older', () => {
    const { recent, answer, pass } = stage('a');
    answer(0, 200);
    pass(120);
    answer(0, 500);
    expect(recent.recent().minute).toMatchObject({ requests: 1, seconds: 60 });
    expect(recent.recent().whole.requests).toBe(2);
    pass(890);
    expect(recent.recent()).toMatchObject({ minute: { requests: 0 }, whole: { requests: 1, seconds: 900 } });
    pass(20);
    expect(recent.recent().whole.requests).toBe(0);
    expect(recent.recent().intervals).toHaveLength(91);
    recent.close();
  });

  it('tell durations of the last minute only', () => {
    const { recent, answer, pass } = stage('a');
    for (let i = 0; i < 100; i++) answer(0, 200, 8000);
    pass(120);
    for (let i = 0; i < 99; i++) answer(0, 200, 2);
    answer(0, 200, 900);
    const { p50, p99 } = recent.recent().minute;
    expect(p50).toBeGreaterThan(0.001);
    expect(p50).toBeLessThan(0.0025);
    expect(p99).toBeLessThanOrEqual(0.0025);
    recent.close();
  });

  it('tell refusals by route and code with when the last one was, and permits are none', () => {
    const { recent, pass, labels, one, other } = stage('a', 'b');
    const [a, b] = labels.routes as [number, number];
    one.decided(a, -1);
    one.decided(a, refusals.token_expired.index);
    pass(30);
    other.decided(a, refusals.token_expired.index);
    one.decided(a, refusals.token_expired.index);
    one.decided(b, refusals.verifier_full.index);
    pass(20);
    expect(recent.recent().refusals).toEqual([
      { route: 'a', code: 'token_expired', status: 401, count: 3, lastSecondsAgo: 20 },
      { route: 'b', code: 'verifier_full', status: 503, count: 1, lastSecondsAgo: 20 },
    ]);
    pass(900);
    expect(recent.recent().refusals).toEqual([]);
    recent.close();
  });

  it('tell new refusals from old ones, whatever series came between', () => {
    const { recent, pass, labels, answer, one, other } = stage('a', 'b', 'c');
    const [a, b, c] = labels.routes as [number, number, number];
    for (const [recorder, route] of [
      [one, a],
      [other, c],
      [one, c],
    ] as const)
      recorder.decided(route, refusals.access_denied.index);
    pass(10);
    answer(0, 418);
    answer(2, 418);
    one.decided(b, refusals.access_denied.index);
    other.decided(c, refusals.access_denied.index);
    pass(10);
    pass(880);
    const told = () => recent.recent().refusals.map(({ route, count }) => [route, count]);
    expect(told()).toEqual([
      ['c', 3],
      ['a', 1],
      ['b', 1],
    ]);
    expect(recent.recent().whole.requests).toBe(2);
    pass(10);
    expect(told()).toEqual([
      ['b', 1],
      ['c', 1],
    ]);
    recent.close();
  });

  it('keep a bounded number of kinds of refusals apart in each sample', () => {
    const { recent, labels, one, pass } = stage(...Array.from({ length: 300 }, (_, index) => `r${index}`));
    for (const route of labels.routes) one.decided(route, refusals.token_expired.index);
    pass(10);
    const { refusals: told, furtherRefusals } = recent.recent();
    expect(told).toHaveLength(256);
    expect(furtherRefusals).toBe(44);
    recent.close();
  });
});

describe('figures', () => {
  it('of a route are its requests, errors and refusals of all threads', () => {
    const { figures, labels, answer, one, other } = stage('a', 'b');
    answer(0, 200);
    answer(0, 502, 1, other);
    one.decided(labels.routes[0]!, refusals.token_expired.index);
    expect(figures.routes().get('a')).toEqual({ requests: 2, errors: 1, denied: 1 });
    expect(figures.routes().get('b')).toEqual({ requests: 0, errors: 0, denied: 0 });
  });

  it('of an upstream are found by its ordinal and the place of its other label', () => {
    const { figures, labels, one, other, store } = stage('a');
    const bills = labels.upstreams.get('bills')!;
    const stats = { busy: 3, idle: 2, queued: 1, urls: 4, urlsOut: 1 };
    one.upstreamsHold([[bills, stats]]);
    other.upstreamsHold([[bills, stats]]);
    one.upstreamFailed(bills, 'timeout');
    one.upstreamAnswered(bills, 20);
    const told = (name: Parameters<Figures['value']>[0], ...more: number[]) =>
      figures.value(name, store.upstreams.ordinal('bills'), ...more);
    expect([
      told('sallyport_upstream_connections', 0),
      told('sallyport_upstream_connections', 1),
      told('sallyport_upstream_requests_queued'),
      told('sallyport_upstream_urls_out'),
      told('sallyport_upstream_errors_total', 3),
      told('sallyport_upstream_errors_total', 2),
    ]).toEqual([6, 4, 2, 2, 1, 0]);
    const { counts } = figures.distribution('sallyport_upstream_request_duration_seconds', bills);
    expect(counts.reduce((sum, count) => sum + count, 0)).toBe(1);
  });
});

describe('a quantile', () => {
  const bounds = [1, 2, 4];

  it('is interpolated within its bucket', () => {
    expect(quantileOf({ bounds, counts: [0, 10, 0, 0] }, 0.5)).toBe(1.5);
    expect(quantileOf({ bounds, counts: [10, 0, 10, 0] }, 0.5)).toBe(1);
    expect(quantileOf({ bounds, counts: [10, 0, 10, 0] }, 0.75)).toBe(3);
  });

  it('beyond the last bound is that bound, and of nothing there is none', () => {
    expect(quantileOf({ bounds, counts: [0, 0, 0, 5] }, 0.99)).toBe(4);
    expect(quantileOf({ bounds, counts: [0, 0, 0, 0] }, 0.99)).toBe(null);
  });
});
