/**
 * PromQL of panels, with metric names that the compiler checks against the gateway's catalogue. Every selector has the
 * dashboard's `job` and `instance`, and every rate the window that Grafana fits to the scrape interval.
 */
import type {
  CellFamilyName,
  censusFamilies,
  ControlFamilyName,
  flightFamilies,
  SeriesFamilyName,
} from '../../gateway/metrics/catalogue.ts';

type Family =
  | CellFamilyName
  | ControlFamilyName
  | SeriesFamilyName
  | keyof typeof flightFamilies
  | keyof typeof censusFamilies;

/** What prom-client says of the process itself, as far as panels show it. */
type ProcessMetric =
  'process_cpu_seconds_total' | 'process_max_fds' | 'process_open_fds' | 'process_resident_memory_bytes';

type Metric = Family | ProcessMetric;
type Histogram = Extract<Family, `${string}_seconds` | `${string}_tokens`>;
type Sample = Metric | `${Histogram}_${'bucket' | 'sum' | 'count'}`;

/** `matchers` as in `code=~"5.."`, without braces. */
export function select(name: Sample, matchers = ''): string {
  return `${name}{${['job=~"$job"', 'instance=~"$instance"', matchers].filter(Boolean).join(', ')}}`;
}

/** Per second. */
export function rate(name: Sample, matchers = ''): string {
  return `rate(${select(name, matchers)}[$__rate_interval])`;
}

export function sumRate(name: Sample, by = '', matchers = ''): string {
  return by === '' ? `sum(${rate(name, matchers)})` : `sum by (${by}) (${rate(name, matchers)})`;
}

export function sum(name: Sample, by = '', matchers = ''): string {
  return by === '' ? `sum(${select(name, matchers)})` : `sum by (${by}) (${select(name, matchers)})`;
}

/** Of a histogram, over all threads and instances that are selected. */
export function quantile(q: number, name: Histogram, by = '', matchers = ''): string {
  const labels = by === '' ? 'le' : `le, ${by}`;
  return `histogram_quantile(${String(q)}, ${sumRate(`${name}_bucket`, labels, matchers)})`;
}

export function mean(name: Histogram, by = ''): string {
  return `${sumRate(`${name}_sum`, by)} / ${sumRate(`${name}_count`, by)}`;
}
