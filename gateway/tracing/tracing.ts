/**
 * Spans, through the API of OpenTelemetry and whatever SDK is behind it. One for each listener thread that traces; the others
 * load nothing of this. No context manager is used: a span is handed to who makes its children.
 */
import type * as Api from '@opentelemetry/api';
import type { TraceContext } from '../core/trace-context.ts';

export type SpanAttributes = Readonly<Record<string, string | number | boolean>>;
export type Kind = 'server' | 'client' | 'internal';

export interface TracingParts {
  readonly api: Pick<
    typeof Api,
    'createTraceState' | 'ROOT_CONTEXT' | 'SpanKind' | 'SpanStatusCode' | 'trace' | 'TraceFlags'
  >;
  readonly tracer: Api.Tracer;
  /** Asked before anything is made of a request, so that one that is not recorded costs nothing. */
  readonly isWanted: (parent: TraceContext | null) => boolean;
  /** Sends what is held. Bounded in time, and never rejects. */
  readonly close: () => Promise<void>;
}

/** Times are wall clock, milliseconds since the epoch, with their fractions. */
export class Tracing {
  readonly #parts: TracingParts;

  constructor(parts: TracingParts) {
    this.#parts = parts;
  }

  /** Begins the span of a request; null when it is not recorded. */
  begin(parent: TraceContext | null, name: string, startMs: number): RecordedSpan | null {
    if (!this.#parts.isWanted(parent)) return null;
    const { api } = this.#parts;
    const above =
      parent === null
        ? api.ROOT_CONTEXT
        : api.trace.setSpanContext(api.ROOT_CONTEXT, {
            traceId: parent.traceId,
            spanId: parent.spanId,
            traceFlags: parent.sampled ? api.TraceFlags.SAMPLED : api.TraceFlags.NONE,
            isRemote: true,
            ...(parent.state === '' ? {} : { traceState: api.createTraceState(parent.state) }),
          });
    const span = new RecordedSpan(this.#parts, above, name, 'server', startMs);
    return span.isRecording ? span : null;
  }

  close(): Promise<void> {
    return this.#parts.close();
  }
}

export class RecordedSpan {
  readonly #parts: TracingParts;
  readonly #span: Api.Span;
  readonly #above: Api.Context;

  constructor(parts: TracingParts, above: Api.Context, name: string, kind: Kind, startMs: number) {
    const { api, tracer } = parts;
    const kinds = {
      server: api.SpanKind.SERVER,
      client: api.SpanKind.CLIENT,
      internal: api.SpanKind.INTERNAL,
    };
    this.#parts = parts;
    this.#above = above;
    this.#span = tracer.startSpan(name, { kind: kinds[kind], startTime: startMs }, above);
  }

  get isRecording(): boolean {
    return this.#span.isRecording();
  }

  /** What a span below this one, here or in another process, has for its parent. */
  get context(): TraceContext {
    const { traceId, spanId, traceFlags, traceState } = this.#span.spanContext();
    const sampled = (traceFlags & this.#parts.api.TraceFlags.SAMPLED) !== 0;
    return { traceId, spanId, sampled, state: traceState?.serialize() ?? '' };
  }

  child(name: string, kind: Kind, startMs: number): RecordedSpan {
    const above = this.#parts.api.trace.setSpan(this.#above, this.#span);
    return new RecordedSpan(this.#parts, above, name, kind, startMs);
  }

  event(name: string, atMs: number): void {
    this.#span.addEvent(name, atMs);
  }

  end(endMs: number, attributes: SpanAttributes, isError: boolean): void {
    this.#span.setAttributes(attributes);
    if (isError) this.#span.setStatus({ code: this.#parts.api.SpanStatusCode.ERROR });
    this.#span.end(endMs);
  }
}
