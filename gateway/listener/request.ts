/**
 * The life of a request on a listener thread, from its head to its verdict: the hot path.
 *
 * `onRequest` is read from top to bottom: admit, match, credentials, facts, decide, serve. A token that is known is decided
 * and answered within the driver's callback; only a token that must be verified first, or a request that is forwarded,
 * becomes an `UwsExchange` and goes on later (`slow-ways.ts`).
 */
import type { Clock } from '../core/clock.ts';
import { type Refusal, refusals } from '../core/errors.ts';
import { isBound } from '../core/facts.ts';
import { methodIndex, methodsOf } from '../core/methods.ts';
import { isDenial } from '../core/verdict.ts';
import type { DecisionMount } from '../decision/mounts.ts';
import type { HttpRequest, HttpResponse, SocketContext } from '../native/uws.ts';
import { readTarget } from '../route/path.ts';
import type { Route } from '../route/policy.ts';
import { readBearer } from '../token/bearer.ts';
import type { Verifier } from '../token/verifier.ts';
import type { Arrival } from './arrival.ts';
import type { ReadCertificate } from './client-certificate.ts';
import type { ExpiryWatch } from './expiry-watch.ts';
import { readHandshake } from './handshake.ts';
import type { SilenceWatch } from './silence-watch.ts';
import type { UpgradeTickets } from './upgrade-tickets.ts';
import { UwsExchange } from './exchange.ts';
import type { HeadReader } from './head.ts';
import { createJudge } from './judgement.ts';
import { clientAddress, peerAddress } from './peers.ts';
import { isRequestId } from './request-id.ts';
import type { Responder } from './respond.ts';
import type { Serving } from './serving.ts';
import { SlowWays } from './slow-ways.ts';
import type { WebSockets } from './websockets.ts';

/** What is heard of requests: metrics, the access log, the drain. */
export interface RequestObserver {
  /** A verdict was reached; `refusal` null permits. */
  decided(arrival: Arrival, refusal: Refusal | null): void;
  /** The request left the callback it came in and is still under way. */
  suspended(arrival: Arrival): void;
  /** It is over. `status` 0: the caller left before. `exchange` is there exactly when it was suspended. */
  finished(arrival: Arrival, status: number, refusal: Refusal | null, exchange: UwsExchange | null): void;
}

export interface RequestParts {
  /** The configuration in force; a request keeps the one it began with. */
  readonly serving: () => Serving;
  readonly head: HeadReader;
  readonly targetBytesMax: number;
  readonly bodyWatch: SilenceWatch;
  readonly answerWatch: SilenceWatch;
  readonly expiryWatch: ExpiryWatch;
  readonly tickets: UpgradeTickets;
  readonly webSockets: WebSockets;
  readonly verifier: Verifier;
  readonly responder: Responder;
  /** Answers a proxy that asks for a decision only (`questions.ts`). */
  readonly answerQuestion: (response: HttpResponse, arrival: Arrival, mount: DecisionMount) => void;
  /** Callers speak TLS. */
  readonly secure: boolean;
  readonly readCertificate: ReadCertificate;
  readonly trustRequestId: boolean;
  readonly newRequestId: () => string;
  readonly isTrustedPeer: (address: string) => boolean;
  readonly clock: Clock;
  readonly observer: RequestObserver;
  readonly isDraining: () => boolean;
}

/** `context` comes from the driver with a GET that has a `Sec-WebSocket-Key`, and with nothing else. */
export type RequestHandler = (response: HttpResponse, request: HttpRequest, context?: SocketContext) => void;

