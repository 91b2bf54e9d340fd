/** How the gateway is: ready or not, rate, errors and durations, threads, and what was refused lately. */
import { refusals } from '../../core/errors.ts';
import { type Html, html } from '../../page/html.ts';
import { endings, type Recent } from '../../metrics/recent.ts';
import {
  badge,
  bytesText,
  countText,
  durationText,
  facts,
  figure,
  rateText,
  shareText,
  spanText,
  table,
} from './figures.ts';
import { requestsChart } from './chart.ts';
import { live } from './layout.ts';
import type { Overview } from './source.ts';

export function overviewPage(overview: Overview, nowMs: number): Html {
  const { recent } = overview;
  return live(
    'overview',
    html`${rates(overview)} ${requestsChart(recent.intervals)} ${state(overview, nowMs)}
    ${refusalsTable(recent)} ${endingsTable(recent)} ${threadsTable(overview)}`,
  );
}

function rates({ recent: { minute }, requestsInFlight, connections, webSockets }: Overview): Html {
  const { requests, seconds, p50, p99 } = minute;
  return html`<section aria-label="Of the last minute">
    <dl class="figures">
      ${figure('Requests', rateText(requests / seconds), '/s')}
      ${figure('Failed', shareText(minute.endings['5xx'], requests), '5xx')}
      ${figure('Refused', shareText(minute.endings['4xx'], requests), '4xx')}
      ${figure('Median', durationText(p50))} ${figure('99th percentile', durationText(p99))}
      ${figure('In flight', countText(requestsInFlight))}
      ${figure('Connections', countText(connections), webSockets > 0 && `${countText(webSockets)} WebSockets`)}
    </dl>
    <p class="soft small">Of the last ${spanText(Math.min(seconds, 60))}.</p>
  </section>`;
}

function state({ version, startedMs, listeners, checks }: Overview, nowMs: number): Html {
  const failing = checks.filter(({ ok }) => !ok);
  const isReady = failing.length === 0;
  const isDraining = failing.some(({ name }) => name === 'draining');
  const { serving, size } = listeners;
  return html`<section class="card">
    <h2>State</h2>
    ${facts([
      ['Readiness', isReady ? badge('ready', 'good') : badge('not ready', 'bad')],
      ['Drain', isDraining ? badge('draining', 'bad') : 'no'],
      ['Listeners', `${serving} of ${size} serving`],
      ['Version', version],
      ['Uptime', spanText((nowMs - startedMs) / 1000)],
    ])}
    <ul class="plain checks small" aria-label="Checks">
      ${checks.map(
        ({ name, ok, detail }) =>
          html`<li>
            <span>${ok ? badge('ok', 'good') : badge('failed', 'bad')}</span><span>${name}</span
            ><span class="soft">${detail}</span>
          </li>`,
      )}
    </ul>
  </section>`;
}

function refusalsTable({ refusals: lately, furtherRefusals, whole }: Recent): Html {
  return table({
    caption: 'Refused lately',
    columns: [
      { title: 'Reason' },
      { title: 'Route' },
      { title: 'Cause' },
      { title: 'Status', isNumber: true },
      { title: 'Count', isNumber: true },
      { title: 'Last', isNumber: true },
    ],
    rows: lately
      .slice(0, 50)
      .map(({ code, route, status, count, lastSecondsAgo }) => [
        html`<code>${code}</code>`,
        route,
        refusals[code].source,
        status,
        countText(count),
        `within ${spanText(Math.max(1, lastSecondsAgo))}`,
      ]),
    empty: `Nothing was refused in the last ${spanText(whole.seconds)}.`,
    note: `Of the last ${spanText(whole.seconds)}${furtherRefusals > 0 ? `; ${countText(furtherRefusals)} more of further kinds` : ''}. Routes are named, callers and paths are not kept.`,
  });
}

function endingsTable({ minute, whole }: Recent): Html {
  const names = {
    '2xx': 'Served',
    '3xx': 'Redirected',
    '4xx': 'Refused (4xx)',
    '5xx': 'Failed (5xx)',
    left: 'Caller left first',
  };
  return table({
    caption: 'Requests by how they ended',
    columns: [
      { title: 'Ending' },
      { title: 'Last minute', isNumber: true },
      { title: `Last ${spanText(whole.seconds)}`, isNumber: true },
      { title: 'Share', isNumber: true },
    ],
    rows: endings.map((ending) => [
      names[ending],
      countText(minute.endings[ending]),
      countText(whole.endings[ending]),
      shareText(whole.endings[ending], whole.requests),
    ]),
    empty: 'There were no requests.',
  });
}

function threadsTable({ threads }: Overview): Html {
  return table({
    caption: 'Threads',
    columns: [
      { title: 'Thread' },
      { title: 'Event loop busy', isNumber: true },
      { title: 'Lag, 99th percentile', isNumber: true },
      { title: 'Heap', isNumber: true },
      { title: 'Heap limit', isNumber: true },
    ],
    rows: threads.map(({ thread, utilization, lagP99Seconds, heapUsedBytes, heapLimitBytes }) => [
      thread,
      shareText(utilization, 1),
      durationText(lagP99Seconds),
      bytesText(heapUsedBytes),
      bytesText(heapLimitBytes),
    ]),
    empty: 'No thread has reported yet.',
  });
}
