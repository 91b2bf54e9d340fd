/**
 * Prometheus scrapes the built gateway, and every panel has something to show. With PREVIEWS set to a folder, pictures of the
 * dashboards are kept there: `npm run previews` makes those in `grafana/previews`.
 */
import { spawnSync } from 'node:child_process';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { describeWith } from '../support/debian.ts';
import { until } from '../support/until.ts';
import { launch } from '../support/browser.ts';
import { MixedTraffic } from './mixed-traffic.ts';
import { committed, queries } from './panels.ts';
import { pageOf } from './preview-page.ts';
import { startPrometheus, type Line, type TestPrometheus } from './prometheus.ts';

const folder = process.env['PREVIEWS'];
/** A picture wants a longer history than a test. */
const answersMsMax = 40_000;
const historyMs = folder === undefined ? 0 : 90_000;

const shows = (lines: readonly Line[]): boolean =>
  lines.some(({ values }) => values.some(([, value]) => Number.isFinite(Number(value))));

describeWith('prometheus', 'a Prometheus that scrapes the gateway under mixed traffic', () => {
  let traffic: MixedTraffic;
  let prometheus: TestPrometheus;

  beforeAll(async () => {
    traffic = await MixedTraffic.start();
    prometheus = await startPrometheus(new URL(traffic.gateway.adminUrl).host);
    await until('it has scraped once', async () => shows(await prometheus.graph('sallyport_build_info')));
    await traffic.round();
    await traffic.logIn();
  }, 60_000);

  afterAll(async () => {
    await prometheus?.stop();
    await traffic?.stop();
  });

  it('has numbers for every query of every panel', async () => {
    expect(shows(await prometheus.graph('sallyport_no_such_metric{job=~"$job"}'))).toBe(false);
    let silent = queries;
    const endMs = performance.now() + historyMs;
    const answered = until(
      'every query is answered with numbers',
      async () => {
        await traffic.round();
        const still = await Promise.all(
          silent.map(async (query) => (shows(await prometheus.graph(query.expr)) ? [] : [query])),
        );
        silent = still.flat();
        return silent.length === 0 && performance.now() >= endMs;
      },
      historyMs + answersMsMax,
    );
    await answered.catch(() => {});
    expect(silent).toEqual([]);
  }, 180_000);

  it('is answered in OpenMetrics, and who asks for nothing is answered in text that promtool finds nothing in', async () => {
    const scrape = async (accept: string): Promise<{ type: string; text: string }> => {
      const response = await fetch(`${traffic.gateway.adminUrl}/metrics`, { headers: { accept } });
      return { type: response.headers.get('content-type')!, text: await response.text() };
    };
    const open = await scrape('application/openmetrics-text;version=1.0.0,text/plain;q=0.5');
    expect(open.type).toBe('application/openmetrics-text; version=1.0.0; charset=utf-8');
    expect(open.text.endsWith('# EOF\n')).toBe(true);
    const plain = await scrape('*/*');
    expect(plain.type).toBe('text/plain; version=0.0.4; charset=utf-8');
    const { stdout, stderr } = spawnSync('promtool', ['check', 'metrics'], {
      input: plain.text,
      encoding: 'utf8',
    });
    expect(stdout + stderr).toBe('');
  });

  it('knows the trace of a request that its caller keeps, and of no other', async () => {
    interface Traced {
      readonly exemplars: readonly { readonly labels: { readonly trace_id: string } }[];
    }
    const { kept, dropped } = await traffic.traced();
    const seen = await until('the trace is there', async () => {
      const found = await prometheus.ask<readonly Traced[]>('query_exemplars', {
        query: 'sallyport_http_request_duration_seconds_bucket',
        start: Date.now() / 1000 - 60,
        end: Date.now() / 1000 + 60,
      });
      const ids = found.flatMap(({ exemplars }) => exemplars.map(({ labels }) => labels.trace_id));
      return ids.includes(kept) && ids;
    });
    expect(seen).not.toContain(dropped);
  });

  it('evaluates every rule, and pages for the upstream that is gone', async () => {
    interface RuleState {
      readonly name: string;
      readonly health: string;
      readonly state?: string;
      readonly alerts?: readonly { readonly labels: Readonly<Record<string, string>> }[];
    }
    const rules = async (): Promise<readonly RuleState[]> =>
      (await prometheus.ask<{ groups: readonly { rules: readonly RuleState[] }[] }>('rules')).groups.flatMap(
        ({ rules }) => rules,
      );
    await until('all rules are evaluated', async () =>
      (await rules()).every(({ health }) => health === 'ok'),
    );
    const all = await rules();
    expect(all.length).toBeGreaterThan(20);
    // It pages after a minute, and is seen at once.
    await until('the alert is pending', async () => {
      await traffic.round();
      const down = (await rules()).find(({ name }) => name === 'SallyportUpstreamAllDown')!;
      return down.alerts?.some(({ labels }) => labels['upstream'] === 'gone');
    });
  }, 60_000);

  describeWith('chromium', 'and a browser', () => {
    it('draws each dashboard from those numbers, and says that it is a preview', async () => {
      const browser = await launch();
      if (folder !== undefined) mkdirSync(folder, { recursive: true });
      const page = await browser.newPage({ viewport: { width: 1200, height: 800 } });
      const errors: string[] = [];
      page.on('pageerror', (error) => errors.push(error.message));
      for (const { dashboard } of committed) {
        const html = await pageOf(dashboard, (expr) => prometheus.graph(expr));
        await page.setContent(html);
        expect(errors).toEqual([]);
        const drawn = dashboard.panels.filter(({ type }) => type === 'timeseries');
        expect(await page.locator('canvas').count()).toBe(drawn.length);
        expect(await page.locator('header').textContent()).toContain('preview');
        if (folder === undefined) continue;
        writeFileSync(join(folder, `${dashboard.uid}.png`), await page.screenshot({ fullPage: true }));
      }
      await browser.close();
    }, 60_000);
  });
});
