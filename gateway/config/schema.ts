/**
 * The configuration file, as one schema: the types, the JSON Schema, the defaults and the hover texts all come from here.
 * What a single value may be is said here; what several values mean together is checked by `semantics.ts` and `route/compile.ts`.
 */
import { z } from 'zod';
import { traceModes } from '../core/trace-context.ts';
import { accessModes } from '../log/access.ts';
import { accessHook } from './access-hook-schema.ts';
import { decision } from './decision-schema.ts';
import { issuer } from './issuer-schema.ts';
import { oauth } from './oauth-schema.ts';
import { route } from './route-schema.ts';
import { signer } from './signer-schema.ts';
import {
  answerHeaderName,
  count,
  duration,
  headerName,
  httpUrl,
  issuerName,
  labelName,
  network,
  portNumber,
  scopeName,
} from './scalars.ts';
import { section } from './section.ts';
import { errorProfile } from './error-profile-schema.ts';
import { listenerTls, upstreamTls } from './tls-schema.ts';
import { tracing } from './tracing-schema.ts';

const threads = z.union([z.literal('auto'), count(1, 256)]).default('auto');

// ---------------------------------------------------------------- listener, admin, operations

const requestId = section({
  header: headerName.default('x-request-id').describe('Field that carries the request id, in and out.'),
  trust: z
    .boolean()
    .default(false)
    .describe('Take over a well-formed id from any caller, not only from trusted proxies.'),
});

const listener = section({
  host: z.string().min(1).default('0.0.0.0').describe('Address to listen on.'),
  port: portNumber.default(8080).describe('Port to listen on; 0 takes a free one.'),
  tls: listenerTls.optional().describe('Speak TLS, and nothing else, on this port.'),
  threads: threads.describe(
    'Listener threads. `auto` takes half of the cores this process may use, at least one.',
  ),
  max_header_bytes: count(1024, 1_048_576).default(16_384).describe('Largest request head; above it 431.'),
  max_header_count: count(8, 98)
    .default(98)
    .describe('Most header fields in a request; above it 431. The HTTP driver holds no more than 98.'),
  max_target_bytes: count(64, 65_536).default(8192).describe('Longest request target; above it 414.'),
  max_connections: count(1, 1_000_000).default(20_000).describe('Open connections of each listener thread.'),
  max_connections_per_address: count(1, 1_000_000)
    .default(2000)
    .describe(
      'Open connections of one peer address to all listener threads; counted once a second, on Linux. Trusted proxies are exempt.',
    ),
  body_timeout_ms: duration
    .default(20_000)
    .describe(
      'Longest silence within a request body; above it 408. The HTTP driver cuts off what brings less than 16 KiB/s for 30 s.',
    ),
  max_websocket_message_bytes: count(1024, 16_777_216)
    .default(1_048_576)
    .describe('Largest WebSocket message that any route may accept.'),
  answer_timeout_ms: duration
    .default(60_000)
    .describe('How long a caller may leave an answer untaken. 0: no limit.'),
  trusted_proxies: z
    .array(network)
    .default([])
    .describe('Peers whose X-Forwarded-* and request id are believed.'),
  trust_client_cert: z
    .boolean()
    .default(false)
    .describe(
      'Believe the Client-Cert field (RFC 9440) of trusted proxies, and of those that ask for decisions: the certificate that their caller showed. They must always set or remove it.',
    ),
  request_id: requestId.prefault({}).describe('The id of each request.'),
  correlation_id: section({
    header: answerHeaderName.describe(
      'Field that is sent back as it came, with every answer; absent, nothing is.',
    ),
  })
    .optional()
    .describe('An id of the caller, besides the request id.'),
  trace_context: z
    .enum(traceModes)
    .default('always')
    .describe(
      'From whom traceparent and tracestate are taken: anybody, requests whose token was accepted, or nobody.',
    ),
  error_profile: labelName
    .optional()
    .describe('How refusals are told where no route says otherwise: a name of the section `error_profiles`.'),
  realm: z
    .string()
    .regex(/^[\x20-\x21\x23-\x5b\x5d-\x7e]*$/)
    .default('sallyport')
    .describe('Realm in challenges.'),
});

const admin = section({
  host: z.string().min(1).default('127.0.0.1').describe('Address to listen on. Not for the public.'),
  port: portNumber.default(9090).describe('Port to listen on; 0 takes a free one.'),
  console: z
    .boolean()
    .optional()
    .describe(
      'Serve the console at /-/console. Default: where `host` is a loopback address. It asks for no password.',
    ),
});

const shutdown = section({
  delay_ms: duration.default(0).describe('How long to go on serving after readiness turned off.'),
  timeout_ms: duration.default(30_000).describe('How long requests in flight may take to finish.'),
});

const log = section({
  level: z
    .enum(['fatal', 'error', 'warn', 'info', 'debug', 'silent'])
    .default('info')
    .describe('The least severe level that is logged.'),
  access: z
    .enum(accessModes)
    .default('off')
    .describe('Which requests get an access line. Errors are statuses from 400 up, and callers that left.'),
  access_sample: z
    .number()
    .gt(0)
    .max(1)
    .default(0.01)
    .describe('Share of requests logged where they are sampled.'),
});

const metrics = section({
  series_max: count(100, 1_000_000)
    .default(20_000)
    .describe('Series with a route label, in all; the rest is folded into `other`.'),
  exemplars: z
    .boolean()
    .default(false)
    .describe(
      'Show the trace of a recent request in each bucket of the durations, to who scrapes OpenMetrics.',
    ),
});

// ---------------------------------------------------------------- verification

