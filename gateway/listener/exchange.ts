/**
 * One request that could not be answered in its own callback, over uWebSockets.js.
 *
 * The driver's response dies with the answer or with the caller; `#over` guards every touch. The head is held back until
 * the first piece of the body, so that a small answer leaves in one write.
 */
import { assert } from '../core/assert.ts';
import { systemClock } from '../core/clock.ts';
import type { Refusal } from '../core/errors.ts';
import type { Exchange, RawHeaders } from '../core/exchange.ts';
import type { Facts } from '../core/facts.ts';
import type { UpstreamSocket } from '../core/websocket.ts';
import type { HttpResponse } from '../native/uws.ts';
import type { FixedResponse, Route } from '../route/policy.ts';
import { answerHead, isEventStream } from './answer-head.ts';
import type { Arrival } from './arrival.ts';
import { IncomingBody } from './body.ts';
import type { ReadCertificate } from './client-certificate.ts';
import { type ExpiryWatch, leaseEnd, type Lease } from './expiry-watch.ts';
import type { Handshake } from './handshake.ts';
import type { SilenceWatch, Watched } from './silence-watch.ts';
import { latin1 } from './latin1.ts';
import type { Responder } from './respond.ts';
import type { WebSockets } from './websockets.ts';

/** What an exchange has besides its arrival. */
export interface ExchangeParts {
  readonly responder: Responder;
  readonly peerAddress: string;
  readonly peerTrusted: boolean;
  readonly secure: boolean;
  /** Announced body: bytes, null when chunked, 0 when there is none. */
  readonly bodyLength: number | null;
  readonly bodyBytesMax: number;
  readonly bodyWatch: SilenceWatch;
  /** Watches callers who do not take what was sent. */
  readonly answerWatch: SilenceWatch;
  /** Watches tokens that answers must not outlive. */
  readonly expiryWatch: ExpiryWatch;
  readonly webSockets: WebSockets;
  readonly readCertificate: ReadCertificate;
  /** The answer is complete, or the caller left before (`status` 0). Called exactly once. */
  readonly finished: (
    arrival: Arrival,
    status: number,
    refusal: Refusal | null,
    exchange: UwsExchange,
  ) => void;
}

export class UwsExchange implements Exchange, Watched, Lease {
  readonly arrival: Arrival;
  readonly method: string;
  readonly target: string;
  readonly headers: RawHeaders;
  readonly body: IncomingBody | null;
  readonly peerAddress: string;
  readonly peerTrusted: boolean;
  readonly secure: boolean;
  readonly requestId: string;
  readonly upgrade: Handshake | null;
  /** Infinity for an answer that may outlive its token. */
  endSeconds = Number.POSITIVE_INFINITY;

  /** Bytes of body sent to the caller. */
  sentBytes = 0;
  /** When the request was handed to the upstream, monotonic milliseconds; 0 before. */
  forwardedMs = 0;
  traceFields: readonly string[] | null = null;
  /** From then to the head of the answer; null while there is none. */
  upstreamMs: number | null = null;
  heardMs = Number.POSITIVE_INFINITY;

  readonly #response: HttpResponse;
  readonly #parts: ExchangeParts;
  #over = false;
  #onGone: (() => void) | null = null;
  #onDrain: (() => void) | null = null;
  #listensWritable = false;
  #head: RawHeaders | null = null;
  #status = 0;
  #length: number | null = null;
  #bodyless = false;
  #isStream = false;
  /** A copy of the rest of a chunk that the socket did not take, and the write offset at which it began. */
  #unsent: Uint8Array | null = null;
  #unsentFrom = 0;
  #endAsked = false;

