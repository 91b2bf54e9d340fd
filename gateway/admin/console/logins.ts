/** Logins and refreshes as the flight table has them now, and what each provider has seen. */
import { FLIGHT_STATES } from '../../flight/census.ts';
import { type Html, html } from '../../page/html.ts';
import { badge, countText, figure, spanText, table } from './figures.ts';
import { live } from './layout.ts';
import type { FlightFigures, LoginFigures } from './source.ts';

export function loginsPage(logins: LoginFigures | null): Html {
  if (logins === null)
    return html`<section class="card"><p class="empty">No logins are configured.</p></section>`;
  const { census, flights, furtherFlights, providers, waiting, storeErrors } = logins;
  return live(
    'logins',
    html`<section aria-label="The flight table">
        <dl class="figures">
          ${FLIGHT_STATES.map((state) => figure(state, countText(census.flights[state])))}
          ${figure('Calls that wait', countText(waiting))}
          ${figure('Slots with a key', countText(census.keys), `of ${countText(census.slots)}`)}
          ${figure('Store failures', countText(storeErrors))}
        </dl>
      </section>
      ${flightsTable(flights, furtherFlights)}
      ${table({
        caption: 'Providers',
        columns: [
          { title: 'Provider' },
          { title: 'Flow' },
          { title: 'Started', isNumber: true },
          { title: 'Joined', isNumber: true },
          { title: 'Succeeded', isNumber: true },
          { title: 'Expired', isNumber: true },
          { title: 'Cancelled', isNumber: true },
          { title: 'Failed', isNumber: true },
          { title: 'Refreshes', isNumber: true },
          { title: 'of them failed', isNumber: true },
        ],
        rows: providers.map(({ name, flow, started, joined, ended, refreshes, refreshesFailed }) => [
          name,
          flow,
          countText(started),
          countText(joined),
          countText(ended.success),
          countText(ended.expired),
          countText(ended.cancelled),
          countText(ended.error),
          countText(refreshes),
          countText(refreshesFailed),
        ]),
        empty: 'No provider is configured.',
        note: 'Since the start.',
      })}`,
  );
}

const tones: Readonly<Record<FlightFigures['state'], 'good' | 'bad' | 'calm'>> = {
  reserved: 'calm',
  pending: 'calm',
  committing: 'calm',
  success: 'good',
  failed: 'bad',
  cancelled: 'calm',
  expired: 'bad',
};

function flightsTable(flights: readonly FlightFigures[], further: number): Html {
  return table({
    caption: 'Flights',
    columns: [
      { title: 'Key' },
      { title: 'Provider' },
      { title: 'State' },
      { title: 'Time left', isNumber: true },
    ],
    rows: flights.map(({ key, provider, state, expiresInMs }) => [
      html`<code>${key}</code>`,
      provider ?? html`<span class="soft">not told: begun, or a refresh</span>`,
      badge(state, tones[state]),
      expiresInMs > 0 ? spanText(expiresInMs / 1000) : '–',
    ]),
    empty: 'Nothing is under way, and nothing ended in the last minutes.',
    note: `A key stands for provider and account, by a secret of this process. What has ended stays for five minutes.${further > 0 ? ` ${countText(further)} more are not listed.` : ''}`,
  });
}
