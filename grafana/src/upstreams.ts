/** What upstreams do: rate, errors and duration of each, and the connections to it. */
import * as units from '@grafana/grafana-foundation-sdk/units';
import type { Dashboard } from './dashboard.ts';
import { quantile, sum, sumRate } from './metrics.ts';

const named = 'upstream!="other"';

export const upstreams: Dashboard = {
  uid: 'sallyport-upstreams',
  title: 'Upstreams',
  description: 'Rate, errors, duration and connections of each upstream.',
  rows: [
    {
      title: 'Calls',
      lines: [
        [
          {
            title: 'Answers',
            description: 'Answers per second of each upstream, whatever their status.',
            unit: units.RequestsPerSecond,
            queries: [
              {
                expr: sumRate('sallyport_upstream_request_duration_seconds_count', 'upstream', named),
                legend: '{{upstream}}',
              },
            ],
          },
          {
            title: 'Failed calls by kind',
            description:
              'unreachable, reset, timeout, invalid: an answer that is none, full: no connection was free in time.',
            unit: units.OpsPerSecond,
            queries: [
              {
                expr: sumRate('sallyport_upstream_errors_total', 'upstream, kind', named),
                legend: '{{upstream}} {{kind}}',
              },
            ],
          },
        ],
        [
          {
            title: 'Time to the head of the answer, median',
            description: 'From sending a request upstream to the head of its answer.',
            unit: units.Seconds,
            queries: [
              {
                expr: quantile(0.5, 'sallyport_upstream_request_duration_seconds', 'upstream', named),
                legend: '{{upstream}}',
              },
            ],
          },
          {
            title: 'Time to the head of the answer, p99',
            description: 'From sending a request upstream to the head of its answer.',
            unit: units.Seconds,
            queries: [
              {
                expr: quantile(0.99, 'sallyport_upstream_request_duration_seconds', 'upstream', named),
                legend: '{{upstream}}',
              },
            ],
          },
        ],
        [
          {
            title: 'Retries',
            description: 'Calls that were sent again, to another URL or on another connection.',
            unit: units.OpsPerSecond,
            queries: [
              {
                expr: sumRate('sallyport_upstream_retries_total', 'upstream', named),
                legend: '{{upstream}}',
              },
            ],
          },
          {
            title: 'Abandoned calls',
            description: 'Calls that ended because the caller left.',
            unit: units.OpsPerSecond,
            queries: [
              {
                expr: sumRate('sallyport_upstream_abandoned_total', 'upstream', named),
                legend: '{{upstream}}',
              },
            ],
          },
        ],
      ],
    },
    {
      title: 'Pools',
      lines: [
        [
          {
            title: 'Connections',
            description: 'Open connections over all listeners, with and without a request on them.',
            unit: units.Short,
            queries: [
              {
                expr: sum('sallyport_upstream_connections', 'upstream, state', named),
                legend: '{{upstream}} {{state}}',
              },
            ],
          },
          {
            title: 'Queued requests',
            description: 'Requests that wait for a connection.',
            unit: units.Short,
            queries: [
              { expr: sum('sallyport_upstream_requests_queued', 'upstream', named), legend: '{{upstream}}' },
            ],
          },
          {
            title: 'URLs out of use',
            description: 'Share of the URLs that listeners avoid after failures. 1: no URL is left.',
            unit: units.PercentUnit,
            max: 1,
            queries: [
              {
                expr: `${sum('sallyport_upstream_urls_out', 'upstream', named)} / ${sum('sallyport_upstream_urls', 'upstream', named)}`,
                legend: '{{upstream}}',
              },
            ],
          },
        ],
      ],
    },
  ],
};
