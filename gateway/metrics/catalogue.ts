/**
 * Every metric that Sallyport exports: name, help, type, labels, buckets. The layout of the shared cells (`layout.ts`), the
 * control plane's own metrics (`control.ts`) and the exposition are all made from these tables; nothing else names a metric.
 *
 * Label values are closed sets, or names that the configuration knows: routes, upstreams, providers, issuers. Paths, subjects, key
 * ids and addresses are never labels.
 *
 * Source: https://prometheus.io/docs/practices/naming/; HTTP buckets after OpenTelemetry's `http.server.request.duration`.
 */

import { hookAnswers, hookOrigins } from '../access-hook/answers.ts';
import { decisionModes, decisionOutcomes } from '../decision/mode.ts';
import { FLIGHT_STATES } from '../flight/census.ts';
import type { Counter } from '../flight/counters.ts';
import { providerOutcomes, providerSteps, refreshRoles, storeOperations } from '../oauth/observer.ts';

/** `route`, `upstream`, `provider` and `issuer` are names of the configuration; `thread` is the region a cell lies in. */
export type LabelValues =
  readonly string[] | 'route' | 'upstream' | 'provider' | 'issuer' | 'thread' | 'text';

export interface Family {
  readonly type: 'counter' | 'gauge' | 'histogram';
  readonly help: string;
  readonly labels: Readonly<Record<string, LabelValues>>;
  /** Upper bounds of a histogram, ascending, in the unit of the name; empty for the other types. */
  readonly buckets: readonly number[];
}

type Labels = Family['labels'];

const counter = <L extends Labels>(help: string, labels: L) =>
  ({ type: 'counter', help, labels, buckets: [] }) as const;
const gauge = <L extends Labels>(help: string, labels: L) =>
  ({ type: 'gauge', help, labels, buckets: [] }) as const;
const histogram = <L extends Labels>(help: string, buckets: readonly number[], labels: L) =>
  ({ type: 'histogram', help, labels, buckets }) as const;

const httpSeconds = [
  0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.075, 0.1, 0.25, 0.5, 0.75, 1, 2.5, 5, 7.5, 10,
] as const;
const verifySeconds = [25e-6, 5e-5, 1e-4, 2.5e-4, 5e-4, 1e-3, 2.5e-3, 5e-3, 1e-2, 2.5e-2, 0.1, 0.5] as const;
const fetchSeconds = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5] as const;
const loginSeconds = [1, 2.5, 5, 10, 20, 30, 60, 120, 300, 600, 900] as const;
const batchTokens = [1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 1024] as const;

export const verifyAlgorithms = [
  'RS256', 'RS384', 'RS512', 'PS256', 'PS384', 'PS512', 'ES256', 'ES384', 'ES512', 'EdDSA', 'HS256', 'HS384', 'HS512', 'other',
] as const; // prettier-ignore
export const verifyResults = ['accepted', 'refused', 'failed'] as const;
export const cacheOutcomes = ['hit', 'negative', 'joined', 'miss'] as const;
export const lanes = ['fresh', 'suspect'] as const;
export const upstreamErrorKinds = ['unreachable', 'reset', 'invalid', 'timeout', 'full', 'tls'] as const;
export const connectionStates = ['busy', 'idle'] as const;
/** How a WebSocket ended, as its caller saw it; `broken`: without a close frame, `violation`: by what it sent against the protocol. */
export const webSocketEnds = ['normal', 'application', 'error', 'expired', 'violation', 'broken'] as const;
export type WebSocketEnd = (typeof webSocketEnds)[number];
export const webSocketDirections = ['in', 'out'] as const;
export const decisions = ['allowed', 'denied', 'failed'] as const;
export const reloadOutcomes = ['applied', 'unchanged', 'rejected'] as const;
export const fetchOutcomes = ['changed', 'unchanged', 'failed'] as const;
export const certificateReloadOutcomes = ['applied', 'rejected'] as const;
export const introspectionOutcomes = ['active', 'inactive', 'failed'] as const;
export const flowEnds = ['success', 'expired', 'cancelled', 'error'] as const;
export const refreshResults = ['ok', 'failed'] as const;
export const gcKinds = ['minor', 'major', 'incremental', 'weak_callbacks'] as const;
/** What the series budget had no room for: counters by route, decision counters by route, duration histograms by route. */
export const foldedFamilies = ['requests', 'decisions', 'durations'] as const;
export const spanOutcomes = ['exported', 'failed', 'dropped'] as const;
export const mintPurposes = ['exchange', 'renewal'] as const;
export const unknownKidOutcomes = ['fetched', 'suppressed'] as const;

