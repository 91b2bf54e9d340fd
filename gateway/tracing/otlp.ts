/** Tracing that Sallyport starts by itself: the SDK of OpenTelemetry, and its exporter of OTLP over HTTP, for one thread. */
import * as api from '@opentelemetry/api';
import type { TracingConfig } from '../config/schema.ts';
import { version } from '../version.ts';
import { BoundedExport, type ExportObserver } from './bounded-export.ts';
import type { CollectorHeaders } from './preparation.ts';
import { Tracing } from './tracing.ts';
import { within } from './last-export.ts';

/** Spans have few attributes; a path may be long. */
const attributeLengthMax = 1024;
/** Exports under way at once: the SDK makes one at a time, and several only at the end. */
const exportsMax = 32;

export async function startOtlp(
  config: TracingConfig,
  headers: CollectorHeaders,
  thread: string,
  observer: ExportObserver,
): Promise<Tracing> {
  const [{ AlwaysOnSampler, BasicTracerProvider, BatchSpanProcessor }, { OTLPTraceExporter }, resources] =
    await Promise.all([
      import('@opentelemetry/sdk-trace-base'),
      import('@opentelemetry/exporter-trace-otlp-http'),
      import('@opentelemetry/resources'),
    ]);
  const { endpoint, timeoutMs, intervalMs, batchMax, queueMax, sample, serviceName } = config;
  const bounded = new BoundedExport(queueMax, observer);
  const exporter = bounded.after(
    new OTLPTraceExporter({
      url: endpoint,
      headers: { ...headers },
      timeoutMillis: timeoutMs,
      concurrencyLimit: exportsMax,
    }),
  );
  const batches = new BatchSpanProcessor(exporter, {
    maxQueueSize: queueMax,
    maxExportBatchSize: batchMax,
    scheduledDelayMillis: intervalMs,
    // The exporter keeps its own time; this is for the case that it does not.
    exportTimeoutMillis: 2 * timeoutMs,
  });
  const provider = new BasicTracerProvider({
    // It is asked about requests only that are wanted.
    sampler: new AlwaysOnSampler(),
    spanProcessors: [bounded.before(batches)],
    spanLimits: { attributeValueLengthLimit: attributeLengthMax },
    resource: resources.defaultResource().merge(
      resources.resourceFromAttributes({
        'service.name': serviceName,
        'service.version': version,
        'service.instance.id': `${process.pid}-${thread}`,
      }),
    ),
  });
  return new Tracing({
    api,
    tracer: provider.getTracer('sallyport', version),
    isWanted: (parent) => parent?.sampled ?? Math.random() < sample,
    close: () => within(timeoutMs, provider.shutdown()),
  });
}
