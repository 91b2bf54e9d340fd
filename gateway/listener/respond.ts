/**
 * Turns a refusal into bytes: the only file that does. Also answers the routes that respond by themselves.
 *
 * Bodies: RFC 9457. Challenges: RFC 6750 section 3. What does not depend on the request is rendered
 * once for each error profile.
 */
import { STATUS_CODES } from 'node:http';
import { assert } from '../core/assert.ts';
import { type Refusal, refusalCodes, refusals } from '../core/errors.ts';
import type { HttpResponse } from '../native/uws.ts';
import { detailIn, detailOnRoute, statusIn } from '../route/error-profile.ts';
import type { Matcher } from '../route/match.ts';
import type { FixedResponse, Policy, Route } from '../route/policy.ts';
import type { ErrorProfile } from '../route/source.ts';
import type { Arrival } from './arrival.ts';
import { latin1 } from './latin1.ts';
import type { Reissuer, TokenField } from './reissuer.ts';

/** What an answer needs to know of its request. */
export type Asker = Pick<
  Arrival,
  | 'requestId'
  | 'correlationId'
  | 'headOnly'
  | 'lastAnswer'
  | 'driverCloses'
  | 'path'
  | 'route'
  | 'facts'
  | 'fields'
  | 'counted'
> & {
  readonly serving: {
    readonly policy: Pick<Policy, 'errors' | 'vocabulary'>;
    readonly matcher: Pick<Matcher, 'errors'>;
    readonly reissuer: Pick<Reissuer, 'onOwnAnswer'> | null;
  };
};

interface Rendered {
  readonly status: number;
  readonly contentType: string;
  readonly body: string;
  readonly challenge: string;
  readonly retryAfter: string;
}

/** The profile of the route; where there is none, that of the closed prefix, or of the listener. */
export function profileFor(refusal: Refusal, { route, path, serving }: Asker): ErrorProfile {
  // Of other refusals the path may be what is wrong.
  const isUnmatched = refusal === refusals.route_not_found || refusal === refusals.method_not_allowed;
  return route?.errors ?? (isUnmatched ? serving.matcher.errors(path) : null) ?? serving.policy.errors;
}

const statusLines = new Map(
  Object.entries(STATUS_CODES).map(([code, name]) => [Number(code), `${code} ${name}`]),
);

/** How a proxy is told of a refusal of the request that it asked about. */
export interface Told {
  readonly refusal: Refusal;
  /** One that it can take. */
  readonly status: number;
  readonly profile: ErrorProfile;
}

