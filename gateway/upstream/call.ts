/**
 * One request to an upstream, from asking for a connection to the last byte of the answer; also what connections report to.
 *
 * Stages: waiting (for the body to be collected, then for a connection) → assigned (the socket may still be opening) →
 * begun (the request is being written) → answered (the head was sent to the caller) → over. `#over` guards every touch of
 * the exchange; the connection is given back when it is through with the request, which may be later.
 */
import type { Exchange } from '../core/exchange.ts';
import { type Refusal, refusals } from '../core/errors.ts';
import { isIdempotent } from '../core/methods.ts';
import type { AnswerHead } from './answer.ts';
import { BodyStream } from './body.ts';
import type { AnswerReceiver, Connection, OutgoingRequest, RequestFailure } from './connection.ts';
import type { Endpoint } from './endpoint.ts';
import { failureCodes, type CallFailure } from './observer.ts';
import type { Caller, Upstream } from './upstream.ts';

/** Answers with a refusal. Called at most once for an exchange, and only while no head was sent. */
export type Refuse = (exchange: Exchange, refusal: Refusal) => void;

/** Interim answers that a final one may come behind. They are not passed on; an upstream that sends more is not well. */
const interimAnswersMax = 16;

export class Call implements Caller, AnswerReceiver, OutgoingRequest {
  deadlineMs: number;
  place = -1;

  readonly method: string;
  readonly target: string;
  readonly headers: readonly string[];
  readonly ownedField: string;
  body: Buffer | BodyStream | null = null;

  readonly #exchange: Exchange;
  readonly #upstream: Upstream;
  readonly #refuse: Refuse;
  #connection: Connection | null = null;
  #endpoint: Endpoint | null = null;
  #retriesLeft: number;
  #sentAtMs = 0;
  /** This attempt was given to a socket. */
  #begun = false;
  #interim = 0;
  /** The socket of this attempt had carried requests before. */
  #reused = false;
  #answered = false;
  #listensDrain = false;
  #paused = false;
  #over = false;

  constructor(
    exchange: Exchange,
    upstream: Upstream,
    headers: readonly string[],
    ownedField: string,
    refuse: Refuse,
  ) {
    this.#exchange = exchange;
    this.#upstream = upstream;
    this.method = exchange.method;
    this.target = exchange.target;
    this.headers = headers;
    this.ownedField = ownedField;
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
    this.body = body;
    this.deadlineMs = this.#nowMs() + this.#upstream.config.headTimeoutMs;
    if (!this.#upstream.request(this)) this.#fail('full');
  }

  use(connection: Connection, endpoint: Endpoint): void {
    this.#connection = connection;
    this.#endpoint = endpoint;
    this.#begun = false;
    this.#reused = false;
    this.#sentAtMs = this.#nowMs();
    connection.send(this, this);
  }

  /** A piece of a streamed body came from the caller. */
  bodyMoved(): void {
    if (!this.#answered) this.deadlineMs = this.#nowMs() + this.#upstream.config.headTimeoutMs;
  }

  expire(nowMs: number): void {
    // Where the upstream waits for a caller who is slow, the listener has a limit for that.
    if (this.#begun && this.body instanceof BodyStream && this.body.hungry) {
      this.deadlineMs = nowMs + this.#upstream.config.headTimeoutMs;
      return;
    }
    this.#drop('timeout');
  }

  cancel(): void {
    this.#drop('reset');
  }

  // ------------------------------------------------------------ what the connection reports

  begun(): boolean {
    this.#begun = true;
    if (this.#over) return false;
    this.#reused = this.#connection!.requests > 0;
    this.deadlineMs = this.#nowMs() + this.#upstream.config.headTimeoutMs;
    return true;
  }

  /** The deadline stays as it is: an interim answer is no progress. */
  interim(): boolean {
    this.#interim += 1;
    return this.#interim <= interimAnswersMax;
  }

  head(status: number, head: AnswerHead): void {
    if (this.#over) return;
    const nowMs = this.#nowMs();
    this.#endpoint!.health.succeeded();
    this.#upstream.observer.answered(status, nowMs - this.#sentAtMs);
    this.#answered = true;
    this.deadlineMs = nowMs + this.#idleMs();
    this.#exchange.head(status, head.headers, head.length);
    // undici takes a length that 304 may announce for a broken promise; the answer is complete without its word.
    if (head.framing === 'none') this.#complete();
  }

  data(piece: Buffer, last: boolean): void {
    if (this.#over) return;
    if (this.#exchange.write(piece, last)) {
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

  ended(): void {
    this.#giveBack();
    if (!this.#over) this.#complete();
  }

  failed(failure: RequestFailure): void {
    const endpoint = this.#endpoint!;
    const heard = this.#connection!.heard;
    this.#giveBack();
    if (this.#over) {
      if (!this.#begun) endpoint.health.failed(this.#nowMs());
      return;
    }
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
    const unsent = !this.#begun && this.#upstream.hasOther(endpoint);
    const died =
      failure === 'reset' &&
      this.#reused &&
      !heard &&
      !(this.body instanceof BodyStream) &&
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

  /** For reasons that the connection does not know: the caller left, a deadline passed, the upstream is being closed. */
  #drop(reason: 'abandoned' | Extract<CallFailure, 'timeout' | 'reset'>): void {
    if (this.#over) return;
    const connection = this.#connection;
    // Before it is written there is nothing to cut: a connection that is being opened comes back and finds the call over.
    if (this.#begun) connection?.cut();
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
    if (this.body instanceof BodyStream) this.body.destroy();
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
