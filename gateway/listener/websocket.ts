/**
 * One WebSocket that is passed through: the caller's end over the driver, the upstream's behind `UpstreamSocket`.
 *
 * Back-pressure: a caller that is slow pauses the upstream. The driver cannot pause a caller, so what waits for a slow
 * upstream is bounded, and beyond that the WebSocket is closed (1013). Pings are passed on both ways; a caller's is answered
 * by the driver at once, an upstream's by the caller itself.
 */
import type { Clock } from '../core/clock.ts';
import type { Refusal } from '../core/errors.ts';
import type { Facts } from '../core/facts.ts';
import { closeCodes, type UpstreamEvents, type UpstreamSocket } from '../core/websocket.ts';
import type { WebSocketEnd } from '../metrics/catalogue.ts';
import type { WebSocketDirection } from '../metrics/websocket-recorder.ts';
import type { DriverSocket } from '../native/uws.ts';
import type { Route, WebSocketRules } from '../route/policy.ts';
import type { Arrival } from './arrival.ts';
import { type ExpiryWatch, leaseEnd, type Lease } from './expiry-watch.ts';
import { renewalOf, renewalText } from './renewal.ts';
import type { SilenceWatch, Watched } from './silence-watch.ts';

/** Of what the driver carries with a WebSocket: our side of it. */
export interface Passenger {
  readonly passed: PassedWebSocket;
}

export interface WebSocketObserver {
  webSocketOpened(arrival: Arrival): void;
  webSocketClosed(socket: PassedWebSocket, code: number, end: WebSocketEnd): void;
  webSocketMessage(direction: WebSocketDirection, bytes: number): void;
}

/** What a WebSocket needs of its thread. */
export interface WebSocketParts {
  readonly clock: Clock;
  readonly observer: WebSocketObserver;
  readonly expiryWatch: ExpiryWatch;
  /** Watches callers that do not take what was sent. */
  readonly answerWatch: SilenceWatch;
  closed(socket: PassedWebSocket, code: number, end: WebSocketEnd): void;
  /** Verifies and decides a further token. `done` is called once, perhaps at once, unless what is returned is called before. */
  renew(
    socket: PassedWebSocket,
    token: string,
    peerAddress: string,
    done: (outcome: Renewed | Refusal) => void,
  ): () => void;
}

export interface Renewed {
  readonly route: Route;
  readonly facts: Facts;
}

/** The upstream is resumed when no more than this waits for the caller. */
const resumeBytes = 65_536;
/** An upstream that was silent for this long is pinged; after as long again without a sign, it is gone. */
const silentMsMax = 30_000;

/** Reasons of the driver for a connection that did not just break off: what the caller sent was against the protocol. */
const violations: ReadonlySet<string> = new Set([
  'Received invalid WebSocket frame',
  'Received invalid UTF-8',
  'Received too big message',
]);
/** A close frame, all the same: the driver takes no code from 1012 to 3999, nor those that RFC 6455 forbids. */
const oddClose = 'Received invalid close payload';

export class PassedWebSocket implements Lease, Watched, UpstreamEvents {
  readonly arrival: Arrival;
  readonly path: string;
  /** Both change when the token is renewed. */
  route: Route;
  facts: Facts | null;
  endSeconds = Number.POSITIVE_INFINITY;
  /** When the caller last took something while it is behind; Infinity while it is not. */
  heardMs = Number.POSITIVE_INFINITY;
  /** Bytes of messages from the caller, and to it. */
  bytesIn = 0;
  bytesOut = 0;

  readonly #parts: WebSocketParts;
  readonly #rules: WebSocketRules;
  readonly #peerAddress: string;
  readonly #upstream: UpstreamSocket;
  /** Null before it is open, and once it has closed. */
  #caller: DriverSocket<Passenger> | null = null;
  #isPaused = false;
  /** When a message last came, of either end. */
  #movedMs: number;
  #upstreamHeardMs: number;
  #isProbed = false;
  /** What the upstream's latest ping said, while the caller has not answered it. */
  #pinged: Buffer | null = null;
  #withdrawRenewal: (() => void) | null = null;
  #expired = false;

  constructor(
    arrival: Arrival,
    rules: WebSocketRules,
    peerAddress: string,
    upstream: UpstreamSocket,
    parts: WebSocketParts,
  ) {
    this.arrival = arrival;
    this.path = arrival.path;
    this.route = arrival.route!;
    this.facts = arrival.facts;
    this.#rules = rules;
    this.#peerAddress = peerAddress;
    this.#upstream = upstream;
    this.#parts = parts;
    this.#movedMs = parts.clock.monotonicMs();
    this.#upstreamHeardMs = this.#movedMs;
  }

  get certificate(): string | null {
    return this.arrival.certificate;
  }

  // ------------------------------------------------------------ the caller's end, as the driver reports

  opened(caller: DriverSocket<Passenger>): void {
    this.#caller = caller;
    this.#lease();
    this.#upstream.listen(this);
  }

  /** `bytes` are the driver's, and gone when this returns. */
  received(bytes: Uint8Array, isBinary: boolean): void {
    this.#movedMs = this.#parts.clock.monotonicMs();
    this.bytesIn += bytes.length;
    this.#parts.observer.webSocketMessage('in', bytes.length);
    const { messageBytesMax, renewBy } = this.#rules;
    if (bytes.length > messageBytesMax) {
      this.end(closeCodes.messageTooBig, 'message too big');
      return;
    }
    const token = renewBy === null || isBinary ? null : renewalOf(bytes, renewBy);
    if (token !== null) {
      this.#renew(token);
      return;
    }
    this.#upstream.send(bytes, isBinary);
    this.#boundUpstream();
  }

