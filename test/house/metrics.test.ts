/** Who adds a metric says where it is seen: on a panel in `grafana/src`, or nowhere and why. */
import { expect, it } from 'vitest';
import { catalogue, familyOf } from '../grafana/catalogue.ts';
import { queries } from '../grafana/panels.ts';
import { parse } from '../grafana/promql.ts';

/** Metrics that no panel needs, each with the reason. */
const onNoPanel: Readonly<Record<string, string>> = {
  sallyport_introspections_total: 'only where an issuer is asked about opaque tokens',
  sallyport_tls_certificate_not_after_timestamp_seconds: 'a date: an alert watches it, and readiness says it',
  sallyport_tls_certificate_reloads_total: 'rare, and in the log with its reason',
};

it('every metric of the catalogue is on a panel, or listed with the reason why not', () => {
  const shown = new Set(
    queries.flatMap(({ expr }) => parse(expr).selectors.map(({ metric }) => familyOf(metric))),
  );
  const missing = Object.keys(catalogue).filter((name) => !shown.has(name));
  expect(missing.toSorted()).toEqual(Object.keys(onNoPanel).toSorted());
});
