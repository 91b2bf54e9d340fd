/**
 * The configuration file, as one schema: the types, the JSON Schema, the defaults and the hover texts all come from here.
 * What a single value may be is said here; what several values mean together is checked by `route/compile.ts` and `check.ts`.
 */
import { z } from 'zod';
import { labelName, duration, headerName, httpUrl, portNumber, scopeName } from './scalars.ts';
import { section } from './section.ts';

const count = (from: number, to: number) => z.int().min(from).max(to);
const threads = z.union([z.literal('auto'), count(1, 256)]).default('auto');

// ---------------------------------------------------------------- listener, admin, operations

const requestId = section({
  header: headerName.default('x-request-id').describe('Field that carries the request id, in and out.'),
  trust: z.boolean().default(false).describe('Take over a well-formed id from any caller, not only from trusted proxies.'),
});

const listener = section({
  host: z.string().min(1).default('0.0.0.0').describe('Address to listen on.'),
  port: portNumber.default(8080),
  threads: threads.describe('Listener threads. `auto` takes half of the cores this process may use, at least one.'),
  max_header_bytes: count(1024, 1_048_576).default(16_384).describe('Largest request head; above it 431.'),
  max_header_count: count(8, 100).default(100).describe('Most header fields in a request; above it 431.'),
  max_target_bytes: count(64, 65_536).default(8192).describe('Longest request target; above it 414.'),
  max_connections: count(1, 1_000_000).default(20_000).describe('Open connections of each listener thread.'),
  max_connections_per_address: count(1, 1_000_000).default(2000).describe('Open connections of one peer address, per thread.'),
  body_timeout_ms: duration.default(60_000).describe('Longest silence within a request body.'),
  trusted_proxies: z
    .array(z.union([z.cidrv4(), z.cidrv6(), z.ipv4(), z.ipv6()]))
    .default([])
    .describe('Peers whose X-Forwarded-* and request id are believed.'),
  request_id: requestId.prefault({}),
  realm: z.string().regex(/^[\x20-\x21\x23-\x5b\x5d-\x7e]*$/).default('sallyport').describe('Realm in challenges.'),
});

const admin = section({
  host: z.string().min(1).default('127.0.0.1'),
  port: portNumber.default(9090),
});

const shutdown = section({
  delay_ms: duration.default(0).describe('How long to go on serving after readiness turned off.'),
  timeout_ms: duration.default(30_000).describe('How long requests in flight may take to finish.'),
});

const log = section({
  level: z.enum(['fatal', 'error', 'warn', 'info', 'debug', 'silent']).default('info'),
  access: z.enum(['off', 'errors', 'sampled', 'all']).default('off').describe('Which requests get an access line.'),
  access_sample: z.number().gt(0).max(1).default(0.01).describe('Share of requests logged when `access: sampled`.'),
});

const metrics = section({
  series_max: count(100, 1_000_000).default(20_000).describe('Series with a route label, in all; the rest is folded into `other`.'),
});

// ---------------------------------------------------------------- verification

const verifier = section({
  threads: threads.describe('Verify workers of each listener thread. `auto` gives each listener one, more with many cores.'),
  batch_max: count(1, 1024).default(64).describe('Most tokens in one task.'),
  queue_max: count(1, 1_000_000).default(8192).describe('Tokens that may wait; above it 503.'),
  suspect_queue_max: count(1, 1_000_000).default(1024).describe('Of peers that recently sent forged tokens.'),
  deadline_ms: count(10, 60_000).default(500).describe('Longest wait for a verdict; above it 503.'),
  cache_entries: count(0, 10_000_000).default(100_000).describe('Verified tokens kept by each listener thread.'),
  cache_bytes: count(0, 8_589_934_592).default(134_217_728).describe('Memory that they may take, estimated.'),
  negative_entries: count(0, 1_000_000).default(8192).describe('Refused tokens kept by each listener thread.'),
});

// ---------------------------------------------------------------- issuers

export const algorithms = [
  'RS256', 'RS384', 'RS512', 'PS256', 'PS384', 'PS512', 'ES256', 'ES384', 'ES512', 'EdDSA', 'HS256', 'HS384', 'HS512',
] as const; // prettier-ignore

const claimPath = z
  .union([z.string().min(1), z.array(z.string().min(1)).min(1)])
  .describe('A claim, or the path to one inside of others as a list of names. A string is one name, dots and all.');

