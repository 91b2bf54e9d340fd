/** The connections to each upstream, as the listener threads last told, and what became of calls since the start. */
import { quantileOf } from '../../metrics/figures.ts';
import { type Html, html } from '../../page/html.ts';
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
      { title: 'URLs', isNumber: true },
      { title: 'Connections', isNumber: true },
      { title: 'In flight', isNumber: true },
      { title: 'Idle', isNumber: true },
      { title: 'Waiting', isNumber: true },
    ],
    rows: upstreams.map(({ name, urls, urlsSeen, urlsOut, busy, idle, queued }) => [
      name,
      healthOf(urlsSeen, urlsOut),
      urls,
      countText(busy + idle),
      countText(busy),
      countText(idle),
      countText(queued),
    ]),
    empty: 'No upstream is configured.',
    note: 'Each listener thread judges URLs by itself: one of two URLs that two threads avoid is “2 of 4 out”. The URLs are those of the configuration.',
  });
}

function healthOf(seen: number, out: number): Html {
  if (out === 0) return badge('all in use', 'good');
  return badge(out === seen ? 'all out' : `${out} of ${seen} out`, 'bad');
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
