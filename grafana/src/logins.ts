/** Logins and refreshes: that each starts once, how they end, and what providers answer. */
import * as units from '@grafana/grafana-foundation-sdk/units';
import type { Counter } from '../../gateway/flight/counters.ts';
import type { Dashboard } from './dashboard.ts';
import type { Query } from './panel.ts';
import { quantile, select, sum, sumRate } from './metrics.ts';

const named = 'provider!="other"';

function counters(names: readonly Counter[]): Query[] {
  return names.map((name) => ({ expr: sumRate(`sallyport_flight_${name}_total`), legend: name }));
}

export const logins: Dashboard = {
  uid: 'sallyport-logins',
  title: 'Single flight and OAuth',
  description: 'Starts, joins, states, refreshes, slots, and what providers answer.',
  rows: [
    {
      title: 'Logins',
      lines: [
        [
          {
            title: 'Logins started and joined',
            description:
              'started: made at the provider. joined: starts that were answered with one under way.',
            unit: units.OpsPerSecond,
            queries: [
              {
                expr: sumRate('sallyport_oauth_flows_started_total', 'provider', named),
                legend: '{{provider}} started',
              },
              {
                expr: sumRate('sallyport_oauth_flows_joined_total', 'provider', named),
                legend: '{{provider}} joined',
              },
            ],
          },
          {
            title: 'Logins by their end',
            description: 'success, expired, cancelled or error, per second.',
            unit: units.OpsPerSecond,
            queries: [
              {
                expr: sumRate('sallyport_oauth_flows_ended_total', 'provider, state', named),
                legend: '{{provider}} {{state}}',
              },
            ],
          },
        ],
        [
          {
            title: 'Duration of logins, median',
            description: 'From the start of a login to its success: how long people take.',
            unit: units.Seconds,
            queries: [
              {
                expr: quantile(0.5, 'sallyport_oauth_login_duration_seconds', 'provider', named),
                legend: '{{provider}}',
              },
            ],
          },
          {
            title: 'Waiting calls',
            description: 'Calls that wait for a login or a refresh now.',
            unit: units.Short,
            queries: [{ expr: sum('sallyport_oauth_waiters'), legend: 'waiting' }],
          },
        ],
      ],
    },
    {
      title: 'Single flight',
      lines: [
        [
          {
            title: 'Flights claimed and joined',
            description:
              'claimed: this start calls the provider, nobody else does. joined: it got the flight of another.',
            unit: units.OpsPerSecond,
            queries: counters(['claims', 'joins', 'published']),
          },
          {
            title: 'Flights under way and kept',
            description: 'Logins and refreshes by state; ended ones are kept for five minutes.',
            unit: units.Short,
            stacked: true,
            queries: [{ expr: sum('sallyport_flights', 'state'), legend: '{{state}}' }],
          },
          {
            title: 'Slots in use',
            description:
              'Keys against slots of the table. Half of them is full: `oauth.limits.keys` is spent.',
            unit: units.PercentUnit,
            max: 1,
            queries: [
              {
                expr: `${select('sallyport_flight_keys')} / ${select('sallyport_flight_slots')}`,
                legend: '{{instance}}',
              },
            ],
          },
        ],
        [
          {
            title: 'Flights by their end',
            description: 'Logins and refreshes together.',
            unit: units.OpsPerSecond,
            queries: counters(['successes', 'failures', 'shared_failures', 'cancels', 'expiries', 'purges']),
          },
          {
            title: 'Threads that stall or die',
            description:
              'takeovers, fenced: a leader stalled, its successor went on, and its late writes were refused. reaps, orphans: a thread died.',
            unit: units.OpsPerSecond,
            queries: counters(['takeovers', 'fenced', 'reaps', 'orphans', 'spawn_failures']),
          },
          {
            title: 'Starts without a flight',
            description:
              'full, blocks_exhausted: a bound was reached. waited_out, contended, oversized: nothing to join in time. retries cost nothing.',
            unit: units.OpsPerSecond,
            queries: counters([
              'full',
              'blocks_exhausted',
              'waited_out',
              'contended',
              'oversized',
              'retries',
            ]),
          },
        ],
      ],
    },
    {
      title: 'Providers and credentials',
      lines: [
        [
          {
            title: 'Calls to providers by outcome',
            description: 'refused, invalid and unreachable are failures; pending and slow_down are polling.',
            unit: units.OpsPerSecond,
            queries: [
              {
                expr: `${sumRate('sallyport_oauth_provider_calls_total', 'provider, step, outcome', named)} > 0`,
                legend: '{{provider}} {{step}} {{outcome}}',
              },
            ],
          },
          {
            title: 'Refreshes',
            description:
              'led: one call to the provider. joined: answered with the refresh of another request.',
            unit: units.OpsPerSecond,
            queries: [
              {
                expr: sumRate('sallyport_oauth_refreshes_total', 'provider, role, result', named),
                legend: '{{provider}} {{role}} {{result}}',
              },
            ],
          },
          {
            title: 'Errors of the credential store',
            description: 'Operations that failed: disk, permissions or keys.',
            unit: units.OpsPerSecond,
            queries: [
              { expr: sumRate('sallyport_oauth_store_errors_total', 'operation'), legend: '{{operation}}' },
            ],
          },
        ],
      ],
    },
  ],
};
