/** The choice of a provider, with the login that is stored for each. */
import type { LoginListing } from '../listing.ts';
import type { Call } from '../http/call.ts';
import { type Html, html } from '../../page/html.ts';
import { document, heading } from './layout.ts';
import { startForm } from './forms.ts';

export function providerList(call: Call, listings: readonly LoginListing[]): string {
  const { base } = call.mount;
  return document({
    base,
    title: 'Log in',
    tone: 'calm',
    refreshSeconds: null,
    events: null,
    content: html`${heading('Log in', 'calm')}
      <p class="soft">Choose where to log in as <strong>${call.accountName}</strong>.</p>
      <ul class="providers">
        ${listings.map((listing) => item(call, listing))}
      </ul>
      ${listings.length === 0 && html`<p class="soft">No provider is configured.</p>`}`,
  });
}

function item(call: Call, listing: LoginListing): Html {
  const { provider, flow, credential } = listing;
  const { text, tone } = stateOf(listing);
  const { base } = call.mount;
  return html`<li class="provider">
    <span><span class="name">${provider}</span><span class="state ${tone}">${text}</span></span>
    ${
      flow?.state === 'pending'
        ? html`<a class="button" href="${base}/flows/${flow.id}?joined"
            >Continue<span class="visually-hidden"> with ${provider}</span></a
          >`
        : startForm(
            call,
            provider,
            credential === 'valid' ? 'Log in again' : 'Log in',
            credential === 'valid',
          )
    }
  </li>`;
}

function stateOf({ credential, flow }: LoginListing): { readonly text: string; readonly tone: string } {
  if (flow?.state === 'pending') return { text: 'A login is under way', tone: '' };
  switch (credential) {
    case 'none':
      return { text: 'Not logged in', tone: '' };
    case 'valid':
      return { text: 'Logged in', tone: 'ok' };
    case 'ended':
      return { text: 'The login has ended', tone: 'off' };
    case 'unknown':
      return { text: 'The stored login cannot be read now', tone: 'off' };
  }
}
