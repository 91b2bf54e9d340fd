/**
 * The spans of one request: one for all of it, and below it one each for what it waited for. They are begun when the first id
 * of theirs is needed, which is when the request goes upstream, or else when it is over; by then it is known whether its
 * caller's trace is taken. Never in an attribute: tokens, claims, queries, fields of the caller, addresses of upstreams.
 *
 * Source: OpenTelemetry semantic conventions for HTTP 1.40, "HTTP server", "HTTP client".
 */
import type { Clock } from '../core/clock.ts';
import type { Refusal } from '../core/errors.ts';
import type { RawHeaders } from '../core/exchange.ts';
import type { Facts } from '../core/facts.ts';
import {
  isTraceTaken,
  readTraceContext,
  traceContextFields,
  type TraceContext,
  type TraceMode,
  unrecordedTrace,
} from '../core/trace-context.ts';
import type { Route } from '../route/policy.ts';
import type { VerifierWork } from '../token/pending.ts';
import type { RecordedSpan, SpanAttributes, Tracing } from '../tracing/tracing.ts';

const pathLengthMax = 1024;

/** Something that a request waited for: monotonic, milliseconds. */
interface Wait {
  readonly name: string;
  readonly fromMs: number;
  readonly toMs: number;
  readonly refusal: Refusal | null;
  readonly attributes: SpanAttributes;
}

/** The part of an `Arrival` that is looked at, some of it when the request is over. */
export interface TracedRequest {
  readonly startedMs: number;
  readonly methodName: string;
  readonly method: number;
  readonly path: string;
  readonly fields: RawHeaders;
  readonly route: Pick<Route, 'pattern' | 'upstream'> | null;
  readonly facts: Facts | null;
  readonly serving: { readonly config: { readonly listener: { readonly traceContext: TraceMode } } };
}

/** When a request went upstream, and after how long the head of the answer came: null, if it did. */
interface Forwarded {
  readonly forwardedMs: number;
  readonly upstreamMs: number | null;
}

export interface TracerParts {
  readonly tracing: Tracing;
  readonly clock: Clock;
  readonly secure: boolean;
  /** What the SDK threw, which need not be ours: no request may suffer from it. */
  readonly failed: (error: unknown) => void;
}

export class RequestTrace {
  readonly #parts: TracerParts;
  readonly #arrival: TracedRequest;
  #waits: Wait[] | null = null;
  #isBegun = false;
  #span: RecordedSpan | null = null;
  #client: RecordedSpan | null = null;
  #context: TraceContext | null = null;
  /** From the monotonic clock to that on the wall. */
  #wallMs = 0;

  constructor(parts: TracerParts, arrival: TracedRequest) {
    this.#parts = parts;
    this.#arrival = arrival;
  }

  /** Where the request stands in its trace; null while nobody asked, and where it is in none. */
  get context(): TraceContext | null {
    return this.#context;
  }

  /** A token was verified for it. `fromMs`: when it began to wait. */
  verified(fromMs: number, outcome: object, work: VerifierWork | undefined): void {
    const attributes: Record<string, number> = {};
    if (work !== undefined && work.sentMs > 0) {
      attributes['sallyport.verify.queue_ms'] = work.sentMs - work.sinceMs;
      attributes['sallyport.verify.batch_tokens'] = work.batchTokens;
    }
    this.#waited('verify token', fromMs, 'code' in outcome ? (outcome as Refusal) : null, attributes);
  }

  /** The access hook of its route is called. What is returned goes with it, as if the request itself asked. */
  asking(): readonly string[] {
    this.#guarded(() => this.#begin(null));
    this.#context ??= unrecordedTrace();
    return traceContextFields(this.#context);
  }

  /** The access hook of its route was asked. */
  asked(fromMs: number, hook: string, refusal: Refusal | null): void {
    this.#waited('access hook', fromMs, refusal, { 'sallyport.hook': hook });
  }

  /** It goes upstream. What is returned goes with it: name, value, name, value. */
  forwarded(nowMs: number): readonly string[] {
    this.#guarded(() => {
      this.#begin(null);
      this.#client = this.#span?.child(this.#arrival.methodName, 'client', this.#wallMs + nowMs) ?? null;
    });
    this.#context ??= unrecordedTrace();
    return traceContextFields(this.#client?.context ?? this.#context);
  }

  /** It is over. `status` 0: the caller left before. */
  finished(status: number, refusal: Refusal | null, exchange: Forwarded | null): void {
    this.#guarded(() => this.#end(status, refusal, exchange));
  }

