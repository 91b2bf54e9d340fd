/** The connections to each upstream, as the listener threads last told, and what became of calls since the start. */
import { quantileOf } from '../../metrics/figures.ts';
import type { UrlFigures } from '../../metrics/url-cells.ts';
import { urlsToldMax } from '../../metrics/layout.ts';
import { type Html, html, type Part } from '../../page/html.ts';
import { badge, countText, durationText, table } from './figures.ts';
import { live } from './layout.ts';
import type { UpstreamFigures } from './source.ts';

export function upstreamsPage(upstreams: readonly UpstreamFigures[]): Html {
  return live('upstreams', html`${connectionsTable(upstreams)} ${callsTable(upstreams)}`);
}

function connectionsTable(upstreams: readonly UpstreamFigures[]): Html {
  return table({
    caption: 'Connections',
    columns: [
      { title: 'Upstream' },
      { title: 'Health' },
      { title: 'Connections', isNumber: true },
      { title: 'In flight', isNumber: true },
      { title: 'Idle', isNumber: true },
      { title: 'Waiting', isNumber: true },
    ],
    rows: upstreams.flatMap((upstream) => connectionRows(upstream)),
    empty: 'No upstream is configured.',
    note: `As told by the listener threads every five seconds. Each judges URLs by itself. URLs are those of the configuration in their order; the first ${urlsToldMax} have rows of their own.`,
  });
}

function connectionRows({ name, urls, each, urlsSeen, urlsOut, busy, idle, queued }: UpstreamFigures) {
  const threads = urls === 0 ? 0 : urlsSeen / urls;
  const whole = [
    name,
    urlsOut === 0 ? badge('all in use', 'good') : badge(urlsOut === urlsSeen ? 'all out' : 'some out', 'bad'),
    ...[busy + idle, busy, idle, queued].map(countText),
  ];
  // Of one URL all has been said.
  const rows = each.length < 2 ? [] : each.map((url, index) => urlRow(url, index, threads));
  return [whole, ...rows];
}

function urlRow({ busy, idle, threadsOut }: UrlFigures, index: number, threads: number): readonly Part[] {
  const health =
    threadsOut === 0
      ? badge('in use', 'good')
      : badge(`out on ${threadsOut} of ${Math.round(threads)} threads`, 'bad');
  return [
    html`<span class="inner">URL ${index + 1}</span>`,
    health,
    ...[busy + idle, busy, idle].map(countText),
    '',
  ];
}

function callsTable(upstreams: readonly UpstreamFigures[]): Html {
  return table({
    caption: 'Calls',
    columns: [
      { title: 'Upstream' },
      { title: 'Answered', isNumber: true },
      { title: 'Median', isNumber: true },
      { title: '99th percentile', isNumber: true },
      { title: 'Sent again', isNumber: true },
      { title: 'Caller left', isNumber: true },
      { title: 'Failed' },
    ],
    rows: upstreams.map(({ name, durations, errors, retries, abandoned }) => [
      name,
      countText(durations.counts.reduce((sum, count) => sum + count, 0)),
      durationText(quantileOf(durations, 0.5)),
      durationText(quantileOf(durations, 0.99)),
      countText(retries),
      countText(abandoned),
      errorsText(errors),
    ]),
    empty: 'No upstream is configured.',
    note: 'Since the start; durations are those to the head of the answer.',
  });
}

function errorsText(errors: UpstreamFigures['errors']): string {
  const told = Object.entries(errors).filter(([, count]) => count > 0);
  return told.length === 0 ? 'none' : told.map(([kind, count]) => `${kind} ${countText(count)}`).join(', ');
}
