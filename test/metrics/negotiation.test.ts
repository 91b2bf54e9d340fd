import { expect, it } from 'vitest';
import { formatFor } from '../../gateway/metrics/negotiation.ts';

it.each([
  ['', 'text'],
  ['*/*', 'text'],
  ['text/plain;version=0.0.4', 'text'],
  ['application/openmetrics-text', 'openmetrics'],
  ['application/openmetrics-text; version=1.0.0; charset=utf-8', 'openmetrics'],
  ['Application/OpenMetrics-Text;Version=1.0.0;Q=0.5', 'openmetrics'],
  // Prometheus 2.42 and 3.
  [
    'application/openmetrics-text;version=1.0.0,application/openmetrics-text;version=0.0.1;q=0.75,text/plain;version=0.0.4;q=0.5,*/*;q=0.1',
    'openmetrics',
  ],
  ['application/openmetrics-text;version=2.0.0, text/plain', 'text'],
  ['application/openmetrics-text;q=0', 'text'],
  ['application/openmetrics-text;q=0.3,text/plain;q=0.4', 'text'],
  ['application/openmetrics-text;q=nonsense', 'text'],
])('RFC 9110 12.5.1: Accept: %s is answered in %s', (accept, format) => {
  expect(formatFor(accept)).toBe(format);
});
