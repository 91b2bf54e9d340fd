import { describe, expect, it } from 'vitest';
import { requestsChart } from '../../../gateway/admin/console/chart.ts';
import type { Span } from '../../../gateway/metrics/recent.ts';
import { rendered } from '../../../gateway/page/html.ts';

const span = (requests: number, failed = 0): Span => ({
  seconds: 10,
  requests,
  endings: { '2xx': requests - failed, '3xx': 0, '4xx': 0, '5xx': failed, left: 0 },
  p50: null,
  p99: null,
});

const chart = (...spans: Span[]): string => rendered(requestsChart(spans));

describe('the chart of requests', () => {
  it('waits for two whole intervals', () => {
    expect(chart(span(1), span(1))).toBe('');
    expect(chart(span(1), span(1), span(1))).toContain('<svg');
  });

  it('draws rates from left to right, the largest to the top, and says them in words', () => {
    const text = chart(span(0), span(50), span(100), span(7));
    expect(text).toContain('d="M0 100L0.0 100.0L300.0 52.0L600.0 4.0L600 100Z"');
    expect(text).toMatch(/aria-label="Requests per second over \d+ minutes: at most 10\.0, lately 10\.0"/);
    expect(text).not.toContain('class="failed"');
  });

  it('draws failures on the same scale, and no traffic as a line', () => {
    expect(chart(span(100, 50), span(100, 0), span(1))).toContain(
      'class="failed" d="M0 100L0.0 52.0L600.0 100.0',
    );
    expect(chart(span(0), span(0), span(0))).toContain('d="M0 100L0.0 100.0L600.0 100.0L600 100Z"');
  });
});
