/** The requests of the last quarter of an hour as a picture: all of them, and those that failed. */
import { type Html, html } from '../../page/html.ts';
import { rateText } from './figures.ts';
import type { Span } from '../../metrics/recent.ts';

const [width, height] = [600, 100] as const;

/** Null before there is anything to draw. */
export function requestsChart(intervals: readonly Span[]): Html | null {
  // The last one has only begun: its rate would jump about.
  const whole = intervals.slice(0, -1);
  if (whole.length < 2) return null;
  const rates = whole.map(({ requests, seconds }) => requests / seconds);
  const failed = whole.map(({ endings, seconds }) => endings['5xx'] / seconds);
  const most = Math.max(...rates);
  const label = `Requests per second over ${Math.round(whole.reduce((sum, { seconds }) => sum + seconds, 0) / 60)} minutes: at most ${rateText(most)}, lately ${rateText(rates.at(-1)!)}`;
  return html`<section class="card">
    <h2>Requests <span class="soft small">per second; failed ones in red</span></h2>
    <svg
      class="chart"
      viewBox="0 0 ${width} ${height}"
      preserveAspectRatio="none"
      role="img"
      aria-label="${label}"
    >
      <line x1="0" x2="${width}" y1="${height}" y2="${height}" />
      <path class="all" d="${area(rates, most)}" />
      ${failed.some((rate) => rate > 0) && html`<path class="failed" d="${area(failed, most)}" />`}
    </svg>
    <p class="soft small">at most ${rateText(most)}, lately ${rateText(rates.at(-1)!)}</p>
  </section>`;
}

function area(rates: readonly number[], most: number): string {
  const points = rates.map((rate, index) => {
    const x = (index / (rates.length - 1)) * width;
    const y = height - (most === 0 ? 0 : (rate / most) * (height - 4));
    return `${x.toFixed(1)} ${y.toFixed(1)}`;
  });
  return `M0 ${height}L${points.join('L')}L${width} ${height}Z`;
}
