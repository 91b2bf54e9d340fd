/** A metric whose values lie elsewhere and are read at each scrape. */
import type { Registry } from 'prom-client';
import type { Family } from './catalogue.ts';

/** Registers it. A sample is one line, as the registry renders it: its value and its labels. */
export function registerLive(
  registry: Registry,
  name: string,
  { help, type }: Family,
  values: () => readonly object[] | Promise<readonly object[]>,
): void {
  const metric = {
    name,
    get: async () => ({ name, help, type, aggregator: 'sum', values: await values() }),
    reset: () => {},
  };
  // The types ask for one of prom-client's own classes; the registry itself reads only what is here.
  registry.registerMetric(metric as unknown as Parameters<Registry['registerMetric']>[0]);
}