  #end(status: number, refusal: Refusal | null, exchange: Forwarded | null): void {
    this.#begin(refusal);
    if (this.#span === null) return;
    const nowMs = this.#wallMs + this.#parts.clock.monotonicMs();
    for (const { name, fromMs, toMs, refusal: why, attributes } of this.#waits ?? []) {
      const error: SpanAttributes = why === null ? {} : { 'error.type': why.code };
      this.#span
        .child(name, 'internal', this.#wallMs + fromMs)
        .end(this.#wallMs + toMs, { ...attributes, ...error }, isFailure(why));
    }
    if (exchange !== null) this.#endClient(nowMs, status, refusal, exchange);
    const { route, path, methodName, method, fields } = this.#arrival;
    this.#span.end(
      nowMs,
      {
        'http.request.method': method === -1 ? '_OTHER' : methodName,
        'url.path': path.slice(0, pathLengthMax),
        'url.scheme': this.#parts.secure ? 'https' : 'http',
        'network.protocol.version': '1.1',
        ...(route === null ? {} : { 'http.route': route.pattern }),
        ...serverOf(fields),
        ...outcomeOf(status, refusal, 500),
      },
      status >= 500,
    );
  }

  #endClient(nowMs: number, status: number, refusal: Refusal | null, exchange: Forwarded): void {
    if (this.#client === null) return;
    const { forwardedMs, upstreamMs } = exchange;
    if (upstreamMs !== null) this.#client.event('response head', this.#wallMs + forwardedMs + upstreamMs);
    const outcome = outcomeOf(refusal === null ? status : 0, refusal, 400);
    this.#client.end(
      nowMs,
      {
        'http.request.method': this.#arrival.methodName,
        'peer.service': this.#arrival.route?.upstream ?? '',
        ...outcome,
      },
      'error.type' in outcome,
    );
  }

  #waited(name: string, fromMs: number, refusal: Refusal | null, attributes: SpanAttributes): void {
    const toMs = this.#parts.clock.monotonicMs();
    (this.#waits ??= []).push({ name, fromMs, toMs, refusal, attributes });
  }

  #guarded(work: () => void): void {
    try {
      work();
    } catch (error) {
      this.#parts.failed(error);
    }
  }

  #begin(refusal: Refusal | null): void {
    if (this.#isBegun) return;
    this.#isBegun = true;
    const { clock, tracing } = this.#parts;
    const { methodName, method, route, startedMs } = this.#arrival;
    this.#wallMs = clock.nowMs() - clock.monotonicMs();
    const parent = callersTrace(this.#arrival, refusal);
    const name = method === -1 ? 'HTTP' : methodName;
    this.#span = tracing.begin(
      parent,
      route === null ? name : `${name} ${route.pattern}`,
      this.#wallMs + startedMs,
    );
    this.#context = this.#span?.context ?? parent;
  }
}

/** Makes the traces of a listener thread. */
export class Tracer {
  readonly #parts: TracerParts;

  constructor(parts: TracerParts) {
    this.#parts = parts;
  }

  trace(arrival: TracedRequest): RequestTrace {
    return new RequestTrace(this.#parts, arrival);
  }

  close(): Promise<void> {
    return this.#parts.tracing.close();
  }
}

/** The trace that the caller of a request is in, where it is taken from this caller. */
export function callersTrace(
  { fields, facts, serving }: TracedRequest,
  refusal: Refusal | null,
): TraceContext | null {
  const isAuthenticated = facts !== null && refusal?.challenge !== 'invalid_token';
  return isTraceTaken(serving.config.listener.traceContext, isAuthenticated)
    ? readTraceContext(fields)
    : null;
}

/** `errorFrom`: a status from there up is an error, which for who asked begins sooner than for who answered. */
function outcomeOf(status: number, refusal: Refusal | null, errorFrom: number): SpanAttributes {
  const answered: SpanAttributes = status === 0 ? {} : { 'http.response.status_code': status };
  if (refusal !== null) return { ...answered, 'error.type': refusal.code };
  if (status === 0) return { 'error.type': 'incomplete' };
  return status >= errorFrom ? { ...answered, 'error.type': String(status) } : answered;
}

/** A token that is not good, or a no, is nothing that failed. */
function isFailure(refusal: Refusal | null): boolean {
  return refusal !== null && refusal.status >= 500;
}

/** As the caller named it. */
function serverOf(fields: RawHeaders): SpanAttributes {
  const at = fields.findIndex((text, i) => i % 2 === 0 && text === 'host');
  const [, name, port] =
    /^([A-Za-z0-9._~-]{1,255}|\[[0-9A-Fa-f:.]{2,45}\])(?::(\d{1,5}))?$/.exec(fields[at + 1] ?? '') ?? [];
  if (at === -1 || name === undefined) return {};
  const address = name.replace(/^\[|\]$/g, '');
  return { 'server.address': address, ...(port === undefined ? {} : { 'server.port': Number(port) }) };
}
