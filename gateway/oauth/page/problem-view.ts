/** A refusal as a page. */
import type { Refusal } from '../../core/errors.ts';
import type { Call } from '../http/call.ts';
import { html } from '../../page/html.ts';
import { document, heading } from './layout.ts';

export function problemView(call: Call, refusal: Refusal): string {
  const { base } = call.mount;
  return document({
    base,
    title: 'This did not work',
    tone: 'bad',
    refreshSeconds: null,
    events: null,
    content: html`${heading('This did not work', 'bad')}
      <p class="soft">${refusal.title}</p>
      <p class="soft small">${refusal.code}</p>
      <div class="actions"><a class="button" href="${call.home}">All providers</a></div>`,
  });
}
