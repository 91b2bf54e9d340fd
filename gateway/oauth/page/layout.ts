/** The frame of every page: card and foot. */
import { assets } from './assets.ts';
import { documentOf, mark } from '../../page/document.ts';
import { type Html, html } from '../../page/html.ts';

export interface Page {
  readonly base: string;
  readonly title: string;
  /** One of the style's tones, for the mark above the heading and the edge of the card. */
  readonly tone: 'calm' | 'busy' | 'good' | 'bad';
  readonly content: Html;
  /** Without scripts the page is loaded again after so many seconds; null when there is nothing to wait for. */
  readonly refreshSeconds: number | null;
  /** Where the script hears of changes; null when there is nothing to hear. */
  readonly events: string | null;
}

export function document({ base, title, tone, content, refreshSeconds, events }: Page): string {
  const body = html`<main class="card ${tone}" ${events !== null && html` data-events="${events}"`}>
      ${content}
    </main>
    <p class="foot">${mark}</p>`;
  return documentOf({ title, base, assets, refreshSeconds, body });
}

/** The heading takes the focus when the script shows another state, so that it is read out. */
export function heading(text: string, tone: Page['tone']): Html {
  return html`<div class="mark" aria-hidden="true">${marks[tone]}</div>
    <h1 tabindex="-1">${text}</h1>`;
}

const icon = (path: string): Html => html`<svg viewBox="0 0 24 24"><path d="${path}" /></svg>`;

const marks: Readonly<Record<Page['tone'], Html>> = {
  calm: icon('M15 7a4 4 0 1 1-3.4 6.1L8 16.7V19H5.7v2H3v-3.4l7.2-7.2A4 4 0 0 1 15 7zm1 2.2v1.6'),
  busy: icon('M12 3a9 9 0 1 0 9 9'),
  good: icon('M5 12.5l4.5 4.5L19 7.5'),
  bad: icon('M12 5.5v8m0 4.5v.01'),
};
