/** The flight table's own counters, and how full it is: read where they lie, at each scrape. */
import type { Registry } from 'prom-client';
import { EMPTY_CENSUS, FLIGHT_STATES } from '../flight/census.ts';
import { COUNTERS } from '../flight/counters.ts';
import type { FlightTable } from '../flight/table.ts';
import { inSlices } from '../core/slices.ts';
import { censusFamilies, flightFamilies } from './catalogue.ts';
import { registerLive } from './live-metric.ts';

/** `table` is null where no logins are configured: then all of it stands at 0. */
export function exposeFlights(
  registry: Registry,
  table: Pick<FlightTable, 'counters' | 'census'> | null,
): void {
  for (const counter of COUNTERS) {
    const name = `sallyport_flight_${counter}_total` as const;
    registerLive(registry, name, flightFamilies[name], () =>
      plain(table === null ? 0 : Number(table.counters()[counter])),
    );
  }
  let census = EMPTY_CENSUS;
  const expose = (name: keyof typeof censusFamilies, values: () => readonly object[]): void =>
    registerLive(registry, name, censusFamilies[name], async () => {
      // Metrics are rendered in the order in which they were registered: one count serves the three.
      if (name === 'sallyport_flight_keys' && table !== null) census = await inSlices(table.census());
      return values();
    });
  expose('sallyport_flight_keys', () => plain(census.keys));
  expose('sallyport_flight_slots', () => plain(census.slots));
  expose('sallyport_flights', () =>
    FLIGHT_STATES.map((state) => ({ labels: { state }, value: census.flights[state] })),
  );
}

const plain = (value: number): readonly object[] => [{ labels: {}, value }];
