/** The frame of every page of the console: brand, navigation, content. */
import { makeAsset } from '../../page/asset.ts';
import { documentOf, mark } from '../../page/document.ts';
import { type Html, html } from '../../page/html.ts';
import { consoleBase } from './address.ts';
import { scriptText } from './script.ts';
import { styleText } from './style.ts';

export const assets = {
  style: makeAsset('console', 'css', styleText),
  script: makeAsset('console', 'js', scriptText),
} as const;

/** Without scripts: seldom enough to read. */
const refreshSeconds = 15;

export const pages = [
  ['', 'Overview'],
  ['routes', 'Routes'],
  ['keys', 'Keys'],
  ['logins', 'Logins'],
  ['upstreams', 'Upstreams'],
  ['configuration', 'Configuration'],
] as const;
export type PageName = (typeof pages)[number][0];

export interface ConsolePage {
  /** Null for what is none of the pages. */
  readonly name: PageName | null;
  readonly title: string;
  /** Milliseconds since the epoch: when it was made. */
  readonly nowMs: number;
  /** Without scripts it is loaded again; not where there is something to fill in. */
  readonly refreshes: boolean;
  readonly content: Html;
}

export function document({ name, title, nowMs, refreshes, content }: ConsolePage): string {
  const body = html`<a class="skip" href="#content">To the content</a>
    <header class="top">
      <div class="brand">
        <p>${mark}</p>
        <span class="said small" data-said role="status"></span>
        <button type="button" class="quiet small" data-pause aria-pressed="false" hidden>
          Pause updates
        </button>
      </div>
      <nav aria-label="Console">
        <ul>
          ${pages.map(([page, label]) => item(page, label, page === name))}
        </ul>
      </nav>
    </header>
    <main id="content" tabindex="-1">
      <div class="head">
        <h1>${title}</h1>
        ${live('made', html`<p class="soft small">as of ${timeText(nowMs)}</p>`)}
      </div>
      ${content}
    </main>`;
  return documentOf({
    title,
    base: consoleBase,
    assets,
    refreshSeconds: refreshes ? refreshSeconds : null,
    body,
  });
}

/** A part of a page that the script keeps up to date. */
export function live(id: string, content: Html): Html {
  return html`<div id="${id}" class="part" data-live>${content}</div>`;
}

function item(page: PageName, label: string, isCurrent: boolean): Html {
  const address = page === '' ? consoleBase : `${consoleBase}/${page}`;
  return html`<li><a href="${address}" ${isCurrent && html`aria-current="page"`}>${label}</a></li>`;
}

/** `2026-11-28 18:35:01 UTC`. */
export function timeText(ms: number): Html {
  const iso = new Date(ms).toISOString();
  return html`<time datetime="${iso}">${iso.slice(0, 19).replace('T', ' ')} UTC</time>`;
}
