/** The process and its threads: event loops, memory, garbage, and what telemetry itself costs. */
import * as units from '@grafana/grafana-foundation-sdk/units';
import type { Dashboard } from './dashboard.ts';
import { rate, select, sumRate } from './metrics.ts';

const byThread = '{{instance}} {{thread}}';

export const runtime: Dashboard = {
  uid: 'sallyport-runtime',
  title: 'Runtime',
  description: 'Event loops, memory and garbage of each thread, and the process.',
  rows: [
    {
      title: 'Event loops',
      lines: [
        [
          {
            title: 'Lag, p99',
            description: 'How late timers fire in each thread: what every request waits in addition.',
            unit: units.Seconds,
            queries: [{ expr: select('sallyport_event_loop_lag_p99_seconds'), legend: byThread }],
          },
          {
            title: 'Lag, largest',
            description: 'The longest that each loop was held up in the last five seconds.',
            unit: units.Seconds,
            queries: [{ expr: select('sallyport_event_loop_lag_max_seconds'), legend: byThread }],
          },
          {
            title: 'Utilization',
            description: 'Share of the time that each loop is busy.',
            unit: units.PercentUnit,
            max: 1,
            queries: [{ expr: select('sallyport_event_loop_utilization_ratio'), legend: byThread }],
          },
        ],
      ],
    },
    {
      title: 'Memory',
      lines: [
        [
          {
            title: 'Heap in use',
            description: 'Of each thread.',
            unit: units.BytesIEC,
            queries: [{ expr: select('sallyport_heap_used_bytes'), legend: byThread }],
          },
          {
            title: 'Heap against its limit',
            description: 'At 1 the thread runs out of memory, which ends the process.',
            unit: units.PercentUnit,
            max: 1,
            queries: [
              {
                expr: `${select('sallyport_heap_used_bytes')} / ${select('sallyport_heap_limit_bytes')}`,
                legend: byThread,
              },
            ],
          },
          {
            title: 'Memory outside of heaps',
            description: 'Buffers and the like that objects of each thread hold.',
            unit: units.BytesIEC,
            queries: [{ expr: select('sallyport_external_memory_bytes'), legend: byThread }],
          },
          {
            title: 'Resident memory',
            description: 'Of the process.',
            unit: units.BytesIEC,
            queries: [{ expr: select('process_resident_memory_bytes'), legend: '{{instance}}' }],
          },
        ],
        [
          {
            title: 'Time in garbage collection',
            description: 'Share of the time that each thread stands still for it.',
            unit: units.PercentUnit,
            queries: [
              {
                expr: sumRate('sallyport_gc_pause_seconds_total', 'instance, thread'),
                legend: byThread,
              },
            ],
          },
          {
            title: 'Pauses for garbage collection',
            description: 'Per second, by kind.',
            unit: units.OpsPerSecond,
            queries: [
              {
                expr: sumRate('sallyport_gc_pauses_total', 'instance, thread, kind'),
                legend: `${byThread} {{kind}}`,
              },
            ],
          },
        ],
      ],
    },
    {
      title: 'Process',
      lines: [
        [
          {
            title: 'CPU',
            description: 'Cores in use, by all threads together.',
            unit: units.Short,
            queries: [{ expr: rate('process_cpu_seconds_total'), legend: '{{instance}}' }],
          },
          {
            title: 'File descriptors',
            description: 'Open, as a share of what the system allows.',
            unit: units.PercentUnit,
            max: 1,
            queries: [
              {
                expr: `${select('process_open_fds')} / ${select('process_max_fds')}`,
                legend: '{{instance}}',
              },
            ],
          },
          {
            title: 'Reloads',
            description: 'Reloads of the configuration, by outcome.',
            unit: units.OpsPerSecond,
            queries: [{ expr: sumRate('sallyport_config_reloads_total', 'outcome'), legend: '{{outcome}}' }],
          },
        ],
      ],
    },
    {
      title: 'Telemetry',
      lines: [
        [
          {
            title: 'Series against the budget',
            description: 'Series with a route label, as a share of `metrics.series_max`.',
            unit: units.PercentUnit,
            max: 1,
            queries: [
              {
                expr: `${select('sallyport_metrics_series')} / ${select('sallyport_metrics_series_limit')}`,
                legend: '{{instance}}',
              },
            ],
          },
          {
            title: 'Folded observations',
            description: 'Counted under route `other`, because the series budget is spent.',
            unit: units.OpsPerSecond,
            queries: [{ expr: sumRate('sallyport_metrics_folded_total', 'family'), legend: '{{family}}' }],
          },
          {
            title: 'Dropped log lines, spans',
            description:
              'Log lines that were dropped because the output did not keep up, and what became of spans.',
            unit: units.OpsPerSecond,
            queries: [
              { expr: sumRate('sallyport_log_lines_dropped_total'), legend: 'lines dropped' },
              { expr: sumRate('sallyport_trace_spans_total', 'outcome'), legend: 'spans {{outcome}}' },
            ],
          },
        ],
      ],
    },
  ],
};
