/** Loaded into every thread of the program under test, as an operator would: registers an SDK that sends to a collector. */
import { trace } from '@opentelemetry/api';
import { OTLPTraceExporter } from '@opentelemetry/exporter-trace-otlp-http';
import { BasicTracerProvider, BatchSpanProcessor } from '@opentelemetry/sdk-trace-base';

const url = process.env['TEST_COLLECTOR']!;
const processor = new BatchSpanProcessor(new OTLPTraceExporter({ url }), { scheduledDelayMillis: 60_000 });
const broken = process.env['TEST_BROKEN_AT'];
const breaking = {
  onStart: () => breakAt('start'),
  onEnd: () => breakAt('end'),
  forceFlush: () => Promise.resolve(),
  shutdown: () => Promise.resolve(),
};
trace.setGlobalTracerProvider(new BasicTracerProvider({ spanProcessors: [processor, breaking] }));

function breakAt(place: string): void {
  if (place === broken) throw new Error('broken by a test');
}
