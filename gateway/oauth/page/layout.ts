/** The frame of every page: head, card, foot. */
import { assets } from './assets.ts';
import { type Html, html, rendered } from '../../page/html.ts';

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
  const { style, script } = assets;
  return rendered(
    html`<!doctype html>
      <html lang="en">
        <head>
          <meta charset="utf-8" />
          <meta name="viewport" content="width=device-width, initial-scale=1" />
          <meta name="color-scheme" content="light dark" />
          <meta name="robots" content="noindex" />
          <title>${title} · Sallyport</title>
          ${refreshSeconds !== null && html`<noscript><meta http-equiv="refresh" content="${refreshSeconds}" /></noscript>`}
          <link rel="icon" href="data:," />
          <link rel="stylesheet" href="${base}/${style.name}" integrity="${style.integrity}" />
          <script src="${base}/${script.name}" integrity="${script.integrity}" defer></script>
        </head>
        <body>
          <main class="card ${tone}" ${events !== null && html` data-events="${events}"`}>${content}</main>
          <p class="foot">
            <svg viewBox="0 0 24 24" aria-hidden="true">
              <path d="M4 21V9l2 1V7l2 1V5l4 2 4-2v3l2-1v3l2-1v12h-5v-4a3 3 0 0 0-6 0v4z" /></svg
            >Sallyport
          </p>
        </body>
      </html> `,
  );
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
