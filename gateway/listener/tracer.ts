/** The tracer of a listener thread, put together: what it sends through, its pen for metrics, and its voice in the log. */
import { systemClock } from '../core/clock.ts';
import type { Logger } from '../log/logger.ts';
import { RepeatedWarnings } from '../log/repeats.ts';
import { spanRecorder } from '../metrics/span-recorder.ts';
import { openTracing } from '../tracing/open.ts';
import type { ListenerBoot } from './messages.ts';
import { Tracer } from './request-trace.ts';

/** Null: nothing is traced. */
export async function openTracer(boot: ListenerBoot, thread: string, logger: Logger): Promise<Tracer | null> {
  const { config, collectorHeaders } = boot.configuration;
  const warnings = new RepeatedWarnings(logger, systemClock);
  const tracing = await openTracing(config.tracing, collectorHeaders, thread, {
    counted: spanRecorder(boot.metrics),
    failed: (reason) => warnings.warn('export', { reason }, 'spans could not be sent'),
    unusable: () =>
      logger.warn({}, 'an OpenTelemetry SDK of another version is registered; nothing is traced'),
  });
  if (tracing === null) return null;
  return new Tracer({
    tracing,
    clock: systemClock,
    secure: boot.tls !== null,
    failed: (error) => warnings.error('sdk', { err: error }, 'the OpenTelemetry SDK failed'),
  });
}
