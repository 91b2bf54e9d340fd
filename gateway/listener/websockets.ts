/** The open WebSockets of a listener thread: how the driver is told of them, and what is done for all of them together. */
import { assert } from '../core/assert.ts';
import type { Clock } from '../core/clock.ts';
import { type Refusal, refusals } from '../core/errors.ts';
import type { Facts } from '../core/facts.ts';
import { methodIndex, methods } from '../core/methods.ts';
import { isDenial } from '../core/verdict.ts';
import { closeCodes, type UpstreamSocket } from '../core/websocket.ts';
import type { WebSocketEnd } from '../metrics/catalogue.ts';
import type { DriverSocket, HttpResponse, WebSocketBehavior } from '../native/uws.ts';
import { decide } from '../route/decide.ts';
import type { Verifier } from '../token/verifier.ts';
import type { Arrival } from './arrival.ts';
import type { ReadCertificate } from './client-certificate.ts';
import type { ExpiryWatch } from './expiry-watch.ts';
import { statusLine } from './respond.ts';
import type { Serving } from './serving.ts';
import type { SilenceWatch } from './silence-watch.ts';
import {
  PassedWebSocket,
  type Passenger,
  type Renewed,
  type WebSocketObserver,
  type WebSocketParts,
} from './websocket.ts';

type UpgradeHandler = NonNullable<WebSocketBehavior<Passenger>['upgrade']>;

export interface WebSocketsOptions {
  readonly clock: Clock;
  readonly serving: () => Serving;
  readonly verifier: Verifier;
  readonly observer: WebSocketObserver;
  readonly expiryWatch: ExpiryWatch;
  /** Watches callers that do not take what was sent. */
  readonly answerWatch: SilenceWatch;
  readonly readCertificate: ReadCertificate;
  readonly isTrustedPeer: (address: string) => boolean;
  readonly requestIdHeader: string;
  readonly messageBytesMax: number;
  /** The driver counts connections up, but not down once they are WebSockets. */
  readonly connectionClosed: () => void;
}

/**
 * Callers that send nothing for this long are pinged, and given up when they do not answer. The driver does it, for all alike;
 * it ends the process on values that it does not like (0, or 8 to 960).
 */
const callerSilentSeconds = 60;
/** Of answers to pings, which the driver sends unasked: who does not take them is cut off beyond this. */
const untakenBytesMax = 1_048_576;
const lookMs = 1000;
/** A drain closes all in so many steps, so that not everybody comes back in the same moment. */
const drainSteps = 10;
const drainStepMs = 100;
const get = methodIndex('GET');

export class WebSockets implements WebSocketParts {
  readonly clock: Clock;
  readonly observer: WebSocketObserver;
  readonly expiryWatch: ExpiryWatch;
  readonly answerWatch: SilenceWatch;
  readonly #options: WebSocketsOptions;
  readonly #open = new Set<PassedWebSocket>();
  #timer: NodeJS.Timeout | null = null;

  constructor(options: WebSocketsOptions) {
    this.clock = options.clock;
    this.observer = options.observer;
    this.expiryWatch = options.expiryWatch;
    this.answerWatch = options.answerWatch;
    this.#options = options;
  }

  /** What the driver is given for every path: it knows no routes, and asks `onRequest` as for any request. */
  behavior(onRequest: UpgradeHandler): WebSocketBehavior<Passenger> {
    const { messageBytesMax } = this.#options;
    const passed = (socket: DriverSocket<Passenger>): PassedWebSocket => socket.getUserData().passed;
    return {
      upgrade: onRequest,
      compression: 0,
      maxPayloadLength: messageBytesMax,
      idleTimeout: callerSilentSeconds,
      sendPingsAutomatically: true,
      maxLifetime: 0,
      maxBackpressure: messageBytesMax + untakenBytesMax,
      closeOnBackpressureLimit: true,
      open: (socket) => passed(socket).opened(socket),
      message: (socket, bytes, isBinary) => passed(socket).received(new Uint8Array(bytes), isBinary),
      ping: (socket, payload) => passed(socket).callerPinged(new Uint8Array(payload)),
      pong: (socket, payload) => passed(socket).callerPonged(new Uint8Array(payload)),
      drain: (socket) => passed(socket).drained(),
      close: (socket, code, reason) => passed(socket).closed(code, Buffer.from(reason).toString()),
    };
  }