const keys = section({
  jwks_uri: httpUrl.optional().describe('Where the key set is published.'),
  discovery: z.literal(true).optional().describe('Find the key set by OpenID Connect Discovery from `issuer`.'),
  jwks_file: z.string().min(1).optional().describe('A key set on disk; watched.'),
  secret_file: z.string().min(1).optional().describe('The shared secret of HS algorithms, as a file; watched.'),
  secret_env: z.string().min(1).optional().describe('The shared secret of HS algorithms, as the name of an environment variable.'),
  secret_encoding: z.enum(['utf8', 'base64url', 'base64', 'hex']).default('utf8'),
  allow_http: z.boolean().default(false).describe('Permit http:// to hosts that are not loopback.'),
  refresh_seconds: count(1, 86_400).default(300).describe('Background refresh, with jitter.'),
  max_stale_seconds: count(0, 31_536_000).default(86_400).describe('How long old keys serve while refreshes fail; then 503.'),
  unknown_kid_interval_seconds: count(1, 3600).default(10).describe('At most one fetch for unknown kids in this time.'),
  timeout_ms: count(100, 60_000).default(5000),
  max_bytes: count(256, 16_777_216).default(262_144).describe('Largest key set document.'),
});

const tokenTypes = section({
  claim: z.string().min(1).default('scope').describe('The claim that says the type: one string.'),
  values: z.array(z.string().min(1)).min(1).max(31).describe('The known types.'),
  default: z.string().min(1).describe('Type of a token without the claim, and of a route that names none.'),
});

const issuer = section({
  issuer: z.string().min(1).optional().describe('`iss`, compared byte for byte. Without it `iss` is not looked at.'),
  audiences: z.array(z.string().min(1)).default([]).describe('Accepted `aud`; one must be there. Empty: not looked at.'),
  algorithms: z.array(z.enum(algorithms)).min(1).describe('The accepted algorithms; HS and public ones never together.'),
  keys,
  leeway_seconds: count(0, 300).default(10).describe('Tolerance of exp, nbf and iat.'),
  typ: z.array(z.string().min(1)).optional().describe('Accepted `typ` of the header (RFC 9068: at+jwt). Default: JWT, at+jwt or none.'),
  required_claims: z.array(z.string().min(1)).default([]).describe('Claims that must be there besides exp.'),
  scope_claims: z.array(claimPath).default(['scope', 'scp']).describe('Where scopes are: a space-separated string, or an array for any but `scope`.'),
  subject_claim: z.string().min(1).default('sub'),
  max_token_bytes: count(256, 65_536).default(8192),
  require_kid: z.boolean().default(false).describe('Refuse tokens without a kid even when the set has one key.'),
  token_types: tokenTypes.optional(),
});

// ---------------------------------------------------------------- upstreams

const upstream = section({
  urls: z.array(httpUrl).min(1).max(256).describe('Where it is; several are balanced by least pending of two random choices.'),
  connections: count(1, 65_535).default(64).describe('Most connections to each URL from each listener thread.'),
  queue_max: count(0, 1_000_000).default(1024).describe('Requests that may wait for a connection; above it 503.'),
  connect_timeout_ms: duration.default(2000),
  head_timeout_ms: duration.default(30_000).describe('Longest wait for the response head.'),
  idle_timeout_ms: duration.default(60_000).describe('Longest silence within a response body. 0: no limit.'),
  keep_alive_ms: duration.default(4000).describe('How long an unused connection is kept.'),
  retries: count(0, 3).default(1).describe('Further attempts where it is legal: connect failures, idempotent requests on a dead connection.'),
  max_response_header_bytes: count(1024, 1_048_576).default(65_536),
  health: section({
    failures: count(1, 1000).default(3).describe('Failures in a row that take a URL out.'),
    retry_after_ms: duration.default(2000).describe('When it is tried again; doubles up to a minute while it fails.'),
  }).prefault({}),
});

// ---------------------------------------------------------------- routes

const scopes = section({
  all: z.array(scopeName).default([]).describe('Every one is required.'),
  any: z.array(scopeName).default([]).describe('One of them is required.'),
});

