/** The console: read-only pages on the admin listener, and one form that asks. Called by `entrance.ts`. */
import type { IncomingMessage } from 'node:http';
import { assetCacheControl, isKnownAsset } from '../../page/asset.ts';
import { html, type Html } from '../../page/html.ts';
import { pageFields } from '../../page/policy.ts';
import { thumbprintOfPem } from '../../tls/thumbprint.ts';
import { type Answer, text } from '../answer.ts';
import { configurationPage } from './configuration.ts';
import { consoleBase } from './address.ts';
import { isFromHere, readForm } from './form.ts';
import { keysPage } from './keys.ts';
import { assets, document, type PageName, pages } from './layout.ts';
import { loginsPage } from './logins.ts';
import { overviewPage } from './overview.ts';
import { routesPage } from './routes.ts';
import type { ConsoleSource, Question } from './source.ts';
import { upstreamsPage } from './upstreams.ts';

const searchLengthMax = 256;

export class Console {
  readonly #source: ConsoleSource;

  constructor(source: ConsoleSource) {
    this.#source = source;
  }

  /** `path` is one of the console's, and the caller was let in. */
  async answer(request: IncomingMessage, path: string, query: URLSearchParams): Promise<Answer> {
    const name = path.slice(consoleBase.length + 1);
    if (request.method === 'POST') {
      if (name === 'routes') return this.#explain(request);
      return { ...text(405, 'method not allowed\n'), headers: { allow: 'GET, HEAD' } };
    }
    if (request.method !== 'GET' && request.method !== 'HEAD') {
      const allow = name === 'routes' ? 'GET, HEAD, POST' : 'GET, HEAD';
      return { ...text(405, 'method not allowed\n'), headers: { allow } };
    }
    if (path === '/') return { ...text(303, ''), headers: { location: consoleBase } };
    return (
      assetAnswer(name, request.headers['if-none-match'] ?? '') ??
      (await this.#page(name, query)) ??
      this.#problem(404, 'There is no such page.')
    );
  }

  async #page(name: string, query: URLSearchParams): Promise<Answer | null> {
    const page = pages.find(([known]) => known === name);
    if (page === undefined) return null;
    const content = await this.#content(page[0], query);
    return this.#show(200, page[0], content);
  }

  async #content(name: PageName, query: URLSearchParams): Promise<Html> {
    const source = this.#source;
    switch (name) {
      case '':
        return overviewPage(source.overview(), source.nowMs());
      case 'routes':
        return this.#routes((query.get('q') ?? '').slice(0, searchLengthMax), null);
      case 'keys':
        return keysPage(source.keys());
      case 'logins':
        return loginsPage(await source.logins());
      case 'upstreams':
        return upstreamsPage(source.upstreams());
      case 'configuration':
        return configurationPage(source.configuration());
    }
  }

  async #routes(search: string, asked: Parameters<typeof routesPage>[0]['asked']): Promise<Html> {
    const source = this.#source;
    return routesPage({
      rows: await source.routes(),
      figures: source.routeFigures(),
      vocabulary: source.vocabulary(),
      search,
      asked,
    });
  }

  async #explain(request: IncomingMessage): Promise<Answer> {
    if (!isFromHere(request)) return this.#problem(403, 'Another site sent this form.');
    const form = await readForm(request);
    if (form === 'no form') return this.#problem(415, 'This takes a form only.');
    if (form === 'cut short') return closing(this.#problem(400, 'The form came in part only.'));
    if (form === 'too large') return closing(this.#problem(413, 'That is larger than any request.'));
    const question: Question = {
      method: (form.get('method') || 'GET').toUpperCase(),
      target: form.get('path') ?? '',
      token: form.get('token') ?? '',
      certificate: thumbprintOfPem(form.get('certificate') ?? ''),
    };
    const explained = await this.#source.explain(question);
    const { method, target } = question;
    return this.#show(200, 'routes', await this.#routes('', { method, target, explained }));
  }

  #problem(status: number, sentence: string): Answer {
    return this.#show(
      status,
      null,
      html`<section class="card"><p>${sentence}</p></section>`,
      'This did not work',
    );
  }

  #show(status: number, name: PageName | null, content: Html, title?: string): Answer {
    const label = title ?? pages.find(([known]) => known === name)?.[1] ?? 'Console';
    const refreshes = name !== null && name !== 'routes' && name !== 'configuration';
    const body = document({ name, title: label, nowMs: this.#source.nowMs(), refreshes, content });
    const { 'content-type': contentType = '', ...fields } = pageFields;
    // Not `no-referrer`: then browsers would send the form with the origin `null`, as that of anybody.
    const headers = {
      ...fields,
      'referrer-policy': 'same-origin',
      'cross-origin-resource-policy': 'same-origin',
    };
    return { status, contentType, body, headers };
  }
}

const closing = (answer: Answer): Answer => ({
  ...answer,
  headers: { ...answer.headers, connection: 'close' },
});

function assetAnswer(name: string, ifNoneMatch: string): Answer | null {
  const found = Object.values(assets).find((each) => each.name === name);
  if (found === undefined) return null;
  const isKnown = isKnownAsset(found, ifNoneMatch);
  const headers = {
    etag: found.etag,
    'cache-control': assetCacheControl,
    'cross-origin-resource-policy': 'same-origin',
  };
  return {
    status: isKnown ? 304 : 200,
    contentType: found.mediaType,
    body: isKnown ? '' : found.text,
    headers,
  };
}