  callerPinged(payload: Uint8Array): void {
    this.#upstream.ping(payload);
    this.#boundUpstream();
  }

  /** The driver pings callers by itself: their answers are not the upstream's. */
  callerPonged(payload: Uint8Array): void {
    if (this.#pinged?.equals(payload) !== true) return;
    this.#pinged = null;
    this.#upstream.pong(payload);
  }

  drained(): void {
    if (!this.#isPaused || this.#caller === null) return;
    if (this.#caller.getBufferedAmount() > resumeBytes) {
      this.heardMs = this.#parts.clock.monotonicMs();
      return;
    }
    this.#isPaused = false;
    this.heardMs = Number.POSITIVE_INFINITY;
    this.#upstreamHeardMs = this.#parts.clock.monotonicMs();
    this.#parts.answerWatch.delete(this);
    this.#upstream.resume();
  }

  /** The caller's end closed, by whomever. Comes once, last, and from within `end` too. */
  closed(code: number, reason: string): void {
    this.#caller = null;
    this.#parts.expiryWatch.delete(this);
    this.#parts.answerWatch.delete(this);
    this.#withdrawRenewal?.();
    if (reason === oddClose) this.#upstream.close(closeCodes.none, '');
    else if (code === closeCodes.abnormal) this.#upstream.cut();
    else this.#upstream.close(code, reason);
    this.#parts.closed(this, code, this.#expired ? 'expired' : endOf(code, reason));
  }

  /** Runs something while what is written to this caller is held back. */
  corked(run: () => void): void {
    if (this.#caller === null) run();
    else this.#caller.cork(run);
  }

  // ------------------------------------------------------------ the upstream's end

  message(bytes: Buffer, isBinary: boolean): void {
    const caller = this.#caller;
    if (caller === null) return;
    this.#hearUpstream();
    this.#movedMs = this.#upstreamHeardMs;
    this.bytesOut += bytes.length;
    this.#parts.observer.webSocketMessage('out', bytes.length);
    if (caller.send(bytes, isBinary) !== 1) this.#pauseUpstream();
  }

  ping(payload: Buffer): void {
    this.#hearUpstream();
    this.#pinged = payload;
    if (this.#caller !== null && this.#caller.ping(payload) !== 1) this.#pauseUpstream();
  }

  pong(): void {
    this.#hearUpstream();
  }

  upstreamClosed(code: number, reason: string): void {
    if (this.#caller === null) return;
    if (code === closeCodes.abnormal) this.end(closeCodes.upstreamFailed, 'upstream failed');
    else this.#caller.end(code === closeCodes.none ? 0 : code, reason);
  }

  // ------------------------------------------------------------ endings by the gateway

  /** Both ends get the code. */
  end(code: number, reason: string): void {
    this.#caller?.end(code, reason);
  }

  expire(refusal: Refusal): void {
    this.#expired = true;
    this.end(closeCodes.unauthorized, refusal.code);
  }

  /** The caller has not taken anything for too long: a close frame would not reach it either. */
  giveUp(): void {
    this.#caller?.close();
  }

  /** Looks for idleness, and for an upstream that is gone. */
  look(nowMs: number): void {
    if (nowMs - this.#movedMs >= this.#rules.idleMsMax) {
      this.end(closeCodes.goingAway, 'idle');
      return;
    }
    if (this.#isPaused || nowMs - this.#upstreamHeardMs < silentMsMax) return;
    if (this.#isProbed) {
      this.#upstream.cut();
      return;
    }
    this.#isProbed = true;
    this.#upstreamHeardMs = nowMs;
    this.#upstream.ping(new Uint8Array());
  }

  #lease(): void {
    if (this.facts === null) return;
    this.endSeconds = leaseEnd(this.facts, this.route, this.#parts.clock.nowMs() / 1000);
    this.#parts.expiryWatch.add(this);
  }

  #hearUpstream(): void {
    this.#isProbed = false;
    this.#upstreamHeardMs = this.#parts.clock.monotonicMs();
  }

  #pauseUpstream(): void {
    if (this.#isPaused || this.#caller === null) return;
    this.#isPaused = true;
    this.#upstream.pause();
    this.heardMs = this.#parts.clock.monotonicMs();
    this.#parts.answerWatch.add(this);
  }

  #boundUpstream(): void {
    if (this.#upstream.bufferedBytes <= this.#rules.bufferedBytesMax) return;
    // What it has not taken is thrown away, so that it is told of no orderly end.
    this.#upstream.cut();
    this.end(closeCodes.tryAgainLater, 'upstream too slow');
  }

  #renew(token: string): void {
    if (this.#withdrawRenewal !== null) return;
    this.#withdrawRenewal = this.#parts.renew(this, token, this.#peerAddress, (renewed) => {
      this.#withdrawRenewal = null;
      this.#renewed(renewed);
    });
  }

  #renewed(renewed: Renewed | Refusal): void {
    if (this.#caller === null) return;
    const member = this.#rules.renewBy!;
    if ('code' in renewed) {
      // A failure of ours is no reason to end what the old token still allows.
      if (renewed.source === 'gateway') this.#caller.send(renewalText(member, renewed));
      else this.expire(renewed);
      return;
    }
    this.route = renewed.route;
    this.facts = renewed.facts;
    this.#lease();
    this.#caller.send(renewalText(member, renewed.facts));
  }
}

function endOf(code: number, reason: string): WebSocketEnd {
  if (violations.has(reason)) return 'violation';
  if (code === closeCodes.abnormal) return reason === oddClose ? 'application' : 'broken';
  if (code === 1000 || code === closeCodes.goingAway || code === closeCodes.none) return 'normal';
  return code >= 3000 ? 'application' : 'error';
}