export function createRequestHandler(parts: RequestParts): RequestHandler {
  const { serving, head, targetBytesMax, verifier, responder, clock, observer } = parts;
  const finished = observer.finished.bind(observer);
  const judge = createJudge(verifier, clock);
  const slow = new SlowWays(parts, judge);

  function onRequest(response: HttpResponse, request: HttpRequest, context?: SocketContext): void {
    // 1. Admit: one well-formed head, a method, and a path with one meaning.
    const malformed = head.read(request);
    const arrival = arrive(response, request);
    if (malformed !== null) return refuse(response, arrival, malformed);
    const { decisions } = arrival.serving;
    const mount = decisions === null ? null : decisions.find(arrival.path);
    if (mount !== null) return parts.answerQuestion(response, arrival, mount);
    if (arrival.method === -1) return refuse(response, arrival, refusals.method_not_supported);
    const target = readTarget(arrival.target, targetBytesMax);
    if (isDenial(target)) return refuse(response, arrival, target);
    if (head.upgrade && context === undefined) return refuse(response, arrival, refusals.upgrade_unsupported);

    // 2. Match, before any credential is looked at.
    const { matcher } = arrival.serving;
    const route = matcher.match(arrival.path, arrival.method);
    if (route === null) return refuseUnmatched(response, arrival);
    arrival.route = route;
    if ((target.oddities & ~route.pathAllowance) !== 0)
      return refuse(response, arrival, refusals.path_not_canonical);
    if (head.contentLength > route.bodyBytesMax) return refuse(response, arrival, refusals.body_too_large);

    if (head.upgrade) {
      const handshake = readHandshake(arrival.fields, route.websocket, context!);
      if (isDenial(handshake)) return refuse(response, arrival, handshake);
      arrival.upgrade = handshake;
    }

    if (route.jsonBody && head.hasBody)
      return slow.readJson(suspend(response, arrival, route), route, wantedBearer(arrival, route));

    // 3. Credentials, and 4. facts: what the token says, if it was verified before.
    if (route.access !== null) {
      const token = credentialOf(arrival, route);
      if (typeof token !== 'string') return refuse(response, arrival, token);
      const known = verifier.lookup(token);
      if (known === undefined) return slow.verify(suspend(response, arrival, route), route, token);
      if ('code' in known) return refuse(response, arrival, known);
      arrival.facts = known;
      if (known.certificate !== null) arrival.certificate = certificateOf(response, arrival);
    } else if (arrival.serving.looksAside && !lookAside(response, arrival)) {
      return slow.serveAside(suspend(response, arrival, route), route, bearer());
    }

    // 5. Decide.
    const verdict = judge(arrival, route, addressFor(route, arrival, response));
    if (isDenial(verdict)) return refuse(response, arrival, verdict);
    if (route.hook !== null) return slow.ask(suspend(response, arrival, route), route, verdict);
    observer.decided(arrival, null);

    // 6. Answer here, or hand over to whoever answers.
    if (route.respond === null) return slow.serve(suspend(response, arrival, route), route, verdict);
    responder.respondNow(response, route.respond, arrival);
    observer.finished(arrival, route.respond.status, null, null);
  }

  function credentialOf({ upgrade }: Arrival, route: Route): string | Refusal {
    const carried = upgrade?.carried[0];
    if (carried === undefined) return bearer();
    if (head.authorizations + upgrade!.carried.length > 1) return refusals.credentials_ambiguous;
    return carried.kind === 'token' ? carried.value : parts.tickets.redeem(carried.value, route.id);
  }

  function arrive(response: HttpResponse, request: HttpRequest): Arrival {
    const methodName = request.getCaseSensitiveMethod();
    const path = request.getUrl();
    const query = request.getQuery();
    const now = serving();
    return {
      startedMs: clock.monotonicMs(),
      methodName,
      method: methodIndex(methodName),
      path,
      target: query === undefined || query === '' ? path : `${path}?${query}`,
      fields: head.fields,
      requestId: head.requestId === '' ? parts.newRequestId() : callersId(response),
      correlationId: head.correlationId,
      headOnly: methodName === 'HEAD',
      lastAnswer: head.close || parts.isDraining(),
      driverCloses: head.driverCloses,
      loggedAddress: now.access.isOn ? peerAddress(response) : '',
      serving: now,
      route: null,
      facts: null,
      certificate: null,
      upgrade: null,
      counted: null,
      decision: null,
      trace: null,
    };
  }

  function callersId(response: HttpResponse): string {
    const believed = parts.trustRequestId || parts.isTrustedPeer(peerAddress(response));
    return believed && isRequestId(head.requestId) ? head.requestId : parts.newRequestId();
  }

  /** Looked at only where the token is bound to one. */
  function certificateOf(response: HttpResponse, { fields }: Arrival): string | null {
    return parts.readCertificate(response, fields, parts.isTrustedPeer(peerAddress(response)));
  }

  /** Found out only where it is counted. */
  function addressFor({ rate }: Route, { fields }: Arrival, response: HttpResponse): string {
    if (rate === null || rate.by.kind !== 'address') return '';
    return clientAddress(peerAddress(response), fields, parts.isTrustedPeer);
  }

  function refuse(response: HttpResponse, arrival: Arrival, refusal: Refusal, allow = ''): void {
    observer.decided(arrival, refusal);
    const status = responder.refuseNow(response, refusal, arrival, allow);
    observer.finished(arrival, status, refusal, null);
  }

  function refuseUnmatched(response: HttpResponse, arrival: Arrival): void {
    const allowed = arrival.serving.matcher.allowed(arrival.path);
    const refusal = allowed === 0 ? refusals.route_not_found : refusals.method_not_allowed;
    const allow = methodsOf(allowed);
    if (!arrival.serving.looksAside || lookAside(response, arrival))
      return refuse(response, arrival, refusal, allow);
    slow.refuseAside(suspend(response, arrival, null), bearer(), refusal, allow);
  }

  function bearer(): string | Refusal {
    return readBearer(head.authorization, head.authorizations);
  }

  /** What is known of a token that nobody asks for goes into the arrival. False: it must be verified first. */
  function lookAside(response: HttpResponse, arrival: Arrival): boolean {
    const token = bearer();
    const known = typeof token === 'string' ? verifier.lookup(token) : null;
    if (known === undefined) return false;
    if (known !== null && isBound(known)) arrival.certificate = certificateOf(response, arrival);
    arrival.facts = slow.renewable(arrival, known);
    return true;
  }

  function wantedBearer({ serving: { looksAside } }: Arrival, { access }: Route): string | Refusal | null {
    return access !== null || looksAside ? bearer() : null;
  }

  function suspend(response: HttpResponse, arrival: Arrival, route: Route | null): UwsExchange {
    observer.suspended(arrival);
    const peer = peerAddress(response);
    return new UwsExchange(response, arrival, {
      responder,
      peerAddress: peer,
      peerTrusted: parts.isTrustedPeer(peer),
      secure: parts.secure,
      bodyLength: head.chunked ? null : Math.max(0, head.contentLength),
      bodyBytesMax: route?.bodyBytesMax ?? Infinity,
      bodyWatch: parts.bodyWatch,
      answerWatch: parts.answerWatch,
      expiryWatch: parts.expiryWatch,
      webSockets: parts.webSockets,
      readCertificate: parts.readCertificate,
      finished,
    });
  }

  return onRequest;
}
