/** Tracing: where spans go, which requests have them, and how many may wait to be sent. */
import { z } from 'zod';
import { count, fileName, httpUrl } from './scalars.ts';
import { section } from './section.ts';

export const tracing = section({
  exporter: z
    .enum(['registered', 'otlp', 'none'])
    .default('registered')
    .describe(
      'Where spans go: to the OpenTelemetry SDK that a preloaded module registered, if one did; by OTLP to `endpoint`; nowhere.',
    ),
  endpoint: httpUrl
    .default('http://127.0.0.1:4318/v1/traces')
    .describe('Where the collector takes OTLP over HTTP as JSON.'),
  allow_http: z.boolean().default(false).describe('Permit http:// to hosts that are not loopback.'),
  headers_file: fileName
    .optional()
    .describe('Header fields for the collector, as a file: `name=value`, by commas or lines.'),
  headers_env: z
    .string()
    .min(1)
    .optional()
    .describe('The same, as the name of an environment variable: what OTEL_EXPORTER_OTLP_HEADERS holds.'),
  service_name: z.string().min(1).max(128).default('sallyport').describe('`service.name` of the spans.'),
  sample: z
    .number()
    .min(0)
    .max(1)
    .default(1)
    .describe(
      'Share of the traces begun here that are recorded. In a trace that is taken over, its caller has decided.',
    ),
  timeout_ms: count(100, 60_000)
    .default(5000)
    .describe('Longest time for one export, repetitions included. At the end of the program, 3 s at most.'),
  interval_ms: count(10, 60_000).default(2000).describe('How long spans are gathered before they are sent.'),
  batch_max: count(1, 8192).default(512).describe('Most spans in one export.'),
  queue_max: count(1, 65_536)
    .default(2048)
    .describe('Spans that a listener thread holds; those beyond are dropped, and counted.'),
});