/** Counted per route in the series table (`series.ts`), because most combinations never occur. */
export const seriesFamilies = {
  sallyport_http_requests_total: counter(
    'Requests that were answered, or whose caller left first (code 499).',
    {
      route: 'route',
      method: 'text',
      code: 'text',
    },
  ),
  sallyport_authz_decisions_total: counter(
    'Authorization decisions; failed is a fault of the gateway, not of the token.',
    {
      route: 'route',
      decision: decisions,
      reason: 'text',
    },
  ),
} as const satisfies Record<string, Family>;

/** Cells with fixed addresses. The listeners write them; `thread` families keep one value per thread, the rest are summed. */
export const cellFamilies = {
  sallyport_http_request_duration_seconds: histogram(
    'From the request head to the end of the answer.',
    httpSeconds,
    {
      route: 'route',
    },
  ),
  sallyport_http_requests_in_flight: gauge('Requests that are being served.', {}),
  sallyport_http_connections: gauge('Open connections of callers.', {}),
  sallyport_decisions_asked_total: counter('Decisions that other proxies and programs asked for.', {
    mode: decisionModes,
    outcome: decisionOutcomes,
  }),
  sallyport_websocket_connections: gauge('Open WebSockets.', {}),
  sallyport_websocket_opened_total: counter('WebSockets that were opened.', { route: 'route' }),
  sallyport_websocket_closed_total: counter('WebSockets that ended, by how their caller saw it.', {
    route: 'route',
    end: webSocketEnds,
  }),
  sallyport_websocket_messages_total: counter('WebSocket messages from callers (in) and to them (out).', {
    direction: webSocketDirections,
  }),
  sallyport_websocket_bytes_total: counter(
    'Bytes of WebSocket messages from callers (in) and to them (out).',
    {
      direction: webSocketDirections,
    },
  ),
  sallyport_access_hook_answers_total: counter('Answers of access hooks, and where they came from.', {
    answer: hookAnswers,
    origin: hookOrigins,
  }),
  sallyport_jwt_verifications_total: counter('Tokens that were looked at, by what the cache knew.', {
    algorithm: verifyAlgorithms,
    result: verifyResults,
    cache: cacheOutcomes,
  }),
  sallyport_jwt_verify_duration_seconds: histogram(
    'From a token that no cache knew to its facts.',
    verifySeconds,
    {
      result: verifyResults,
    },
  ),
  sallyport_jwt_cache_entries: gauge('Verified tokens that are kept.', {}),
  sallyport_jwt_cache_bytes: gauge('Estimated memory of the verified tokens that are kept.', {}),
  sallyport_jwt_cache_evictions_total: counter('Verified tokens dropped to make room.', {}),
  sallyport_tokens_minted_total: counter('Tokens that the gateway made.', { purpose: mintPurposes }),
  sallyport_verify_batch_tokens: histogram('Tokens sent to a worker in one task.', batchTokens, {}),
  sallyport_verify_queue_tokens: gauge('Tokens that wait to be verified.', { lane: lanes }),
  sallyport_verify_queue_wait_seconds: histogram('How long tokens waited to be verified.', verifySeconds, {
    lane: lanes,
  }),
  sallyport_verify_busy_seconds_total: counter('Time that verify workers spent on tasks.', {}),
  sallyport_verify_pool_utilization_ratio: gauge('Share of the time that the verify workers were busy.', {
    thread: 'thread',
  }),
  sallyport_verify_worker_restarts_total: counter('Verify workers that were replaced.', {}),
  sallyport_upstream_request_duration_seconds: histogram(
    'From sending a request upstream to the head of its answer.',
    httpSeconds,
    { upstream: 'upstream' },
  ),
  sallyport_upstream_errors_total: counter('Upstream calls that failed.', {
    upstream: 'upstream',
    kind: upstreamErrorKinds,
  }),
  sallyport_upstream_retries_total: counter('Upstream calls that were sent again.', { upstream: 'upstream' }),
  sallyport_upstream_abandoned_total: counter('Upstream calls that ended because the caller left.', {
    upstream: 'upstream',
  }),
  sallyport_upstream_urls_out: gauge(
    'URLs out of use after failures, each counted by every thread that avoids it.',
    {
      upstream: 'upstream',
    },
  ),
  sallyport_upstream_urls: gauge('URLs of upstreams, each counted by every thread.', {
    upstream: 'upstream',
  }),
  sallyport_upstream_connections: gauge('Open connections to upstreams.', {
    upstream: 'upstream',
    state: connectionStates,
  }),
  sallyport_upstream_requests_queued: gauge('Requests that wait for an upstream connection.', {
    upstream: 'upstream',
  }),
  sallyport_oauth_flows_started_total: counter('Logins that were made at a provider.', {
    provider: 'provider',
  }),
  sallyport_oauth_flows_joined_total: counter('Starts that were answered with a login under way.', {
    provider: 'provider',
  }),
  sallyport_oauth_flows_ended_total: counter('Logins that ended, by their last state.', {
    provider: 'provider',
    state: flowEnds,
  }),
  sallyport_oauth_login_duration_seconds: histogram(
    'From the start of a login to its success.',
    loginSeconds,
    { provider: 'provider' },
  ),
  sallyport_oauth_provider_calls_total: counter('Requests to providers, by step and outcome.', {
    provider: 'provider',
    step: providerSteps,
    outcome: providerOutcomes,
  }),
  sallyport_oauth_refreshes_total: counter('Refreshes of stored credentials, led or joined.', {
    provider: 'provider',
    role: refreshRoles,
    result: refreshResults,
  }),
  sallyport_oauth_store_errors_total: counter('Operations of the credential store that failed.', {
    operation: storeOperations,
  }),
  sallyport_oauth_waiters: gauge('Calls that wait for a login or a refresh.', {}),
  sallyport_event_loop_lag_p99_seconds: gauge(
    '99th percentile of the event loop delay over the last interval.',
    {
      thread: 'thread',
    },
  ),
  sallyport_event_loop_lag_max_seconds: gauge('Largest event loop delay of the last interval.', {
    thread: 'thread',
  }),
  sallyport_event_loop_utilization_ratio: gauge(
    'Share of the last interval in which the event loop was busy.',
    {
      thread: 'thread',
    },
  ),
  sallyport_gc_pauses_total: counter('Pauses for garbage collection.', { thread: 'thread', kind: gcKinds }),
  sallyport_gc_pause_seconds_total: counter('Time that pauses for garbage collection took.', {
    thread: 'thread',
    kind: gcKinds,
  }),
  sallyport_heap_used_bytes: gauge('Heap in use.', { thread: 'thread' }),
  sallyport_heap_limit_bytes: gauge('Heap at which the thread, and with it the process, ends.', {
    thread: 'thread',
  }),
  sallyport_external_memory_bytes: gauge('Memory outside the heap that its objects hold.', {
    thread: 'thread',
  }),
  sallyport_metrics_folded_total: counter(
    'Observations counted as route `other`, because the series budget is spent.',
    { family: foldedFamilies },
  ),
  sallyport_trace_spans_total: counter(
    'Spans handed to the collector, lost on the way to it, or dropped because too many waited.',
    { outcome: spanOutcomes },
  ),
  sallyport_log_lines_dropped_total: counter('Log lines dropped because the output did not keep up.', {}),
} as const satisfies Record<string, Family>;

