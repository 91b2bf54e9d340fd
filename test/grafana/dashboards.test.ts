import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import * as units from '@grafana/grafana-foundation-sdk/units';
import { describe, expect, it } from 'vitest';
import { dashboards, fileOf, textOf } from '../../grafana/src/dashboards.ts';
import { catalogue, familyOf } from './catalogue.ts';
import { committed, dashboardFolder, panels, queries } from './panels.ts';
import { parse, type Selector } from './promql.ts';

/** What prom-client tells of the process and panels show; that it does is seen where Prometheus scrapes a gateway. */
const ofTheProcess = new Set([
  'process_cpu_seconds_total',
  'process_max_fds',
  'process_open_fds',
  'process_resident_memory_bytes',
]);

const cumulative = /_(?:total|bucket|sum|count)$/;
const rates = new Set(['rate', 'increase']);

/** What is wrong with a selector on a dashboard, after the rules of grafana/dashboard-linter. */
function faults({ metric, labels, window, within }: Selector): string[] {
  const found: string[] = [];
  if (familyOf(metric) === null && !ofTheProcess.has(metric)) found.push('no such metric');
  for (const label of ['job', 'instance']) if (!labels.includes(label)) found.push(`no matcher of ${label}`);
  if (window !== null && window !== '$__rate_interval' && window !== '$__range') found.push('a fixed window');
  if (cumulative.test(metric) && !rates.has(within ?? '')) found.push('a counter without a rate');
  if (!cumulative.test(metric) && rates.has(within ?? '')) found.push('a rate of a gauge');
  const own = Object.keys(catalogue[familyOf(metric) ?? '']?.labels ?? {});
  const known = new Set(['job', 'instance', 'le', ...own]);
  for (const label of labels) if (!known.has(label)) found.push(`no label ${label}`);
  return found;
}

describe('the committed dashboards', () => {
  it('are what `npm run dashboards` writes', () => {
    const present = committed.map(({ file }) => [file, readFileSync(join(dashboardFolder, file), 'utf8')]);
    const written = dashboards.map((dashboard) => [fileOf(dashboard), textOf(dashboard)]);
    expect(Object.fromEntries(present)).toEqual(Object.fromEntries(written));
  });

  it('have uids that are unique and short enough, and titles', () => {
    const uids = committed.map(({ dashboard }) => dashboard.uid);
    expect(uids.toSorted()).toEqual([
      'sallyport-logins',
      'sallyport-overview',
      'sallyport-runtime',
      'sallyport-upstreams',
      'sallyport-verification',
    ]);
    expect(uids.filter((uid) => uid.length > 40)).toEqual([]);
    for (const { dashboard } of committed) expect(dashboard.description).not.toBe('');
  });

  it('choose data source, job and instance by variables', () => {
    for (const { dashboard } of committed) {
      const { list } = dashboard.templating;
      expect(list.map(({ name, type }) => [name, type])).toEqual([
        ['datasource', 'datasource'],
        ['job', 'query'],
        ['instance', 'query'],
      ]);
      expect(list.slice(1).map(({ datasource }) => datasource?.uid)).toEqual([
        '${datasource}',
        '${datasource}',
      ]);
      expect(JSON.stringify(dashboard)).not.toContain('__inputs');
    }
  });
});

describe('every panel', () => {
  it('has a title, a description, a unit that Grafana knows, the data source and a query', () => {
    const known = new Set<unknown>(Object.values(units));
    const faulty = panels.filter(
      ({ panel }) =>
        panel.title === '' ||
        (panel.description ?? '') === '' ||
        !known.has(panel.fieldConfig?.defaults.unit ?? '') ||
        panel.datasource?.uid !== '${datasource}' ||
        panel.targets!.length === 0 ||
        panel.targets!.some(
          ({ datasource, legendFormat }) => datasource.uid !== '${datasource}' || legendFormat === '',
        ),
    );
    expect(faulty.map(({ where }) => where)).toEqual([]);
  });

  it('has a name and a place of its own, within the 24 columns', () => {
    for (const { dashboard } of committed) {
      const taken = new Map<string, string>();
      for (const { title, gridPos } of dashboard.panels) {
        expect(gridPos.x + gridPos.w).toBeLessThanOrEqual(24);
        for (let x = gridPos.x; x < gridPos.x + gridPos.w; x++) {
          for (let y = gridPos.y; y < gridPos.y + gridPos.h; y++) {
            const cell = `${String(x)},${String(y)}`;
            expect([title, taken.get(cell)]).toEqual([title, undefined]);
            taken.set(cell, title);
          }
        }
      }
      for (const key of ['id', 'title'] as const) {
        const values = dashboard.panels.map((panel) => panel[key]);
        expect(values.length).toBe(new Set(values).size);
      }
    }
  });
});

describe('every query of a panel', () => {
  it('is PromQL', () => {
    expect(
      queries.flatMap(({ where, expr }) => parse(expr).errors.map((error) => `${where}: ${error}`)),
    ).toEqual([]);
  });

  it('names metrics and labels of the gateway, selects job and instance, and rates counters over a variable window', () => {
    const found = queries.flatMap(({ where, expr }) =>
      parse(expr).selectors.flatMap((selector) =>
        faults(selector).map((fault) => `${where}: ${selector.metric}: ${fault}`),
      ),
    );
    expect(found).toEqual([]);
  });

  it.each([
    [
      'sallyport_no_such_total{job="$job", instance="$instance"}',
      ['no such metric', 'a counter without a rate'],
    ],
    ['rate(sallyport_http_requests_total{job="$job"}[$__rate_interval])', ['no matcher of instance']],
    ['rate(sallyport_http_requests_total{job="$job", instance="$instance"}[5m])', ['a fixed window']],
    ['sum(sallyport_http_requests_total{job="$job", instance="$instance"})', ['a counter without a rate']],
    ['rate(sallyport_listeners{job="$job", instance="$instance"}[$__range])', ['a rate of a gauge']],
    ['sallyport_listeners{job="$job", instance="$instance", thread="x"}', ['no label thread']],
    ['sallyport_http_request_duration_seconds{job="$job", instance="$instance"}', ['no such metric']],
  ])('%s would be found', (expr, wanted) => {
    expect(parse(expr).errors).toEqual([]);
    expect(parse(expr).selectors.flatMap(faults)).toEqual(wanted);
  });

  it('would be found when it is no PromQL', () => {
    expect(parse('sum(rate(sallyport_listeners[5m])').errors).not.toEqual([]);
    expect(parse('sum by (job) sallyport_listeners').errors).not.toEqual([]);
  });
});
