/** The routes in force with what became of their requests, and the form that explains one request. */
import type { Explained } from '../../explain/explain.ts';
import { cellsOf } from '../../explain/route-row.ts';
import type { RouteRow } from '../../explain/route-table.ts';
import type { RouteFigures } from '../../metrics/figures.ts';
import { type Html, html } from '../../page/html.ts';
import type { Vocabulary } from '../../route/policy.ts';
import { explainForm, explanationView } from './explanation.ts';
import { countText, table } from './figures.ts';
import { consoleBase } from './address.ts';
import { live } from './layout.ts';

/** Routes on one page; the search finds the others. */
const rowsMax = 200;

export interface RoutesView {
  readonly rows: readonly RouteRow[];
  readonly figures: ReadonlyMap<string, RouteFigures>;
  readonly vocabulary: Vocabulary;
  /** A part of id or path, in any case. */
  readonly search: string;
  /** The request that was explained; null before one was. */
  readonly asked: { readonly method: string; readonly target: string; readonly explained: Explained } | null;
}

export function routesPage({ rows, figures, vocabulary, search, asked }: RoutesView): Html {
  return html`${explainForm(asked?.method ?? 'GET', asked?.target ?? '')}
  ${asked !== null && explanationView(asked.explained, vocabulary)} ${searchForm(search)}
  ${live('routes', routesTable(rows, figures, search))}`;
}

function searchForm(search: string): Html {
  return html`<form class="search" method="get" action="${consoleBase}/routes" role="search">
    <label>Id or path has<input name="q" value="${search}" autocomplete="off" spellcheck="false" /></label>
    <button type="submit" class="quiet">Search</button>
  </form>`;
}

function routesTable(
  rows: readonly RouteRow[],
  figures: ReadonlyMap<string, RouteFigures>,
  search: string,
): Html {
  const wanted = search.toLowerCase();
  const found = rows.filter(({ id, path }) => `${id}\n${path}`.toLowerCase().includes(wanted));
  const shown = found.slice(0, rowsMax);
  const rest = found.length - shown.length;
  return table({
    caption:
      search === ''
        ? `Routes (${countText(rows.length)})`
        : `Routes with “${search}” (${countText(found.length)})`,
    columns: [
      { title: 'Route' },
      { title: 'Methods' },
      { title: 'Path' },
      { title: 'Tokens' },
      { title: 'Scopes' },
      { title: 'Answered by' },
      { title: 'Requests', isNumber: true },
      { title: 'Refused', isNumber: true },
      { title: 'Failed', isNumber: true },
    ],
    rows: shown.map((row) => {
      const [methods, path, tokens, scopes, bound, answer] = cellsOf(row);
      const { requests, denied, errors } = figures.get(row.id) ?? { requests: 0, denied: 0, errors: 0 };
      return [
        row.id,
        methods,
        html`<code>${path}</code>`,
        tokens,
        [scopes, bound].filter((text) => text !== '').join('; '),
        answer,
        countText(requests),
        countText(denied),
        countText(errors),
      ];
    }),
    empty: 'No route has that.',
    note: `Since the start. ${rest > 0 ? `${countText(rest)} more are found by the search.` : ''}`,
  });
}
