/** The keys of each issuer: how old, when they are renewed, which; those that we sign with, and certificates. */
import type { IssuerKeysStatus } from '../../keys/keyring.ts';
import { type Html, html } from '../../page/html.ts';
import { badge, facts, spanText, table } from './figures.ts';
import { live } from './layout.ts';
import type { KeyFigures } from './source.ts';

export function keysPage({ issuers, sources, signers, certificates, nowMs }: KeyFigures): Html {
  return live(
    'keys',
    html`${issuers.map((issuer) => issuerCard(issuer, sources.get(issuer.issuer), nowMs))}
    ${issuers.length === 0 && html`<section class="card"><p class="empty">No issuer is configured.</p></section>`}
    ${
      signers.length > 0 &&
      table({
        caption: 'Keys that sign tokens of our own',
        columns: [{ title: 'Signer' }, { title: 'Algorithm' }, { title: 'Key id' }, { title: 'State' }],
        rows: signers.map(({ name, algorithm, kid, error }) => [
          name,
          algorithm,
          html`<code>${kid ?? 'none'}</code>`,
          error === null
            ? badge('in use', 'good')
            : html`<span class="said">${error}; the key from before signs</span>`,
        ]),
        empty: '',
      })
    }
    ${
      certificates.length > 0 &&
      table({
        caption: 'Certificates of the listener',
        columns: [{ title: 'Certificate' }, { title: 'Expiry' }],
        rows: certificates.map(({ name, detail }) => [name.replace(/^certificate:/, ''), detail]),
        empty: '',
      })
    }`,
  );
}

function issuerCard(issuer: IssuerKeysStatus, source: string | undefined, nowMs: number): Html {
  const { available, keys, leftOut, lastGoodMs, lastError, failuresInRow, maxStaleSeconds } = issuer;
  return html`<section class="card">
    <h2>${issuer.issuer} ${available ? badge('usable', 'good') : badge('no usable keys', 'bad')}</h2>
    ${facts([
      ['Source', source],
      ['Age', lastGoodMs === null ? 'never loaded' : spanText((nowMs - lastGoodMs) / 1000)],
      ['Next refresh', nextText(issuer)],
      [
        'Served at most',
        Number.isFinite(maxStaleSeconds)
          ? `${spanText(maxStaleSeconds)} after refreshes begin to fail`
          : 'without an end',
      ],
      ['Failures in a row', failuresInRow > 0 && failuresInRow],
      ['Last error', lastError !== null && html`<span class="said">${lastError}</span>`],
      ['Left out', leftOut.map(({ position, reason }) => `key ${position + 1}: ${reason}`).join('; ')],
    ])}
    ${
      keys.length > 0 &&
      html`<div class="scroll" role="region" aria-label="Keys of ${issuer.issuer}" tabindex="0">
        <table>
          <caption class="visually-hidden">
            Keys of ${issuer.issuer}
          </caption>
          <thead>
            <tr>
              <th scope="col">Key id</th>
              <th scope="col">Algorithms</th>
            </tr>
          </thead>
          <tbody>
            ${keys.map(
              ({ kid, algorithms }) =>
                html`<tr>
                  <th scope="row"><code>${kid ?? 'none'}</code></th>
                  <td>${algorithms.join(', ')}</td>
                </tr>`,
            )}
          </tbody>
        </table>
      </div>`
    }
  </section>`;
}

function nextText({ nextAttemptInMs }: IssuerKeysStatus): string {
  return nextAttemptInMs === null ? 'when it changes' : `in ${spanText(nextAttemptInMs / 1000)}`;
}
