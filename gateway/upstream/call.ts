/**
 * One request to an upstream, from asking for a connection to the last byte of the answer; also what undici reports to.
 *
 * Stages: waiting (for the body to be collected, then for a connection) → assigned (the socket may still be opening) →
 * begun (the request is being written) → answered (the head was sent to the caller) → over. `#over` guards every touch of
 * the exchange; the connection is given back when undici is through with it, which may be later.
 */
import type { Dispatcher } from 'undici';
import type { Exchange } from '../core/exchange.ts';
import { type Refusal, refusals } from '../core/errors.ts';
import { isIdempotent } from '../core/methods.ts';
import { hasBody, readAnswer, type AnswerFields } from './answer.ts';
import { BodyStream } from './body.ts';
import type { Connection } from './connection.ts';
import type { Endpoint } from './endpoint.ts';
import { connectKindOf, kindOf } from './failure.ts';
import { failureCodes, type CallFailure } from './observer.ts';
import type { Caller, Upstream } from './upstream.ts';

/** Answers with a refusal. Called at most once for an exchange, and only while no head was sent. */
export type Refuse = (exchange: Exchange, refusal: Refusal) => void;

type Controller = Dispatcher.DispatchController;

/** Interim answers that a final one may come behind. They are not passed on; an upstream that sends more is not well. */
const interimAnswersMax = 16;

export class Call implements Caller {
  deadlineMs: number;
  place = -1;

  readonly #exchange: Exchange;
  readonly #upstream: Upstream;
  readonly #headers: string[];
  readonly #ownedField: string;
  readonly #refuse: Refuse;
  #body: Buffer | BodyStream | null = null;
  #connection: Connection | null = null;
  #endpoint: Endpoint | null = null;
  #controller: Controller | null = null;
  #retriesLeft: number;
  #sentAtMs = 0;
  #interim = 0;
  /** The socket of this attempt had carried requests before. */
  #reused = false;
  #answered = false;
  #listensDrain = false;
  #paused = false;
  #over = false;