const claimHeader = z.union([
  claimPath,
  section({
    claim: claimPath,
    join: z.string().max(8).optional().describe('Separator for an array; without it an array is refused.'),
    json: z.literal(true).optional().describe('Send the value as JSON (ASCII).'),
    required: z.boolean().default(false).describe('Refuse tokens without the claim instead of leaving the field out.'),
  }),
]);

const forwarding = section({
  claims: z.record(headerName, claimHeader).default({}).describe('Header fields made of claims.'),
  set: z.record(headerName, z.string().regex(/^[\x20-\x7e]*$/)).default({}).describe('Header fields with a constant value.'),
  remove: z.array(headerName).default([]).describe('Request fields that are not forwarded.'),
  authorization: z.boolean().default(false).describe('Forward the Authorization field.'),
  host: z.enum(['upstream', 'original']).default('upstream').describe('Which Host the upstream sees.'),
});

const respond = section({
  status: count(200, 599).default(204),
  headers: z.record(headerName, z.string().regex(/^[\x20-\x7e]*$/)).default({}),
  body: z.string().max(65_536).default(''),
});

const pathAllowance = z.enum(['encoded_slash', 'semicolon', 'empty_segment']);

const routeShape = {
  id: labelName.optional().describe('Name in metrics and logs. Default: methods and path.'),
  path: z.string().startsWith('/').optional().describe('Exact path; `{name}` is one segment. Relative to the parent.'),
  prefix: z.string().startsWith('/').optional().describe('This path and everything below it.'),
  methods: z.array(z.enum(['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS'])).min(1).optional().describe('GET includes HEAD.'),
  issuer: z.string().optional().describe('Whose tokens are accepted.'),
  issuers: z.array(z.string()).min(1).optional().describe('Several of them.'),
  audiences: z.array(z.string().min(1)).min(1).optional().describe('Narrows the accepted `aud` of the issuers.'),
  public: z.boolean().optional().describe('No token is asked for or looked at.'),
  scopes: scopes.optional(),
  token_types: z.array(z.string()).min(1).optional().describe('Allowed token types; the union over all levels.'),
  subject: section({ param: z.string().min(1).describe('Path parameter that must equal the subject, as raw text.') }).optional(),
  upstream: z.string().optional(),
  respond: respond.optional().describe('Answer here instead of forwarding.'),
  forward: forwarding.optional(),
  allow_in_path: z.array(pathAllowance).optional().describe('Odd path forms this route accepts; else 400.'),
  max_body_bytes: count(0, Number.MAX_SAFE_INTEGER).optional().describe('Largest request body; above it 413.'),
  closed: z.boolean().optional().describe('A prefix that serves its listed routes only: the rest below it is 404.'),
};

type RouteFields = z.infer<ReturnType<typeof section<typeof routeShape>>>;
type RouteFieldsInput = z.input<ReturnType<typeof section<typeof routeShape>>>;

/** One node of the route tree: what it says itself; inheritance is resolved by `route/compile.ts`. */
export type RouteNode = RouteFields & { readonly routes?: readonly RouteNode[] | undefined };
type RouteNodeInput = RouteFieldsInput & { routes?: RouteNodeInput[] | undefined };

const route: z.ZodType<RouteNode, RouteNodeInput> = z.lazy(() =>
  section({ ...routeShape, routes: z.array(route).optional().describe('Routes below this one; they inherit from it.') }),
);

// ---------------------------------------------------------------- the file

export const configSchema = section({
  version: z.literal(1),
  listener: listener.prefault({}),
  admin: admin.prefault({}),
  shutdown: shutdown.prefault({}),
  log: log.prefault({}),
  metrics: metrics.prefault({}),
  verifier: verifier.prefault({}),
  issuers: z.record(labelName, issuer).default({}),
  upstreams: z.record(labelName, upstream).default({}),
  scopes: section({
    implies: z.record(scopeName, z.array(scopeName).min(1)).default({}).describe('Scopes that grant others: `admin: [orders:read]`.'),
  }).prefault({}),
  identity_headers: z.array(headerName).default([]).describe('Fields never taken from callers, besides those that routes make of claims.'),
  routes: z.array(route).min(1),
});

export type Config = z.infer<typeof configSchema>;
export type IssuerConfig = Config['issuers'][string];
export type KeysConfig = IssuerConfig['keys'];
export type UpstreamConfig = Config['upstreams'][string];
export type Algorithm = (typeof algorithms)[number];