export function statusLine(status: number): string {
  return statusLines.get(status) ?? `${status} Unknown`;
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

/** One line each, so that it can be the tail of a field. */
function bodyOf(profile: ErrorProfile, refusal: Refusal): string {
  const { title, code } = refusal;
  const status = statusIn(profile, refusal);
  if (profile.body === 'detail') return detailBody(detailIn(profile, refusal));
  return JSON.stringify({ type: `urn:sallyport:refusal:${code}`, title, status, code }) + '\n';
}

const detailBody = (detail: string | readonly object[]): string => JSON.stringify({ detail });

function render(profile: ErrorProfile, refusal: Refusal, realm: string): Rendered {
  const status = statusIn(profile, refusal);
  return {
    status,
    contentType: profile.body === 'detail' ? 'application/json' : 'application/problem+json',
    body: bodyOf(profile, refusal),
    challenge: profile.challenge ? challengeOf(refusal, realm) : '',
    retryAfter: refusal.retryAfterSeconds > 0 ? String(refusal.retryAfterSeconds) : '',
  };
}

/** The same, with what is to be said of this token on this route. */
function worded(rendered: Rendered, profile: ErrorProfile, refusal: Refusal, asker: Asker): Rendered {
  if (profile.body === 'problem') return rendered;
  const detail = detailOnRoute(refusal, asker.route, asker.facts, asker.serving.policy.vocabulary);
  return detail === null ? rendered : { ...rendered, body: detailBody(detail) };
}

/** Fields that every answer has, by the names they have here. */
export interface AnswerFieldNames {
  readonly requestId: string;
  /** Null: nothing is sent back. */
  readonly correlationId: string | null;
}

/**
 * Answers given from within requests' callbacks before the event loop must have turned. The driver reads on from a connection
 * as long as there is something to read: a caller who pipelines without end would have the thread to himself. Answered a turn
 * later, he is cut off, because he asks on behind a pending answer; anybody else just waits for a turn.
 */
const answersPerTurnMax = 512;

export class Responder {
  #answersInTurn = 0;
  readonly #turned = (): void => {
    this.#answersInTurn = 0;
  };
  readonly #realm: string;
  readonly names: AnswerFieldNames;
  /** By profile, by position in the catalogue. */
  readonly #rendered = new WeakMap<ErrorProfile, readonly Rendered[]>();
  /** Refusals under another status than their own, as they come up: by profile, by code and status. */
  readonly #restated = new WeakMap<ErrorProfile, Map<string, Rendered>>();

  constructor(realm: string, names: AnswerFieldNames) {
    this.#realm = realm;
    this.names = names;
  }

  /** The status that a refusal has for this asker. */
  statusOf(refusal: Refusal, asker: Asker): number {
    return statusIn(profileFor(refusal, asker), refusal);
  }

  /** Refuses within the request's own callback. Returns the status. */
  refuseNow(response: HttpResponse, refusal: Refusal, asker: Asker, allow = ''): number {
    if (refusal.close) this.#refuseAndClose(response, refusal, asker);
    else if (this.#mayAnswer()) this.#write(response, refusal, asker, allow);
    else nextTurn(response, () => this.#write(response, refusal, asker, allow));
    return this.statusOf(refusal, asker);
  }

  /** Refuses later than that. The caller of this knows that the response is still open. */
  refuseLater(response: HttpResponse, refusal: Refusal, asker: Asker, allow = ''): void {
    if (refusal.close) this.#refuseAndClose(response, refusal, asker);
    else response.cork(() => this.#write(response, refusal, asker, allow));
  }

  /**
   * A refusal that ends the connection cannot be sent from within a callback of the driver: it would throw away what is not
   * written yet, or serve what is pipelined behind. It is sent one turn later, and a request that is pipelined behind an
   * answer still pending makes the driver close the connection by itself.
   */
  #refuseAndClose(response: HttpResponse, refusal: Refusal, asker: Asker): void {
    nextTurn(
      response,
      () => this.#write(response, refusal, asker, ''),
      () => response.close(),
    );
  }

  /**
   * A refusal as the answer to a proxy that asked about another request: with the status that it can take, and leaving
   * this connection alone.
   */
  told(told: Told, asker: Asker, allow = ''): FixedResponse {
    const { refusal, status, profile } = told;
    const rendered = worded(this.#restatedOf(told), profile, refusal, asker);
    const headers: string[] = [];
    if (rendered.challenge !== '')
      headers.push('WWW-Authenticate', rendered.challenge + scopeOf(refusal, asker.route));
    if (rendered.retryAfter !== '') headers.push('Retry-After', rendered.retryAfter);
    if (allow !== '') headers.push('Allow', allow);
    headers.push('Cache-Control', 'no-store', 'Content-Type', rendered.contentType);
    return { status, headers, body: rendered.body };
  }

  /** Answers a route that responds by itself, in the request's own callback. */
  respondNow(response: HttpResponse, fixed: FixedResponse, asker: Asker): void {
    if (this.#mayAnswer()) this.respond(response, fixed, asker);
    else nextTurn(response, () => this.respond(response, fixed, asker));
  }

  /** Answers a route that responds by itself. Later than in the request's callback, it wants to be corked. */
  respond(response: HttpResponse, fixed: FixedResponse, asker: Asker): void {
    this.#begin(response, fixed.status, asker, asker.serving.reissuer?.onOwnAnswer(asker, null) ?? null);
    for (let i = 0; i < fixed.headers.length; i += 2)
      response.writeHeader(fixed.headers[i]!, fixed.headers[i + 1]!);
    const bodyless = fixed.status === 204 || fixed.status === 304;
    if (bodyless) {
      // Given no length the driver writes none (RFC 9110 section 8.6); the same call with `undefined` writes nonsense.
      if (asker.lastAnswer) response.writeHeader('Connection', 'close');
      response.endWithoutBody();
    } else end(response, fixed.body, asker);
  }

  /**
   * Begins an answer of our own: its status, the fields that every answer has, what is counted, and a new token if there is one.
   */
  #begin(response: HttpResponse, status: number, asker: Asker, token: TokenField | null): void {
    // In one call of the driver, as in `answer-head.ts`. The id was made here, or looked through.
    response.writeStatus(`${statusLine(status)}\r\n${this.names.requestId}: ${asker.requestId}`);
    writeCounted(response, asker);
    if (token !== null) response.writeHeader(token[0], token[1]);
    const { correlationId } = this.names;
    if (correlationId === null || asker.correlationId === '') return;
    response.writeHeader(correlationId, latin1(asker.correlationId));
  }

  #renderedOf(refusal: Refusal, asker: Asker): Rendered {
    const profile = profileFor(refusal, asker);
    let all = this.#rendered.get(profile);
    if (all === undefined) {
      all = refusalCodes.map((code) => render(profile, refusals[code], this.#realm));
      this.#rendered.set(profile, all);
    }
    const rendered = all[refusal.index];
    assert(rendered !== undefined, 'every refusal is rendered');
    return worded(rendered, profile, refusal, asker);
  }

  #restatedOf({ refusal, status, profile }: Told): Rendered {
    let all = this.#restated.get(profile);
    if (all === undefined) {
      all = new Map<string, Rendered>();
      this.#restated.set(profile, all);
    }
    const key = `${refusal.code} ${status}`;
    const rendered = all.get(key) ?? render(profile, { ...refusal, status }, this.#realm);
    all.set(key, rendered);
    return rendered;
  }

  #mayAnswer(): boolean {
    if (this.#answersInTurn === 0) setImmediate(this.#turned);
    this.#answersInTurn += 1;
    return this.#answersInTurn <= answersPerTurnMax;
  }

  #write(response: HttpResponse, refusal: Refusal, asker: Asker, allow: string): void {
    const rendered = this.#renderedOf(refusal, asker);
    this.#begin(
      response,
      rendered.status,
      asker,
      asker.serving.reissuer?.onOwnAnswer(asker, refusal) ?? null,
    );
    if (rendered.challenge !== '') {
      response.writeHeader('WWW-Authenticate', rendered.challenge + scopeOf(refusal, asker.route));
    }
    if (rendered.retryAfter !== '') response.writeHeader('Retry-After', rendered.retryAfter);
    if (allow !== '') response.writeHeader('Allow', allow);
    // RFC 6455 section 4.4, RFC 9110 section 15.5.22.
    if (refusal.status === 426)
      response.writeHeader('Upgrade', 'websocket').writeHeader('Sec-WebSocket-Version', '13');
    response.writeHeader('Cache-Control', 'no-store');
    if (refusal.close) {
      // No call of the driver both ends the answer and stops what is pipelined behind it. So the end of the head and the
      // body go out as the tail of the last field, whose line break ends the body; `close` follows.
      const body = rendered.body.trimEnd();
      response
        .writeHeader('Connection', 'close')
        .writeHeader('Content-Length', String(Buffer.byteLength(body) + 2));
      const tail = asker.headOnly ? '\r\n' : `\r\n\r\n${body}`;
      response.writeHeader('Content-Type', `${rendered.contentType}${tail}`);
      return;
    }
    response.writeHeader('Content-Type', rendered.contentType);
    end(response, rendered.body, asker);
  }
}

/** The scopes that a token lacked, for the challenge (RFC 6750 section 3). */
function scopeOf(refusal: Refusal, route: Route | null): string {
  const required = refusal.code === 'scope_insufficient' ? (route?.access?.challengeScope ?? '') : '';
  return required === '' ? '' : `, scope="${required}"`;
}

/** The fields about the rate of a request, where it was counted. */
function writeCounted(response: HttpResponse, { counted }: Pick<Asker, 'counted'>): void {
  if (counted === null) return;
  for (let i = 0; i < counted.fields.length; i += 2)
    response.writeHeader(counted.fields[i]!, counted.fields[i + 1]!);
}

/** Sends one turn later, unless the caller has left by then. */
function nextTurn(response: HttpResponse, send: () => void, then: () => void = () => {}): void {
  let gone = false;
  response.onAborted(() => {
    gone = true;
  });
  setImmediate(() => {
    if (gone) return;
    response.cork(send);
    then();
  });
}

/**
 * Ends an answer with its body. One that the socket does not take stays pending, and the driver cuts off a caller who asks on
 * behind a pending answer: so nobody fills the memory with answers that they do not read.
 */
function end(response: HttpResponse, body: string, asker: Asker): void {
  const length = Buffer.byteLength(body);
  // Told to close, the driver says so, unless it would have closed anyway.
  if (asker.driverCloses) response.writeHeader('Connection', 'close');
  if (asker.headOnly) response.endWithoutBody(length, asker.lastAnswer);
  else if (asker.lastAnswer) response.end(body, true);
  else if (!response.tryEnd(body, length)[1]) endLater(response, Buffer.from(body));
}

function endLater(response: HttpResponse, body: Buffer<ArrayBuffer>): void {
  response.onAborted(() => {}); // The driver wants to be listened to.
  response.onWritable((offset) => response.tryEnd(body.subarray(offset), body.length)[1]);
}
