/**
 * Turns a refusal into bytes: the only file that does. Also answers the routes that respond by themselves.
 *
 * Bodies: RFC 9457. Challenges: RFC 6750 section 3. Everything that does not depend on the request is rendered at start.
 */
import { STATUS_CODES } from 'node:http';
import { assert } from '../core/assert.ts';
import { type Refusal, type RefusalCode, refusalCodes, refusals } from '../core/errors.ts';
import type { HttpResponse } from '../native/uws.ts';
import type { FixedResponse } from '../route/policy.ts';
import type { Arrival } from './arrival.ts';

/** What an answer needs to know of its request. */
export type Asker = Pick<Arrival, 'requestId' | 'headOnly' | 'lastAnswer' | 'route'>;

interface Rendered {
  readonly statusLine: string;
  readonly body: string;
  readonly challenge: string;
  readonly retryAfter: string;
}

export function statusLine(status: number): string {
  return `${status} ${STATUS_CODES[status] ?? 'Unknown'}`;
}

function challengeOf(refusal: Refusal, realm: string): string {
  switch (refusal.challenge) {
    case 'none':
      return '';
    case 'bare':
      return `Bearer realm="${realm}"`;
    case 'invalid_request':
    case 'invalid_token':
    case 'insufficient_scope':
      return `Bearer realm="${realm}", error="${refusal.challenge}", error_description="${refusal.title}"`;
  }
}

function render(refusal: Refusal, realm: string): Rendered {
  const { status, title, code } = refusal;
  return {
    statusLine: statusLine(status),
    body: JSON.stringify({ type: `urn:sallyport:refusal:${code}`, title, status, code }) + '\n',
    challenge: challengeOf(refusal, realm),
    retryAfter: refusal.retryAfterSeconds > 0 ? String(refusal.retryAfterSeconds) : '',
  };
}

export class Responder {
  readonly #rendered: ReadonlyMap<RefusalCode, Rendered>;
  readonly requestIdHeader: string;

  constructor(realm: string, requestIdHeader: string) {
    this.#rendered = new Map(refusalCodes.map((code) => [code, render(refusals[code], realm)]));
    this.requestIdHeader = requestIdHeader;
  }

  /** Refuses within the request's own callback. */
  refuseNow(response: HttpResponse, refusal: Refusal, asker: Asker, allow = ''): void {
    if (refusal.close) this.#refuseAndClose(response, refusal, asker);
    else this.#write(response, refusal, asker, allow);
  }

  /** Refuses later than that. The caller of this knows that the response is still open. */
  refuseLater(response: HttpResponse, refusal: Refusal, asker: Asker): void {
    if (refusal.close) this.#refuseAndClose(response, refusal, asker);
    else response.cork(() => this.#write(response, refusal, asker, ''));
  }

  /**
   * A refusal that ends the connection cannot be sent from within a callback of the driver: it would throw away what is not
   * written yet, or serve what is pipelined behind. It is sent one turn later, and a request that is pipelined behind an
   * answer still pending makes the driver close the connection by itself.
   */
  #refuseAndClose(response: HttpResponse, refusal: Refusal, asker: Asker): void {
    let gone = false;
    response.onAborted(() => {
      gone = true;
    });
    setImmediate(() => {
      if (gone) return;
      response.cork(() => this.#write(response, refusal, asker, ''));
      response.close();
    });
  }

  /** Answers a route that responds by itself, in the request's own callback. */
  respond(response: HttpResponse, fixed: FixedResponse, asker: Asker): void {
    response.writeStatus(statusLine(fixed.status)).writeHeader(this.requestIdHeader, asker.requestId);
    for (let i = 0; i < fixed.headers.length; i += 2)
      response.writeHeader(fixed.headers[i]!, fixed.headers[i + 1]!);
    const bodyless = fixed.status === 204 || fixed.status === 304;
    if (bodyless) {
      // Given no length the driver writes none (RFC 9110 section 8.6); the same call with `undefined` writes nonsense.
      if (asker.lastAnswer) response.writeHeader('Connection', 'close');
      response.endWithoutBody();
    } else if (asker.headOnly) response.endWithoutBody(Buffer.byteLength(fixed.body), asker.lastAnswer);
    else response.end(fixed.body, asker.lastAnswer);
  }

  #write(response: HttpResponse, refusal: Refusal, asker: Asker, allow: string): void {
    const rendered = this.#rendered.get(refusal.code);
    assert(rendered !== undefined, 'every refusal is rendered');
    response.writeStatus(rendered.statusLine).writeHeader(this.requestIdHeader, asker.requestId);
    if (rendered.challenge !== '') {
      const required =
        refusal.code === 'scope_insufficient' ? (asker.route?.access?.challengeScope ?? '') : '';
      const scope = required === '' ? '' : `, scope="${required}"`;
      response.writeHeader('WWW-Authenticate', rendered.challenge + scope);
    }
    if (rendered.retryAfter !== '') response.writeHeader('Retry-After', rendered.retryAfter);
    if (allow !== '') response.writeHeader('Allow', allow);
    response.writeHeader('Cache-Control', 'no-store');
    if (refusal.close) {
      // No call of the driver both ends the answer and stops what is pipelined behind it. So the end of the head and the
      // body go out as the tail of the last field, the body's own last line break being the field's; `close` follows.
      response
        .writeHeader('Connection', 'close')
        .writeHeader('Content-Length', String(Buffer.byteLength(rendered.body) + 1));
      const tail = asker.headOnly ? '\r\n' : `\r\n\r\n${rendered.body.slice(0, -1)}`;
      response.writeHeader('Content-Type', `application/problem+json${tail}`);
      return;
    }
    response.writeHeader('Content-Type', 'application/problem+json');
    if (asker.headOnly) response.endWithoutBody(Buffer.byteLength(rendered.body), asker.lastAnswer);
    else response.end(rendered.body, asker.lastAnswer);
  }
}