const verifier = section({
  threads: threads.describe(
    'Verify workers of each listener thread. `auto` gives each listener one, more with many cores.',
  ),
  batch_max: count(1, 1024).default(64).describe('Most tokens in one task.'),
  queue_max: count(1, 1_000_000).default(8192).describe('Tokens that may wait; above it 503.'),
  suspect_queue_max: count(1, 1_000_000).default(1024).describe('Of peers that recently sent forged tokens.'),
  deadline_ms: count(10, 60_000).default(500).describe('Longest wait for a verdict; above it 503.'),
  cache_entries: count(0, 10_000_000)
    .default(100_000)
    .describe('Verified tokens kept by each listener thread.'),
  cache_bytes: count(0, 8_589_934_592).default(134_217_728).describe('Memory that they may take, estimated.'),
  negative_entries: count(0, 1_000_000)
    .default(8192)
    .describe('Refused tokens kept by each listener thread.'),
});

// ---------------------------------------------------------------- upstreams

const upstream = section({
  urls: z
    .array(httpUrl)
    .min(1)
    .max(256)
    .describe('Where it is; several are balanced by least pending of two random choices.'),
  tls: upstreamTls
    .optional()
    .describe('For https:// URLs, whose certificates are always verified. Read again at every reload.'),
  connections: count(1, 65_535)
    .default(64)
    .describe('Most connections to each URL from each listener thread.'),
  queue_max: count(0, 1_000_000)
    .default(1024)
    .describe('Requests that may wait for a connection; above it 503.'),
  connect_timeout_ms: duration.default(2000).describe('Longest wait for a connection to open.'),
  head_timeout_ms: duration.default(30_000).describe('Longest wait for the response head.'),
  idle_timeout_ms: duration.default(60_000).describe('Longest silence within a response body. 0: no limit.'),
  keep_alive_ms: duration.default(4000).describe('How long an unused connection is kept.'),
  retries: count(0, 3)
    .default(1)
    .describe(
      'Further attempts where it is legal: connect failures, idempotent requests on a dead connection.',
    ),
  max_response_header_bytes: count(1024, 1_048_576)
    .default(65_536)
    .describe('Largest response head; above it 502.'),
  health: section({
    failures: count(1, 1000).default(3).describe('Failures in a row that take a URL out.'),
    retry_after_ms: duration
      .default(2000)
      .describe('When it is tried again; doubles up to a minute while it fails.'),
  })
    .prefault({})
    .describe('When a URL is taken out, and when it is tried again.'),
});

// ---------------------------------------------------------------- the published document

const openapi = section({
  title: z.string().min(1).default('API').describe('Its title.'),
  version: z.string().min(1).default('1').describe('The version of the API.'),
  internal: z
    .array(z.string().regex(/^x-/, 'must begin with x-'))
    .default([])
    .describe('Extension keys of imported documents that begin like this are not published.'),
});

// ---------------------------------------------------------------- the file

export const configSchema = section({
  version: z.literal(1).describe('Version of this format.'),
  listener: listener.prefault({}).describe('Where requests come in, and their limits.'),
  admin: admin.prefault({}).describe('Health, metrics, reload and the console.'),
  shutdown: shutdown.prefault({}).describe('How the program ends on SIGTERM.'),
  log: log.prefault({}).describe('What is logged.'),
  metrics: metrics.prefault({}).describe('Limits of the metrics.'),
  tracing: tracing.prefault({}).describe('Spans of requests, for OpenTelemetry.'),
  verifier: verifier.prefault({}).describe('Verification of tokens.'),
  issuers: z
    .record(issuerName, issuer)
    .default({})
    .describe('Whose tokens are accepted, by a name of your choice.'),
  upstreams: z
    .record(labelName, upstream)
    .default({})
    .describe('The services behind the gateway, by a name of your choice.'),
  signers: z
    .record(labelName, signer)
    .default({})
    .describe('What the gateway signs tokens of its own with, by a name of your choice.'),
  access_hooks: z
    .record(labelName, accessHook)
    .default({})
    .describe('Services that are asked about permitted requests, by a name of your choice.'),
  scopes: section({
    implies: z
      .record(scopeName, z.array(scopeName).min(1))
      .default({})
      .describe('Scopes that grant others: `admin: [orders:read]`.'),
  })
    .prefault({})
    .describe('What holds for scopes everywhere.'),
  identity_headers: z
    .array(headerName)
    .default([])
    .describe('Fields never taken from callers, besides those that routes make of claims.'),
  error_profiles: z
    .record(labelName, errorProfile)
    .default({})
    .describe('Shapes of refusals, by a name of your choice.'),
  routes: z.array(route).min(1).describe('The routes; what none of them matches is 404.'),
  openapi: openapi.prefault({}).describe('The OpenAPI document of the routes, as it is published.'),
  decision: decision.optional().describe('Decisions for proxies that forward by themselves.'),
  oauth: oauth.optional().describe('Logins: providers, and where credentials are kept.'),
});

export type Config = z.infer<typeof configSchema>;
export type IssuerConfig = Config['issuers'][string];
export type SignerConfig = Config['signers'][string];
export type TlsConfig = NonNullable<Config['listener']['tls']>;
export type IntrospectionConfig = NonNullable<IssuerConfig['introspection']>;
export type KeysConfig = IssuerConfig['keys'];
export type UpstreamConfig = Config['upstreams'][string];
export type TracingConfig = Config['tracing'];
export type OauthConfig = NonNullable<Config['oauth']>;
export type ClientAuthConfig = ProviderConfig['clientAuth'];
export type ProviderConfig = OauthConfig['providers'][string];