/** Kept by prom-client on the main thread, where they happen. */
export const controlFamilies = {
  sallyport_build_info: gauge('Always 1; what is running.', {
    version: 'text',
    node: 'text',
    http_driver: 'text',
  }),
  sallyport_listeners: gauge('Listener threads that are serving.', {}),
  sallyport_listener_restarts_total: counter('Listener threads that died and were replaced.', {}),
  sallyport_draining: gauge('1 while the gateway is shutting down.', {}),
  sallyport_config_last_reload_successful: gauge('Whether the last reload succeeded.', {}),
  sallyport_config_last_reload_success_timestamp_seconds: gauge(
    'When the configuration was last loaded.',
    {},
  ),
  sallyport_config_reloads_total: counter('Reloads of the configuration.', { outcome: reloadOutcomes }),
  sallyport_metrics_series: gauge('Series with a route label that exist.', {}),
  sallyport_metrics_series_limit: gauge('Series with a route label that may exist.', {}),
  sallyport_tls_certificate_not_after_timestamp_seconds: gauge(
    'When a certificate of the listener expires, by its first configured name, else its position.',
    { certificate: 'text' },
  ),
  sallyport_tls_certificate_reloads_total: counter(
    'Renewed certificate files; rejected ones were not usable, and the former stay.',
    { outcome: certificateReloadOutcomes },
  ),
  sallyport_introspections_total: counter('Questions to issuers about opaque tokens.', {
    issuer: 'issuer',
    outcome: introspectionOutcomes,
  }),
  sallyport_jwks_keys: gauge('Usable keys of an issuer.', { issuer: 'issuer' }),
  sallyport_jwks_max_stale_seconds: gauge('Age at which the keys of an issuer are no longer used.', {
    issuer: 'issuer',
  }),
  sallyport_jwks_age_seconds: gauge(
    'Time since the keys of an issuer were last confirmed; NaN before the first time.',
    {
      issuer: 'issuer',
    },
  ),
  sallyport_jwks_fetches_total: counter('Fetches of key sets.', { issuer: 'issuer', outcome: fetchOutcomes }),
  sallyport_jwks_fetch_duration_seconds: histogram('How long fetches of key sets took.', fetchSeconds, {
    issuer: 'issuer',
  }),
  sallyport_jwks_unknown_kids_total: counter('Tokens whose kid was not in the key set.', {
    issuer: 'issuer',
    outcome: unknownKidOutcomes,
  }),
} as const satisfies Record<string, Family>;

