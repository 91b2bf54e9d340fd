/**
 * Whether a thread traces, and through what. `@opentelemetry/api` is loaded only where an SDK is behind it: ours, because the
 * configuration says so, or one that a module registered which was loaded before (`node --import`, in `NODE_OPTIONS`).
 */
import type { TracingConfig } from '../config/schema.ts';
import { version } from '../version.ts';
import type { ExportObserver } from './bounded-export.ts';
import type { CollectorHeaders } from './preparation.ts';
import type { Tracing } from './tracing.ts';

export interface TracingObserver extends ExportObserver {
  /** An SDK is registered that speaks an API which ours does not know. */
  unusable(): void;
}

/** Null: nothing is traced, and nothing was loaded. */
export async function openTracing(
  config: TracingConfig,
  headers: CollectorHeaders,
  thread: string,
  observer: TracingObserver,
): Promise<Tracing | null> {
  switch (config.exporter) {
    case 'none':
      return null;
    case 'otlp': {
      const { startOtlp } = await import('./otlp.ts');
      return startOtlp(config, headers, thread, observer);
    }
    case 'registered':
      return registered() === undefined ? null : useRegistered(config.timeoutMs, observer);
  }
}

/** Where all copies of the API's major version keep what was registered with any of them. */
function registered(): unknown {
  const global: unknown = Reflect.get(globalThis, Symbol.for('opentelemetry.js.api.1'));
  return (global as { readonly trace?: unknown } | undefined)?.trace;
}

async function useRegistered(timeoutMs: number, observer: TracingObserver): Promise<Tracing | null> {
  const [api, { Tracing }, { within }] = await Promise.all([
    import('@opentelemetry/api'),
    import('./tracing.ts'),
    import('./last-export.ts'),
  ]);
  const provider = api.trace.getTracerProvider();
  if (provider !== registered()) {
    observer.unusable();
    return null;
  }
  const { getDelegate } = provider as { getDelegate?: () => { forceFlush?: () => Promise<void> } };
  const sdk = getDelegate?.call(provider);
  return new Tracing({
    api,
    tracer: provider.getTracer('sallyport', version),
    // Its own sampler decides.
    isWanted: () => true,
    close: () => within(timeoutMs, Promise.resolve(sdk?.forceFlush?.())),
  });
}
