/**
 * The two ends of the SDK's batches: what goes in is bounded, those being sent included, and what comes out is counted.
 * The SDK bounds only what it has not begun to send, and tells nobody what it dropped.
 */
import type { ReadableSpan, SpanExporter, SpanProcessor } from '@opentelemetry/sdk-trace-base';

export type SpanOutcome = 'exported' | 'failed' | 'dropped';

export interface ExportObserver {
  counted(outcome: SpanOutcome, spans: number): void;
  /** An export failed; `reason` never holds an address. */
  failed(reason: string): void;
}

type Export = SpanExporter['export'];

export class BoundedExport {
  readonly #max: number;
  readonly #observer: ExportObserver;
  #held = 0;

  constructor(spansMax: number, observer: ExportObserver) {
    this.#max = spansMax;
    this.#observer = observer;
  }

  /** What is ended gets into `processor` while there is room. */
  before(processor: SpanProcessor): SpanProcessor {
    return {
      onStart: () => {},
      onEnd: (span: ReadableSpan) => {
        if (this.#held >= this.#max) return this.#observer.counted('dropped', 1);
        this.#held += 1;
        processor.onEnd(span);
      },
      forceFlush: () => processor.forceFlush(),
      shutdown: () => processor.shutdown(),
    };
  }

  /** What `exporter` is through with makes room again. */
  after(exporter: SpanExporter): SpanExporter {
    const send: Export = (spans, done) => {
      exporter.export(spans, (result) => {
        this.#held -= spans.length;
        // The enumeration is in a package that is the SDK's own; SUCCESS is 0.
        const code: number = result.code;
        const isSent = code === 0;
        this.#observer.counted(isSent ? 'exported' : 'failed', spans.length);
        if (!isSent) this.#observer.failed(reasonOf(result.error));
        done(result);
      });
    };
    return {
      export: send,
      forceFlush: () => exporter.forceFlush?.() ?? Promise.resolve(),
      shutdown: () => exporter.shutdown(),
    };
  }
}

/** Messages of the network hold addresses, and bodies of answers hold anything: neither is told. */
function reasonOf(error: (Error & { code?: unknown }) | undefined): string {
  const { code } = error ?? {};
  if (typeof code === 'number') return `status ${code}`;
  if (typeof code === 'string') return code;
  return error?.message === 'Request timed out' ? 'timeout' : 'refused';
}
