/** What becomes of requests, written down: metric cells, the access log, the count that a drain waits for. */
import { systemClock } from '../core/clock.ts';
import { isOurs, type Refusal } from '../core/errors.ts';
import type { TraceContext } from '../core/trace-context.ts';
import type { AccessEntry } from '../log/access.ts';
import { noRoute } from '../metrics/ordinals.ts';
import { callerGoneStatus, type Recorder } from '../metrics/recorder.ts';
import type { WebSocketDirection, WebSocketRecorder } from '../metrics/websocket-recorder.ts';
import type { Arrival } from './arrival.ts';
import type { Drain } from './drain.ts';
import type { UwsExchange } from './exchange.ts';
import type { Identities } from './identities.ts';
import type { RequestObserver } from './request.ts';
import { callersTrace, type Tracer } from './request-trace.ts';
import type { PassedWebSocket } from './websocket.ts';
import type { WebSocketEnd } from '../metrics/catalogue.ts';

export interface ObserverParts {
  readonly recorder: Recorder;
  readonly webSockets: WebSocketRecorder;
  readonly drain: Drain;
  /** Null: nothing is traced. */
  readonly tracer: Tracer | null;
  readonly identities: Identities;
}

export class ListenerObserver implements RequestObserver {
  readonly #recorder: Recorder;
  readonly #drain: Drain;
  readonly #webSockets: WebSocketRecorder;
  readonly #tracer: Tracer | null;
  readonly #identities: Identities;

  constructor({ recorder, webSockets, drain, tracer, identities }: ObserverParts) {
    this.#tracer = tracer;
    this.#identities = identities;
    this.#webSockets = webSockets;
    this.#recorder = recorder;
    this.#drain = drain;
  }

  decided(arrival: Arrival, refusal: Refusal | null): void {
    arrival.decision = refusal ?? 'allowed';
    this.#recorder.decided(ordinalOf(arrival), refusal === null ? -1 : refusal.index);
  }

  suspended(arrival: Arrival): void {
    if (this.#tracer !== null) arrival.trace = this.#tracer.trace(arrival);
    this.#drain.inFlight += 1;
    this.#recorder.requestStarted();
  }

  finished(arrival: Arrival, status: number, refusal: Refusal | null, exchange: UwsExchange | null): void {
    this.#drain.active = true;
    if (exchange === null) this.#recorder.requestStarted();
    else this.#drain.inFlight -= 1;
    const counted = status === 0 ? callerGoneStatus : status;
    const durationMs = systemClock.monotonicMs() - arrival.startedMs;
    if (this.#tracer !== null) {
      arrival.trace ??= this.#tracer.trace(arrival);
      arrival.trace.finished(status, refusal, exchange);
    }
    const trace = this.#recorder.wantsTraces ? traceOf(arrival, refusal) : null;
    const traceId = trace?.sampled === true ? trace.traceId : '';
    this.#recorder.requestDone(ordinalOf(arrival), arrival.method, counted, durationMs, traceId);
    const { access } = arrival.serving;
    // Of a WebSocket more can be said at its end.
    if (status !== 101 && access.wants(counted))
      this.#writeAccess(arrival, counted, refusal, exchange, durationMs);
  }

  webSocketOpened(arrival: Arrival): void {
    this.#drain.inFlight += 1;
    this.#webSockets.opened(ordinalOf(arrival));
  }

  webSocketClosed(socket: PassedWebSocket, code: number, end: WebSocketEnd): void {
    this.#drain.inFlight -= 1;
    this.#drain.active = true;
    const { arrival } = socket;
    this.#webSockets.closed(ordinalOf(arrival), end);
    const { access } = arrival.serving;
    if (!access.wants(101)) return;
    access.write({
      ...this.#entry(arrival, 101, null, null, systemClock.monotonicMs() - arrival.startedMs),
      requestBytes: socket.bytesIn,
      responseBytes: socket.bytesOut,
      closeCode: code,
    });
  }

  webSocketMessage(direction: WebSocketDirection, bytes: number): void {
    this.#webSockets.message(direction, bytes);
  }

  #writeAccess(
    arrival: Arrival,
    status: number,
    refusal: Refusal | null,
    exchange: UwsExchange | null,
    durationMs: number,
  ): void {
    arrival.serving.access.write(this.#entry(arrival, status, refusal, exchange, durationMs));
  }

  #entry(
    arrival: Arrival,
    status: number,
    refusal: Refusal | null,
    exchange: UwsExchange | null,
    durationMs: number,
  ): AccessEntry {
    return {
      method: arrival.methodName,
      route: arrival.route?.id ?? null,
      target: arrival.path,
      status,
      decision: decisionOf(arrival.decision),
      reason: refusal?.code ?? null,
      durationMs,
      requestBytes: exchange?.body?.receivedBytes ?? 0,
      responseBytes: exchange?.sentBytes ?? 0,
      requestId: arrival.requestId,
      traceId: traceOf(arrival, refusal)?.traceId ?? null,
      clientAddress: arrival.loggedAddress,
      ...this.#identities.of(arrival.facts, arrival.serving.policy.vocabulary.issuers),
      upstream: arrival.route?.upstream ?? null,
      upstreamMs: exchange?.upstreamMs ?? null,
    };
  }
}

/** The trace of a request: ours, or else the one that its caller is in, where that is taken. */
function traceOf(arrival: Arrival, refusal: Refusal | null): TraceContext | null {
  return arrival.trace === null ? callersTrace(arrival, refusal) : arrival.trace.context;
}

/** The words of the metric `sallyport_authz_decisions_total`. */
function decisionOf(decision: Arrival['decision']): AccessEntry['decision'] {
  if (decision === null || decision === 'allowed') return decision;
  return isOurs(decision) ? 'failed' : 'denied';
}

function ordinalOf(arrival: Arrival): number {
  return arrival.route === null ? noRoute : arrival.serving.ordinalOf(arrival.route);
}