  /** Within the request's callback: handlers for data and for the caller's leaving must be set there. */
  constructor(response: HttpResponse, arrival: Arrival, parts: ExchangeParts) {
    this.#response = response;
    this.#parts = parts;
    this.arrival = arrival;
    this.method = arrival.methodName;
    this.target = arrival.target;
    this.headers = arrival.fields;
    this.requestId = arrival.requestId;
    this.upgrade = arrival.upgrade;
    this.peerAddress = parts.peerAddress;
    this.peerTrusted = parts.peerTrusted;
    this.secure = parts.secure;
    response.onAborted(() => this.#leave());
    this.body =
      parts.bodyLength === 0
        ? null
        : new IncomingBody(response, parts.bodyLength, parts.bodyBytesMax, parts.bodyWatch, (refusal) =>
            this.refuse(refusal),
          );
  }

  get route(): Route {
    return this.arrival.route!;
  }

  get path(): string {
    return this.arrival.path;
  }

  get facts(): Facts | null {
    return this.arrival.facts;
  }

  get certificate(): string | null {
    return this.arrival.certificate;
  }

  get gone(): boolean {
    return this.#over;
  }

  /** True once the head of an answer was handed over: from then on a failure can only cut the answer short. */
  get answering(): boolean {
    return this.#status !== 0;
  }

  /** Finds out which certificate the caller showed. */
  lookAtCertificate(): void {
    const { readCertificate } = this.#parts;
    if (!this.#over)
      this.arrival.certificate = readCertificate(this.#response, this.headers, this.peerTrusted);
  }

  onGone(listener: () => void): void {
    this.#onGone = listener;
  }

  onDrain(listener: () => void): void {
    this.#onDrain = listener;
  }

  /** Answers with a refusal, or cuts the connection when an answer has begun. */
  refuse(refusal: Refusal, allow = ''): void {
    if (this.#over) return;
    if (this.answering && this.#head === null) {
      this.destroy();
      return;
    }
    const { responder } = this.#parts;
    this.#close(responder.statusOf(refusal, this.arrival), refusal, () =>
      responder.refuseLater(this.#response, refusal, this.arrival, allow),
    );
    // Whoever was working on the request finds the caller gone.
    this.#onGone?.();
  }

  /** Answers a route that responds by itself, or a question about a request, with what was found against that. */
  respond(fixed: FixedResponse, refusal: Refusal | null = null): void {
    if (this.#over) return;
    this.#close(fixed.status, refusal, () =>
      this.#response.cork(() => this.#parts.responder.respond(this.#response, fixed, this.arrival)),
    );
  }

  head(status: number, headers: RawHeaders, length: number | null): void {
    if (this.#over) return;
    assert(this.#status === 0, 'an exchange is answered once');
    if (this.forwardedMs > 0) this.upstreamMs = systemClock.monotonicMs() - this.forwardedMs;
    this.#status = status;
    this.#length = length;
    this.#bodyless = this.method === 'HEAD' || status === 204 || status === 304;
    this.#head = headers;
    this.#isStream = length === null && !this.#bodyless && isEventStream(headers);
    if (this.#isStream) setImmediate(() => this.#openStream());
    const { route, facts } = this.arrival;
    if (facts !== null && (route?.endAtExpiry ?? this.#isStream)) this.#endAtExpiry(facts);
  }

  /** An event stream ends, as streams do; of any other answer the caller has to see that a part is missing. */
  expire(): void {
    if (this.#over) return;
    if (!this.#isStream) return this.destroy();
    this.end();
    // Whoever was working on the request finds the caller gone.
    this.#onGone?.();
  }

  accept(upstream: UpstreamSocket): void {
    if (this.#over) return upstream.cut();
    this.#close(101, null, () => {
      this.#parts.webSockets.begin(this.#response, this.arrival, this.peerAddress, upstream);
    });
  }

  write(chunk: Uint8Array, last = false): boolean {
    if (this.#over || this.#bodyless || chunk.length === 0) return true;
    this.sentBytes += chunk.length;
    // All of it is here: it is sent with its length, and in one write.
    const whole = this.#head !== null && (last || this.sentBytes === this.#length);
    if (whole) this.#length = this.sentBytes;
    // With the last piece the driver ends the response by itself: what must be done before is done now.
    if (this.sentBytes === this.#length) this.body?.release();
    let taken = true;
    let done = false;
    this.#response.cork(() => {
      if (this.#writeHead(whole)) {
        this.#response.end(chunk, true);
        done = true;
        return;
      }
      if (this.#length === null) {
        taken = this.#response.write(chunk);
        return;
      }
      const from = this.#response.getWriteOffset();
      [taken, done] = this.#response.tryEnd(chunk, this.#length);
      if (!taken) {
        this.#unsentFrom = this.#response.getWriteOffset();
        this.#unsent = Buffer.from(chunk.subarray(this.#unsentFrom - from));
      }
    });
    if (done) this.#close(this.#status, null, null);
    else if (!taken) this.#listenWritable();
    return taken;
  }

  end(): void {
    if (this.#over) return;
    if (this.#unsent !== null) {
      this.#endAsked = true;
      return;
    }
    const missing = !this.#bodyless && this.#length !== null && this.sentBytes < this.#length;
    if (missing) return this.destroy();
    this.#close(this.#status, null, () =>
      this.#response.cork(() => {
        const lengthless = this.#bodyless && (this.#length === null || this.#status === 204);
        const close = this.#writeHead(!lengthless);
        if (lengthless) this.#response.endWithoutBody();
        else if (this.#bodyless) this.#response.endWithoutBody(this.#length!, close);
        else this.#response.end('', close);
      }),
    );
  }

  destroy(): void {
    if (this.#over) return;
    this.#response.close(); // The driver then reports the caller as gone.
  }

  /**
   * The driver sends a chunked head only with the first piece of its body. A caller of an event stream waits for the head,
   * and the stream may be silent for long: it gets a comment, which every reader of such a stream skips (HTML, section 9.2).
   */
  #openStream(): void {
    if (this.#head !== null) this.write(Buffer.from(':\n\n'));
  }

  #endAtExpiry(facts: Facts): void {
    const { expiryWatch } = this.#parts;
    this.endSeconds = leaseEnd(facts, this.route, expiryWatch.clock.nowMs() / 1000);
    expiryWatch.add(this);
  }

  /**
   * One call of the driver for the whole head: each costs as much as all this text. No line of it is without its check.
   * True: the driver is to be told to close, and says so. It can be told with the only piece of an answer, and with no other.
   */
  #writeHead(whole: boolean): boolean {
    const headers = this.#head;
    if (headers === null) return false;
    this.#head = null;
    const { lastAnswer, driverCloses } = this.arrival;
    const close = whole && lastAnswer && !driverCloses;
    const { names } = this.#parts.responder;
    const text = answerHead(this.arrival, names, this.#status, headers, lastAnswer && !close);
    this.#response.writeStatus(latin1(text));
    return close;
  }

  /** The caller did not take anything for too long. */
  giveUp(): void {
    this.destroy();
  }

  #listenWritable(): void {
    const { answerWatch } = this.#parts;
    this.heardMs = answerWatch.clock.monotonicMs();
    answerWatch.add(this);
    if (this.#listensWritable) return;
    this.#listensWritable = true;
    this.#response.onWritable((offset) => {
      if (this.#over) return true;
      this.heardMs = answerWatch.clock.monotonicMs();
      if (this.#unsent !== null && !this.#resend(offset)) return false;
      answerWatch.delete(this);
      if (!this.#over) this.#onDrain?.();
      return true;
    });
  }

  /** Offers the rest of a chunk again. True when the socket took all of it. */
  #resend(offset: number): boolean {
    assert(this.#unsent !== null && this.#length !== null, 'only an answer of known length is offered again');
    const rest = this.#unsent.subarray(offset - this.#unsentFrom);
    const [taken, done] = this.#response.tryEnd(rest, this.#length);
    if (done) {
      this.#close(this.#status, null, null);
      return true;
    }
    if (!taken) return false;
    this.#unsent = null;
    if (this.#endAsked) this.end();
    return true;
  }

  #close(status: number, refusal: Refusal | null, send: (() => void) | null): void {
    this.#over = true;
    this.#unwatch();
    if (send === null) this.body?.gone();
    else this.body?.release();
    send?.();
    this.#parts.finished(this.arrival, status, refusal, this);
  }

  #unwatch(): void {
    this.#parts.answerWatch.delete(this);
    if (this.endSeconds !== Number.POSITIVE_INFINITY) this.#parts.expiryWatch.delete(this);
  }

  #leave(): void {
    if (this.#over) return;
    this.#over = true;
    this.#unwatch();
    this.body?.gone();
    this.#parts.finished(this.arrival, 0, null, this);
    this.#onGone?.();
  }
}