  /** Answers a request with 101. The response is the driver's again after this. */
  begin(response: HttpResponse, arrival: Arrival, peerAddress: string, upstream: UpstreamSocket): void {
    const { upgrade, route } = arrival;
    const rules = route?.websocket ?? null;
    assert(upgrade !== null && rules !== null, 'only a request for a WebSocket becomes one');
    // A WebSocket no longer shows its certificate, and a renewed token may ask for it.
    if (rules.renewBy !== null) {
      const { readCertificate, isTrustedPeer } = this.#options;
      arrival.certificate = readCertificate(response, arrival.fields, isTrustedPeer(peerAddress));
    }
    const [other] = this.#open;
    const socket = new PassedWebSocket(arrival, rules, peerAddress, upstream, this);
    this.#open.add(socket);
    this.#timer ??= setInterval(() => this.#look(), lookMs).unref();
    this.observer.webSocketOpened(arrival);
    const answer = (): void => {
      response.writeStatus(statusLine(101)).writeHeader(this.#options.requestIdHeader, arrival.requestId);
      const protocol = upstream.protocol === '' ? upgrade.echo : upstream.protocol;
      response.upgrade<Passenger>({ passed: socket }, upgrade.key, protocol, '', upgrade.context);
    };
    // The driver wants this corked, and says so on stderr; but when a cork of its own ends, it may take the WebSocket for the
    // response that it was, and close it (1 of 100, tried). Within the cork of another socket it does neither.
    if (other === undefined) answer();
    else other.corked(() => response.cork(answer));
  }

  closed(socket: PassedWebSocket, code: number, end: WebSocketEnd): void {
    this.#open.delete(socket);
    this.#options.connectionClosed();
    this.observer.webSocketClosed(socket, code, end);
  }

  /** Closes all, and those that are still to come. */
  drain(): void {
    const size = Math.max(1, Math.ceil(this.#open.size / drainSteps));
    setInterval(() => {
      for (const socket of [...this.#open].slice(0, size)) socket.end(closeCodes.goingAway, 'going away');
    }, drainStepMs).unref();
  }

  /**
   * A further token of the same subject, decided by the configuration that is in force now, its access hook included. What is
   * open keeps the limits that it began with.
   */
  renew(
    socket: PassedWebSocket,
    token: string,
    peerAddress: string,
    done: (outcome: Renewed | Refusal) => void,
  ): () => void {
    const { verifier } = this.#options;
    const serving = this.#options.serving();
    let isWithdrawn = false;
    const settle = (outcome: Facts | Refusal): void => {
      if (isDenial(outcome)) return done(outcome);
      const renewed = this.#judge(socket, outcome, serving);
      if (isDenial(renewed) || renewed.route.hook === null) return done(renewed);
      const asked = { methodName: methods[get]!, path: socket.path };
      serving.askHook(renewed.route, asked, outcome, (refusal) => {
        if (!isWithdrawn) done(refusal ?? renewed);
      });
    };
    const waiter = { settle };
    const known = verifier.lookup(token);
    if (known === undefined) verifier.verify(token, peerAddress, waiter);
    // Not before this has returned.
    else queueMicrotask(() => settle(known));
    return () => {
      isWithdrawn = true;
      verifier.withdraw(waiter);
    };
  }

  #judge({ arrival, path }: PassedWebSocket, facts: Facts, serving: Serving): Renewed | Refusal {
    const route = serving.matcher.match(path, get);
    if (route === null || route.websocket === null) return refusals.upgrade_unsupported;
    const { liveKeys } = this.#options.verifier;
    const verdict = decide(route, path, facts, liveKeys, this.clock.nowMs() / 1000, arrival.certificate);
    if (isDenial(verdict)) return verdict;
    const before = arrival.facts;
    const issuerOf = (of: Serving, index: number): string | undefined => of.policy.vocabulary.issuers[index];
    const isSame =
      before !== null &&
      before.subject === facts.subject &&
      issuerOf(arrival.serving, before.issuer) === issuerOf(serving, facts.issuer);
    return isSame ? { route, facts } : refusals.subject_mismatch;
  }

  #look(): void {
    const nowMs = this.clock.monotonicMs();
    for (const socket of this.#open) socket.look(nowMs);
    if (this.#open.size > 0 || this.#timer === null) return;
    clearInterval(this.#timer);
    this.#timer = null;
  }
}