/** What the flight table counts in its own shared words, logins and refreshes together (`flight/counters.ts`). */
export const flightFamilies = {
  sallyport_flight_claims_total: counter('Flights begun: nobody else calls a provider.', {}),
  sallyport_flight_joins_total: counter('Starts that a thread answered with the flight of another.', {}),
  sallyport_flight_takeovers_total: counter(
    'Flights begun because the leader of the former had stalled.',
    {},
  ),
  sallyport_flight_published_total: counter('Flights whose provider answered.', {}),
  sallyport_flight_fenced_total: counter('Late writes of leaders that had lost their lease, refused.', {}),
  sallyport_flight_failures_total: counter('Flights that their leader ended as failed.', {}),
  sallyport_flight_shared_failures_total: counter('Starts answered with the failure of another.', {}),
  sallyport_flight_successes_total: counter('Flights that succeeded.', {}),
  sallyport_flight_cancels_total: counter('Flights that were cancelled.', {}),
  sallyport_flight_expiries_total: counter('Flights that ended at a deadline.', {}),
  sallyport_flight_purges_total: counter('Ended flights that were kept long enough.', {}),
  sallyport_flight_full_total: counter('Starts refused because the table had no slot for their key.', {}),
  sallyport_flight_blocks_exhausted_total: counter(
    'Starts refused because too many flights were under way.',
    {},
  ),
  sallyport_flight_oversized_total: counter('Flights whose details were too large to be shared.', {}),
  sallyport_flight_spawn_failures_total: counter('Flights that a thread could not follow.', {}),
  sallyport_flight_retries_total: counter('Decisions repeated because another thread was faster.', {}),
  sallyport_flight_waited_out_total: counter('Starts that waited for a leader until their deadline.', {}),
  sallyport_flight_contended_total: counter('Starts that gave up because others were faster.', {}),
  sallyport_flight_reaps_total: counter('Threads whose flights were ended after their death.', {}),
  sallyport_flight_orphans_total: counter('Flights that ended with their thread.', {}),
} as const satisfies Record<`sallyport_flight_${Counter}_total`, Family>;

/** Counted in the flight table at each scrape. */
export const censusFamilies = {
  sallyport_flight_keys: gauge('Slots of the flight table that belong to a key.', {}),
  sallyport_flight_slots: gauge('Slots of the flight table.', {}),
  sallyport_flights: gauge('Logins and refreshes under way, and those that ended a short while ago.', {
    state: FLIGHT_STATES,
  }),
} as const satisfies Record<string, Family>;

export type CellFamilyName = keyof typeof cellFamilies;
export type SeriesFamilyName = keyof typeof seriesFamilies;
export type ControlFamilyName = keyof typeof controlFamilies;
