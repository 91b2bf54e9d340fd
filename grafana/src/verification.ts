/** How tokens are verified: what caches save, how the pool keeps up, and whether there are keys. */
import * as units from '@grafana/grafana-foundation-sdk/units';
import type { Dashboard } from './dashboard.ts';
import { mean, quantile, select, sum, sumRate } from './metrics.ts';

export const verification: Dashboard = {
  uid: 'sallyport-verification',
  title: 'Verification',
  description: 'Cache outcomes, batch sizes, queue, pool, key sets.',
  rows: [
    {
      title: 'Tokens',
      lines: [
        [
          {
            title: 'Tokens by cache outcome',
            description:
              'hit: known good. negative: known bad. joined: under verification already. miss: verified.',
            unit: units.OpsPerSecond,
            stacked: true,
            queries: [{ expr: sumRate('sallyport_jwt_verifications_total', 'cache'), legend: '{{cache}}' }],
          },
          {
            title: 'Tokens by result',
            description: 'failed is a fault of the gateway, answered 503; refused is the token’s.',
            unit: units.OpsPerSecond,
            stacked: true,
            queries: [{ expr: sumRate('sallyport_jwt_verifications_total', 'result'), legend: '{{result}}' }],
          },
          {
            title: 'Tokens by algorithm',
            description: 'What their headers say; other: no header, or an unknown algorithm.',
            unit: units.OpsPerSecond,
            stacked: true,
            queries: [
              {
                expr: `${sumRate('sallyport_jwt_verifications_total', 'algorithm')} > 0`,
                legend: '{{algorithm}}',
              },
            ],
          },
        ],
        [
          {
            title: 'Cache hit ratio',
            description: 'Share of tokens that were known already.',
            unit: units.PercentUnit,
            max: 1,
            queries: [
              {
                expr: `${sumRate('sallyport_jwt_verifications_total', '', 'cache!="miss"')} / ${sumRate('sallyport_jwt_verifications_total')}`,
                legend: 'hit ratio',
              },
            ],
          },
          {
            title: 'Cached tokens',
            description: 'Verified tokens that are kept, over all listeners.',
            unit: units.Short,
            queries: [{ expr: sum('sallyport_jwt_cache_entries', 'instance'), legend: '{{instance}}' }],
          },
          {
            title: 'Cache memory',
            description: 'Estimated memory of the tokens that are kept.',
            unit: units.BytesIEC,
            queries: [{ expr: sum('sallyport_jwt_cache_bytes', 'instance'), legend: '{{instance}}' }],
          },
          {
            title: 'Evictions',
            description:
              'Tokens dropped to make room. Many of them with a low hit ratio: the cache is small.',
            unit: units.OpsPerSecond,
            queries: [{ expr: sumRate('sallyport_jwt_cache_evictions_total'), legend: 'evictions' }],
          },
        ],
        [
          {
            title: 'Tokens made',
            description: 'exchange: for one of another type. renewal: before one expired.',
            unit: units.OpsPerSecond,
            queries: [{ expr: sumRate('sallyport_tokens_minted_total', 'purpose'), legend: '{{purpose}}' }],
          },
        ],
      ],
    },
    {
      title: 'Pool',
      lines: [
        [
          {
            title: 'Verify duration',
            description: 'From a token that no cache knew to its facts, the wait included.',
            unit: units.Seconds,
            queries: [0.5, 0.99].map((q) => ({
              expr: quantile(q, 'sallyport_jwt_verify_duration_seconds'),
              legend: `p${String(q * 100)}`,
            })),
          },
          {
            title: 'Queue wait, p99',
            description: 'How long tokens wait to be verified. suspect: senders of many forged tokens.',
            unit: units.Seconds,
            queries: [
              { expr: quantile(0.99, 'sallyport_verify_queue_wait_seconds', 'lane'), legend: '{{lane}}' },
            ],
          },
          {
            title: 'Queue',
            description: 'Tokens that wait; `verifier.queue_max` bounds them, then the answer is 503.',
            unit: units.Short,
            queries: [{ expr: sum('sallyport_verify_queue_tokens', 'lane'), legend: '{{lane}}' }],
          },
        ],
        [
          {
            title: 'Tokens in a batch',
            description: 'Larger batches cost less for each token; they grow with load.',
            unit: units.Short,
            queries: [
              { expr: mean('sallyport_verify_batch_tokens'), legend: 'mean' },
              { expr: quantile(0.99, 'sallyport_verify_batch_tokens'), legend: 'p99' },
            ],
          },
          {
            title: 'Busy workers',
            description: 'Workers that are at work, on average.',
            unit: units.Short,
            queries: [
              { expr: sumRate('sallyport_verify_busy_seconds_total', 'instance'), legend: '{{instance}}' },
            ],
          },
          {
            title: 'Pool utilization',
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
            title: 'Worker restarts',
            description: 'Verify workers that died and were replaced, per second.',
            unit: units.OpsPerSecond,
            queries: [{ expr: sumRate('sallyport_verify_worker_restarts_total'), legend: 'restarts' }],
          },
        ],
      ],
    },
    {
      title: 'Key sets',
      lines: [
        [
          {
            title: 'Usable keys',
            description: '0: every token of this issuer is answered 503.',
            unit: units.Short,
            queries: [{ expr: `min by (issuer) (${select('sallyport_jwks_keys')})`, legend: '{{issuer}}' }],
          },
          {
            title: 'Age of keys',
            description: 'Time since they were last confirmed; a saw tooth of `refresh_seconds` is healthy.',
            unit: units.Seconds,
            queries: [
              { expr: `max by (issuer) (${select('sallyport_jwks_age_seconds')})`, legend: '{{issuer}}' },
            ],
          },
          {
            title: 'Age against its limit',
            description: 'Age of keys as a share of `max_stale_seconds`. Past 1 they are no longer used.',
            unit: units.PercentUnit,
            queries: [
              {
                expr: `max by (issuer) (${select('sallyport_jwks_age_seconds')} / ${select('sallyport_jwks_max_stale_seconds')})`,
                legend: '{{issuer}}',
              },
            ],
          },
        ],
        [
          {
            title: 'Fetches by outcome',
            description: 'Fetches of key sets per second.',
            unit: units.OpsPerSecond,
            queries: [
              {
                expr: sumRate('sallyport_jwks_fetches_total', 'issuer, outcome'),
                legend: '{{issuer}} {{outcome}}',
              },
            ],
          },
          {
            title: 'Fetch duration, mean',
            description: 'How long a fetch of a key set took, over the time that is shown.',
            unit: units.Seconds,
            queries: [
              {
                expr: `sum by (issuer) (increase(${select('sallyport_jwks_fetch_duration_seconds_sum')}[$__range])) / sum by (issuer) (increase(${select('sallyport_jwks_fetch_duration_seconds_count')}[$__range]))`,
                legend: '{{issuer}}',
              },
            ],
          },
          {
            title: 'Unknown key ids',
            description: 'Tokens whose kid is not in the set. suppressed: fetched for a short while ago.',
            unit: units.OpsPerSecond,
            queries: [
              {
                expr: sumRate('sallyport_jwks_unknown_kids_total', 'issuer, outcome'),
                legend: '{{issuer}} {{outcome}}',
              },
            ],
          },
        ],
      ],
    },
  ],
};
