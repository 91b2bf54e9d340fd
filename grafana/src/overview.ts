/** Is the service well? The four golden signals, what was decided, and what runs full first. */
import * as units from '@grafana/grafana-foundation-sdk/units';
import type { Dashboard } from './dashboard.ts';
import { quantile, select, sum, sumRate } from './metrics.ts';

const failures = 'code=~"5.."';

export const overview: Dashboard = {
  uid: 'sallyport-overview',
  title: 'Overview',
  description: 'Golden signals, decisions by reason, saturation.',
  rows: [
    {
      title: 'Golden signals',
      lines: [
        [
          {
            title: 'Requests',
            description: 'Answered requests per second, refusals included.',
            unit: units.RequestsPerSecond,
            stat: true,
            queries: [{ expr: sumRate('sallyport_http_requests_total'), legend: 'requests' }],
          },
          {
            title: 'Failures',
            description: 'Share of requests answered 5xx: by upstreams, or because something of ours failed.',
            unit: units.PercentUnit,
            stat: true,
            queries: [
              {
                expr: `(${sumRate('sallyport_http_requests_total', '', failures)} or vector(0)) / ${sumRate('sallyport_http_requests_total')}`,
                legend: 'failures',
              },
            ],
          },
          {
            title: 'Duration, p99',
            description: 'From the request head to the end of the answer, the upstream included.',
            unit: units.Seconds,
            stat: true,
            queries: [{ expr: quantile(0.99, 'sallyport_http_request_duration_seconds'), legend: 'p99' }],
          },
          {
            title: 'In flight',
            description: 'Requests that are being served now.',
            unit: units.Short,
            stat: true,
            queries: [{ expr: sum('sallyport_http_requests_in_flight'), legend: 'in flight' }],
          },
          {
            title: 'Listeners',
            description: 'Listener threads that serve. Fewer than configured: one has died and is restarted.',
            unit: units.Short,
            stat: true,
            queries: [{ expr: sum('sallyport_listeners'), legend: 'listeners' }],
          },
          {
            title: 'Last reload',
            description:
              '1: the configuration file is in force. 0: it was rejected and the former one serves.',
            unit: units.Short,
            stat: true,
            queries: [
              {
                expr: `min(${select('sallyport_config_last_reload_successful')})`,
                legend: 'successful',
              },
            ],
          },
        ],
        [
          {
            title: 'Requests by status',
            description: 'Per second. 499: the caller left before the answer.',
            unit: units.RequestsPerSecond,
            stacked: true,
            queries: [{ expr: sumRate('sallyport_http_requests_total', 'code'), legend: '{{code}}' }],
          },
          {
            title: 'Duration',
            description: 'Quantiles over all routes, from the request head to the end of the answer.',
            unit: units.Seconds,
            queries: [0.5, 0.9, 0.99].map((q) => ({
              expr: quantile(q, 'sallyport_http_request_duration_seconds'),
              legend: `p${String(q * 100)}`,
            })),
          },
        ],
        [
          {
            title: 'Busiest routes',
            description: 'Requests per second of the ten busiest routes.',
            unit: units.RequestsPerSecond,
            queries: [
              {
                expr: `topk(10, ${sumRate('sallyport_http_requests_total', 'route')})`,
                legend: '{{route}}',
              },
            ],
          },
          {
            title: 'Slowest routes, p99',
            description: 'Of the ten slowest routes. Route `other`: those beyond the series budget.',
            unit: units.Seconds,
            queries: [
              {
                expr: `topk(10, ${quantile(0.99, 'sallyport_http_request_duration_seconds', 'route')} > 0)`,
                legend: '{{route}}',
              },
            ],
          },
        ],
      ],
    },
    {
      title: 'Authorization',
      lines: [
        [
          {
            title: 'Decisions',
            description: 'Allowed; denied, for what the caller sent; failed, for a fault of the gateway.',
            unit: units.OpsPerSecond,
            stacked: true,
            queries: [
              { expr: sumRate('sallyport_authz_decisions_total', 'decision'), legend: '{{decision}}' },
            ],
          },
          {
            title: 'Decisions for other proxies',
            description:
              'Asked for by a proxy or a program that forwards by itself, by contract and outcome.',
            unit: units.OpsPerSecond,
            queries: [
              {
                expr: sumRate('sallyport_decisions_asked_total', 'mode, outcome'),
                legend: '{{mode}} {{outcome}}',
              },
            ],
          },
          {
            title: 'Answers of access hooks',
            description: 'By answer, and whether the hook was called for it; failed is 503 for the caller.',
            unit: units.OpsPerSecond,
            queries: [
              {
                expr: sumRate('sallyport_access_hook_answers_total', 'answer, origin'),
                legend: '{{answer}} {{origin}}',
              },
            ],
          },
          {
            title: 'Denials and failures by reason',
            description: 'The ten most frequent codes; the answer to the caller has the same code.',
            unit: units.OpsPerSecond,
            queries: [
              {
                expr: `topk(10, ${sumRate('sallyport_authz_decisions_total', 'reason', 'decision!="allowed"')} > 0)`,
                legend: '{{reason}}',
              },
            ],
          },
        ],
      ],
    },
    {
      title: 'Saturation',
      lines: [
        [
          {
            title: 'Event loops',
            description: 'Share of the time that each thread is busy. A listener near 1 is full.',
            unit: units.PercentUnit,
            max: 1,
            queries: [
              {
                expr: `max by (thread) (${select('sallyport_event_loop_utilization_ratio')})`,
                legend: '{{thread}}',
              },
            ],
          },
          {
            title: 'Verify workers',
            description: 'Share of the time that the workers of each listener are busy.',
            unit: units.PercentUnit,
            max: 1,
            queries: [
              {
                expr: `max by (thread) (${select('sallyport_verify_pool_utilization_ratio', 'thread!="main"')})`,
                legend: '{{thread}}',
              },
            ],
          },
          {
            title: 'Connections of callers',
            description: 'Open connections; the limit is `listener.max_connections` for each thread.',
            unit: units.Short,
            queries: [{ expr: sum('sallyport_http_connections', 'instance'), legend: '{{instance}}' }],
          },
        ],
      ],
    },
    {
      title: 'WebSockets',
      lines: [
        [
          {
            title: 'Open',
            description: 'Open WebSockets, and those opened per second.',
            unit: units.Short,
            queries: [
              { expr: sum('sallyport_websocket_connections'), legend: 'open' },
              { expr: sumRate('sallyport_websocket_opened_total'), legend: 'opened per second' },
            ],
          },
          {
            title: 'Ended',
            description:
              'By how their caller saw it. expired: closed with 4401; violation: by what the caller sent; broken: without a close frame.',
            unit: units.OpsPerSecond,
            queries: [{ expr: sumRate('sallyport_websocket_closed_total', 'end'), legend: '{{end}}' }],
          },
          {
            title: 'Messages',
            description: 'From callers (in) and to them (out).',
            unit: units.OpsPerSecond,
            queries: [
              { expr: sumRate('sallyport_websocket_messages_total', 'direction'), legend: '{{direction}}' },
            ],
          },
          {
            title: 'Bytes',
            description: 'Of messages from callers (in) and to them (out).',
            unit: units.BytesPerSecondSI,
            queries: [
              { expr: sumRate('sallyport_websocket_bytes_total', 'direction'), legend: '{{direction}}' },
            ],
          },
        ],
      ],
    },
    {
      title: 'What runs',
      lines: [
        [
          {
            title: 'Versions',
            description: 'Instances by version of the gateway and of Node.',
            unit: units.Short,
            stat: true,
            queries: [
              {
                expr: `count by (version, node, http_driver) (${select('sallyport_build_info')})`,
                legend: '{{version}}, Node {{node}}, {{http_driver}}',
              },
            ],
          },
          {
            title: 'Draining',
            description: 'Instances that are shutting down.',
            unit: units.Short,
            stat: true,
            queries: [{ expr: sum('sallyport_draining'), legend: 'draining' }],
          },
          {
            title: 'Listener restarts',
            description: 'Listener threads that died and were replaced, in the time that is shown.',
            unit: units.Short,
            stat: true,
            queries: [
              {
                expr: `sum(increase(${select('sallyport_listener_restarts_total')}[$__range]))`,
                legend: 'restarts',
              },
            ],
          },
          {
            title: 'Configuration age',
            description: 'Time since a configuration was last loaded; the oldest instance.',
            unit: units.Seconds,
            stat: true,
            queries: [
              {
                expr: `time() - min(${select('sallyport_config_last_reload_success_timestamp_seconds')})`,
                legend: 'age',
              },
            ],
          },
        ],
      ],
    },
  ],
};
