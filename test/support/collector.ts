/** A collector that takes OTLP over HTTP as JSON (opentelemetry-proto, ExportTraceServiceRequest) and keeps the spans. */
import { once } from 'node:events';
import { createServer, type IncomingHttpHeaders, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { text } from 'node:stream/consumers';
import { until } from './until.ts';

type Value = string | number | boolean;

interface WireAttribute {
  readonly key: string;
  readonly value: {
    readonly stringValue?: string;
    readonly intValue?: number | string;
    readonly doubleValue?: number;
    readonly boolValue?: boolean;
  };
}

interface WireSpan {
  readonly traceId: string;
  readonly spanId: string;
  readonly parentSpanId?: string;
  readonly traceState?: string;
  readonly name: string;
  /** 1 internal, 2 server, 3 client. */
  readonly kind: number;
  readonly startTimeUnixNano: string;
  readonly endTimeUnixNano: string;
  readonly attributes?: readonly WireAttribute[];
  readonly events?: readonly { readonly name: string; readonly timeUnixNano: string }[];
  /** 0 unset, 2 error. */
  readonly status: { readonly code: number };
}

interface WireRequest {
  readonly resourceSpans: readonly {
    readonly resource: { readonly attributes: readonly WireAttribute[] };
    readonly scopeSpans: readonly {
      readonly scope: { readonly name: string };
      readonly spans: readonly WireSpan[];
    }[];
  }[];
}

export interface Span {
  readonly traceId: string;
  readonly spanId: string;
  readonly parentId: string;
  readonly state: string;
  readonly name: string;
  readonly kind: string;
  readonly startMs: number;
  readonly endMs: number;
  readonly attributes: Readonly<Record<string, Value>>;
  readonly events: readonly string[];
  readonly isError: boolean;
  readonly resource: Readonly<Record<string, Value>>;
  readonly scope: string;
}

export class Collector {
  readonly spans: Span[] = [];
  /** Everything that came, as text. */
  readonly bodies: string[] = [];
  readonly heads: IncomingHttpHeaders[] = [];
  /** What it answers; 0: nothing, ever. */
  status = 200;
  readonly #server: Server;

  private constructor() {
    this.#server = createServer((request, response) => {
      void text(request).then((body) => {
        this.bodies.push(body);
        this.heads.push(request.headers);
        if (this.status === 0) return;
        if (this.status === 200) this.spans.push(...spansOf(JSON.parse(body) as WireRequest));
        response.writeHead(this.status, { 'content-type': 'application/json' }).end('{}');
      });
    });
  }

  static async start(): Promise<Collector> {
    const collector = new Collector();
    await once(collector.#server.listen(0, '127.0.0.1'), 'listening');
    return collector;
  }

  get endpoint(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}/v1/traces`;
  }

  /** The span of a request with that path, once it has come. */
  server(path: string): Promise<Span> {
    return until(`the span of ${path}`, () =>
      this.spans.find(({ kind, attributes }) => kind === 'server' && attributes['url.path'] === path),
    );
  }

  /** The spans right below one. They come before it does. */
  below({ spanId }: Span): readonly Span[] {
    return this.spans.filter(({ parentId }) => parentId === spanId);
  }

  async stop(): Promise<void> {
    this.#server.closeAllConnections();
    this.#server.close();
    await once(this.#server, 'close');
  }
}

const kinds: Readonly<Record<number, string>> = { 1: 'internal', 2: 'server', 3: 'client' };

function spansOf({ resourceSpans }: WireRequest): Span[] {
  return resourceSpans.flatMap(({ resource, scopeSpans }) =>
    scopeSpans.flatMap(({ scope, spans }) =>
      spans.map((span) => ({
        traceId: span.traceId,
        spanId: span.spanId,
        parentId: span.parentSpanId ?? '',
        state: span.traceState ?? '',
        name: span.name,
        kind: kinds[span.kind] ?? `kind ${span.kind}`,
        startMs: Number(span.startTimeUnixNano) / 1e6,
        endMs: Number(span.endTimeUnixNano) / 1e6,
        attributes: valuesOf(span.attributes ?? []),
        events: (span.events ?? []).map(({ name }) => name),
        isError: span.status.code === 2,
        resource: valuesOf(resource.attributes),
        scope: scope.name,
      })),
    ),
  );
}

function valuesOf(attributes: readonly WireAttribute[]): Record<string, Value> {
  return Object.fromEntries(
    attributes.map(({ key, value: { stringValue, intValue, doubleValue, boolValue } }) => [
      key,
      stringValue ?? (intValue === undefined ? (doubleValue ?? boolValue ?? '') : Number(intValue)),
    ]),
  );
}
