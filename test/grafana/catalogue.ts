/** What dashboards and rules may name: the gateway's catalogue, and what prom-client tells of the process. */
import {
  cellFamilies,
  censusFamilies,
  controlFamilies,
  flightFamilies,
  seriesFamilies,
  type Family,
} from '../../gateway/metrics/catalogue.ts';

export const catalogue: Readonly<Record<string, Family>> = {
  ...seriesFamilies,
  ...cellFamilies,
  ...controlFamilies,
  ...flightFamilies,
  ...censusFamilies,
};

/** The family that a sample's name belongs to; null where the gateway has none. */
export function familyOf(sample: string): string | null {
  if (catalogue[sample] !== undefined) return catalogue[sample].type === 'histogram' ? null : sample;
  const family = sample.replace(/_(?:bucket|sum|count)$/, '');
  return catalogue[family]?.type === 'histogram' ? family : null;
}