  constructor(exchange: Exchange, upstream: Upstream, headers: string[], ownedField: string, refuse: Refuse) {
    this.#exchange = exchange;
    this.#upstream = upstream;
    this.#headers = headers;
    this.#ownedField = ownedField;
    this.#refuse = refuse;
    this.#retriesLeft = upstream.config.retries;
    // How long a body may take to come in is the listener's to say.
    this.deadlineMs = Number.POSITIVE_INFINITY;
    upstream.enter(this);
    exchange.onGone(() => this.#drop('abandoned'));
  }

  // ------------------------------------------------------------ towards the upstream

  /** The body is at hand, or will be as it is read. */
  send(body: Buffer | BodyStream | null): void {
    if (this.#over) return;
    this.#body = body;
    this.deadlineMs = this.#nowMs() + this.#upstream.config.headTimeoutMs;
    if (!this.#upstream.request(this)) this.#fail('full');
  }

  use(connection: Connection, endpoint: Endpoint): void {
    this.#connection = connection;
    this.#endpoint = endpoint;
    this.#controller = null;
    this.#reused = false;
    this.#sentAtMs = this.#nowMs();
    const { method, target } = this.#exchange;
    connection.send({ method, path: target, headers: this.#headers, body: this.#body }, this);
  }

  /** A piece of a streamed body came from the caller. */
  bodyMoved(): void {
    if (!this.#answered) this.deadlineMs = this.#nowMs() + this.#upstream.config.headTimeoutMs;
  }

  expire(nowMs: number): void {
    // Where the upstream waits for a caller who is slow, the listener has a limit for that.
    if (this.#controller !== null && this.#body instanceof BodyStream && this.#body.hungry) {
      this.deadlineMs = nowMs + this.#upstream.config.headTimeoutMs;
      return;
    }
    this.#drop('timeout');
  }

  cancel(): void {
    this.#drop('reset');
  }

  // ------------------------------------------------------------ what undici reports

  onRequestStart(controller: Controller): void {
    const again = this.#controller !== null;
    this.#controller = controller;
    // undici would send a request again by itself in states that should not occur; it is not for it to say.
    if (this.#over || again) {
      controller.abort(new Error(this.#over ? 'the call is over' : 'a request is not sent twice'));
      return;
    }
    const connection = this.#connection!;
    this.#reused = connection.requests > 0;
    connection.begin();
    this.deadlineMs = this.#nowMs() + this.#upstream.config.headTimeoutMs;
  }

  onResponseStart(_: Controller, status: number, fields: AnswerFields): void {
    if (this.#over) return;
    if (status >= 100 && status < 200 && status !== 101) {
      // The deadline stays as it is: an interim answer is no progress.
      this.#interim += 1;
      if (this.#interim > interimAnswersMax) this.#drop('invalid');
      return;
    }
    const head = readAnswer(status, fields, this.#ownedField);
    if (head === null) {
      this.#drop('invalid');
      return;
    }
    const nowMs = this.#nowMs();
    this.#endpoint!.health.succeeded();
    this.#upstream.observer.answered(status, nowMs - this.#sentAtMs);
    this.#answered = true;
    this.deadlineMs = nowMs + this.#idleMs();
    this.#exchange.head(status, head.headers, head.length);
    // undici takes a length that 304 may announce for a broken promise; the answer is complete without its word.
    if (!hasBody(this.#exchange.method, status)) this.#complete();
  }

  onResponseData(_: Controller, chunk: Buffer): void {
    if (this.#over) return;
    if (this.#exchange.write(chunk)) {
      this.deadlineMs = this.#nowMs() + this.#idleMs();
      return;
    }
    // The caller is slow, not the upstream.
    this.#paused = true;
    this.deadlineMs = Number.POSITIVE_INFINITY;
    this.#connection!.pause();
    if (this.#listensDrain) return;
    this.#listensDrain = true;
    this.#exchange.onDrain(() => this.#resume());
  }

  /** Trailers are dropped, knowingly: most callers cannot take them, and none may be merged into the head. */
  onResponseEnd(): void {
    this.#giveBack();
    if (!this.#over) this.#complete();
  }

  onResponseError(_: Controller | undefined, error: Error): void {
    const endpoint = this.#endpoint!;
    const unsent = this.#controller === null;
    const heard = this.#connection!.heard;
    this.#giveBack();
    if (this.#over) {
      if (unsent) endpoint.health.failed(this.#nowMs());
      return;
    }
    const failure = unsent ? connectKindOf(error) : kindOf(error);
    if (failure === 'body' || failure === 'defect') {
      this.#end(failure === 'body' ? refusals.body_incomplete : refusals.gateway_fault);
      return;
    }
    if (this.#mayRetry(failure, endpoint, heard)) return;
    this.#fail(failure, endpoint);
  }

  // ------------------------------------------------------------ endings

  /**
   * Sends the request again where that is legal (RFC 9110 section 9.2.2, RFC 9112 section 9.3.1): whatever it is when no
   * connection was had; an idempotent one whose body is at hand when a kept connection died under it without a byte of an
   * answer. True when it was.
   */
  #mayRetry(failure: CallFailure, endpoint: Endpoint, heard: boolean): boolean {
    if (this.#retriesLeft === 0) return false;
    const unsent = this.#controller === null && this.#upstream.hasOther(endpoint);
    const died =
      failure === 'reset' &&
      this.#reused &&
      !heard &&
      !(this.#body instanceof BodyStream) &&
      isIdempotent(this.#exchange.method);
    if (!unsent && !died) return false;
    this.#retriesLeft -= 1;
    if (unsent) endpoint.health.failed(this.#nowMs());
    this.#upstream.observer.retried();
    if (!this.#upstream.request(this, died, unsent ? endpoint : null)) this.#fail('full');
    return true;
  }

  #fail(failure: CallFailure, endpoint: Endpoint | null = null): void {
    // A body that breaks off, or a stream that falls silent, says nothing about the next request.
    if (!this.#answered) endpoint?.health.failed(this.#nowMs());
    this.#upstream.observer.failed(failure);
    this.#end(refusals[failureCodes[failure]]);
  }

  /** Refuses, or cuts the answer short for the caller too when it has begun (RFC 9112 section 8). */
  #end(refusal: Refusal): void {
    this.#leave();
    if (this.#answered) this.#exchange.destroy();
    else this.#refuse(this.#exchange, refusal);
  }

  #complete(): void {
    this.#leave();
    this.#exchange.end();
  }

  /**
   * For reasons that undici does not know: the caller left, a deadline passed, the answer will not do. The connection is
   * cut rather than the request aborted: after an abort, undici opens another connection for a request it will not send.
   */
  #drop(reason: 'abandoned' | Extract<CallFailure, 'timeout' | 'reset' | 'invalid'>): void {
    if (this.#over) return;
    const connection = this.#connection;
    // Before it is written there is nothing to cut: a connection that is being opened comes back and finds the call over.
    if (this.#controller !== null) connection?.cut();
    if (reason !== 'abandoned') {
      this.#fail(reason, connection === null ? null : this.#endpoint);
      return;
    }
    this.#leave();
    this.#upstream.observer.abandoned();
  }

  #leave(): void {
    this.#over = true;
    this.deadlineMs = Number.POSITIVE_INFINITY;
    // An answer may be complete, or refused, while the body still comes: what is left of it is let run dry.
    if (this.#body instanceof BodyStream) this.#body.destroy();
    this.#upstream.leave(this);
  }

  #giveBack(): void {
    const connection = this.#connection!;
    this.#connection = null;
    if (this.#paused) connection.resume();
    this.#paused = false;
    this.#upstream.give(connection, this.#endpoint!);
  }

  #resume(): void {
    if (!this.#paused) return;
    this.#paused = false;
    if (!this.#over) this.deadlineMs = this.#nowMs() + this.#idleMs();
    this.#connection?.resume();
  }

  #idleMs(): number {
    return this.#upstream.config.idleTimeoutMs || Number.POSITIVE_INFINITY;
  }

  #nowMs(): number {
    return this.#upstream.clock.monotonicMs();
  }
}
