/** What all pages of ours are: a document with one style sheet and one script, and the mark that they carry. */
import type { Asset } from './asset.ts';
import { type Html, html, rendered } from './html.ts';

export interface DocumentParts {
  readonly title: string;
  /** Where the assets are served, without a slash at its end. */
  readonly base: string;
  readonly assets: { readonly style: Asset; readonly script: Asset };
  /** Without scripts the page is loaded again after so many seconds; null when there is nothing to wait for. */
  readonly refreshSeconds: number | null;
  readonly body: Html;
}

export function documentOf({
  title,
  base,
  assets: { style, script },
  refreshSeconds,
  body,
}: DocumentParts): string {
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
          ${body}
        </body>
      </html> `,
  );
}

export const mark = html`<svg viewBox="0 0 24 24" aria-hidden="true">
    <path d="M4 21V9l2 1V7l2 1V5l4 2 4-2v3l2-1v3l2-1v12h-5v-4a3 3 0 0 0-6 0v4z" /></svg
  >Sallyport`;
