/**
 * A thread's pen: what happened, as a few adds to the thread's own cells. Nothing here allocates, locks or fails.
 * The listener calls it, and its parts do through the observers they define. Times come in milliseconds, labels as ordinals
 * of `LabelIndex` or as members of the catalogue's closed sets.
 */
import { type HookAnswer, hookAnswers, type HookOrigin, hookOrigins } from '../access-hook/answers.ts';
import { assert } from '../core/assert.ts';
import { systemClock } from '../core/clock.ts';
import {
  type DecisionMode,
  decisionModes,
  type DecisionOutcome,
  decisionOutcomes,
} from '../decision/mode.ts';
import type { VerifierObserver } from '../token/verifier-parts.ts';
import {
  type ProviderOutcome,
  providerOutcomes,
  type ProviderStep,
  providerSteps,
  type RefreshRole,
  refreshRoles,
  type StoreOperation,
  storeOperations,
} from '../oauth/observer.ts';
import type { UpstreamStats } from '../upstream/observer.ts';
import {
  cacheOutcomes,
  cellFamilies,
  connectionStates,
  flowEnds,
  foldedFamilies,
  lanes,
  mintPurposes,
  refreshResults,
  upstreamErrorKinds,
  verifyAlgorithms,
  verifyResults,
  type CellFamilyName,
} from './catalogue.ts';
import { cellsVersion, durationBuckets, type RegionHandle } from './cells.ts';
import { Exemplars } from './exemplars.ts';
import { HistogramCells } from './histogram-cells.ts';
import { layoutFor, type Layout } from './layout.ts';
import { otherRoute } from './ordinals.ts';
import { decisionKey, requestKey, SeriesTable } from './series.ts';

export type VerifyResult = (typeof verifyResults)[number];
export type CacheOutcome = (typeof cacheOutcomes)[number];
export type Lane = (typeof lanes)[number];
export type FlowEnd = (typeof flowEnds)[number];
export type UpstreamErrorKind = (typeof upstreamErrorKinds)[number];

/** Status under which a request is counted whose caller left before the answer, as nginx has it. */
export const callerGoneStatus = 499;

const indexOf = (values: readonly string[]): ReadonlyMap<string, number> =>
  new Map(values.map((value, index) => [value, index]));
const algorithmIndex = indexOf(verifyAlgorithms);
const resultIndex = indexOf(verifyResults);
const cacheIndex = indexOf(cacheOutcomes);
const laneIndex = indexOf(lanes);
const kindIndex = indexOf(upstreamErrorKinds);
const endIndex = indexOf(flowEnds);
const stepIndex = indexOf(providerSteps);
const outcomeIndex = indexOf(providerOutcomes);
const roleIndex = indexOf(refreshRoles);
const modeIndex = indexOf(decisionModes);
const askedIndex = indexOf(decisionOutcomes);
const answerIndex = indexOf(hookAnswers);
const originIndex = indexOf(hookOrigins);
const operationIndex = indexOf(storeOperations);
const foldedRequests = foldedFamilies.indexOf('requests');
const foldedDecisions = foldedFamilies.indexOf('decisions');
const foldedDurations = foldedFamilies.indexOf('durations');
const otherAlgorithm = verifyAlgorithms.length - 1;

export class Recorder implements VerifierObserver {
  readonly #cells: Float64Array;
  readonly #layout: Layout;
  readonly #series: SeriesTable;
  readonly #exemplars: Exemplars | null;
  readonly #base: Readonly<Record<CellFamilyName, number>>;
  readonly #durations: HistogramCells;
  readonly #verifyDurations: HistogramCells;
  readonly #queueWaits: HistogramCells;
  readonly #batches: HistogramCells;
  readonly #upstreamDurations: HistogramCells;
  readonly #loginDurations: HistogramCells;

  /** Opens the region of a thread. Gauges begin at 0: what they counted died with the thread's predecessor. */
  constructor(handle: RegionHandle) {
    assert(handle.version === cellsVersion, 'metric cells of another version');
    this.#layout = layoutFor(handle.seriesMax);
    this.#cells = new Float64Array(handle.region);
    this.#series = new SeriesTable(handle.directory, this.#layout.slots, this.#layout.seriesBudget);
    this.#exemplars = handle.exemplars === null ? null : new Exemplars(handle.exemplars, durationBuckets);
    this.#base = mapValues(this.#layout.families, ({ base }) => base);
    const histogram = (name: CellFamilyName): HistogramCells =>
      new HistogramCells(this.#cells, this.#layout, name);
    this.#durations = histogram('sallyport_http_request_duration_seconds');
    this.#verifyDurations = histogram('sallyport_jwt_verify_duration_seconds');
    this.#queueWaits = histogram('sallyport_verify_queue_wait_seconds');
    this.#batches = histogram('sallyport_verify_batch_tokens');
    this.#upstreamDurations = histogram('sallyport_upstream_request_duration_seconds');
    this.#loginDurations = histogram('sallyport_oauth_login_duration_seconds');
    for (const name of Object.keys(cellFamilies) as CellFamilyName[]) {
      if (cellFamilies[name].type === 'gauge') this.#clear(name);
    }
  }

  // -------------------------------------------------------------- requests

  requestStarted(): void {
    this.#cells[this.#base.sallyport_http_requests_in_flight]! += 1;
  }

  /** Whether `requestDone` has a use for traces. */
  get wantsTraces(): boolean {
    return this.#exemplars !== null;
  }

  /**
   * Once for every `requestStarted`. `method` is a `methodIndex`; `status` 499 when the caller left first; `traceId` is that of
   * a sampled trace, or empty.
   */
  requestDone(route: number, method: number, status: number, durationMs: number, traceId = ''): void {
    this.#cells[this.#base.sallyport_http_requests_in_flight]! -= 1;
    let slot = this.#series.find(requestKey(route, method, status));
    if (slot < 0)
      slot = this.#claim(
        route,
        requestKey(route, method, status),
        requestKey(otherRoute, method, status),
        foldedRequests,
      );
    this.#cells[this.#layout.seriesBase + slot]! += 1;
    const hasRow = route < this.#layout.durationRows;
    if (!hasRow) this.#cells[this.#base.sallyport_metrics_folded_total + foldedDurations]! += 1;
    const row = hasRow ? route : otherRoute;
    const bucket = this.#durations.observe(row, durationMs / 1000);
    if (traceId !== '') this.#exemplars?.note(row, bucket, traceId, durationMs, systemClock.nowMs());
  }

  /** `refusal` is the index of a refusal, -1 for a permit. */
  decided(route: number, refusal: number): void {
    let slot = this.#series.find(decisionKey(route, refusal));
    if (slot < 0)
      slot = this.#claim(
        route,
        decisionKey(route, refusal),
        decisionKey(otherRoute, refusal),
        foldedDecisions,
      );
    this.#cells[this.#layout.seriesBase + slot]! += 1;
  }

  /** One decision that a proxy or a program asked for. */
  decisionAsked(mode: DecisionMode, outcome: DecisionOutcome): void {
    const block = modeIndex.get(mode)! * decisionOutcomes.length + askedIndex.get(outcome)!;
    this.#cells[this.#base.sallyport_decisions_asked_total + block]! += 1;
  }

  hookAnswered(answer: HookAnswer, origin: HookOrigin): void {
    const block = answerIndex.get(answer)! * hookOrigins.length + originIndex.get(origin)!;
    this.#cells[this.#base.sallyport_access_hook_answers_total + block]! += 1;
  }

  connections(delta: number): void {
    this.#cells[this.#base.sallyport_http_connections]! += delta;
  }

  // -------------------------------------------------------------- tokens

  /** One token that a request brought. */
  tokenSeen(algorithm: string | null, result: VerifyResult, cache: CacheOutcome): void {
    const row = algorithm === null ? otherAlgorithm : (algorithmIndex.get(algorithm) ?? otherAlgorithm);
    const block = (row * verifyResults.length + resultIndex.get(result)!) * cacheOutcomes.length;
    this.#cells[this.#base.sallyport_jwt_verifications_total + block + cacheIndex.get(cache)!]! += 1;
  }

  /** One token that no cache knew, from its request to its facts. */
  tokenVerified(result: VerifyResult, durationMs: number): void {
    this.#verifyDurations.observe(resultIndex.get(result)!, durationMs / 1000);
  }

  cacheHolds(entries: number, bytes: number): void {
    this.#cells[this.#base.sallyport_jwt_cache_entries] = entries;
    this.#cells[this.#base.sallyport_jwt_cache_bytes] = bytes;
  }

  cacheEvicted(entries: number): void {
    this.#cells[this.#base.sallyport_jwt_cache_evictions_total]! += entries;
  }

  // -------------------------------------------------------------- the pool

  batchSent(tokens: number): void {
    this.#batches.observe(0, tokens);
  }

  queueHolds(lane: Lane, tokens: number): void {
    this.#cells[this.#base.sallyport_verify_queue_tokens + laneIndex.get(lane)!] = tokens;
  }

  queueWaited(lane: Lane, waitMs: number): void {
    this.#queueWaits.observe(laneIndex.get(lane)!, waitMs / 1000);
  }

  workerBusy(nanoseconds: number): void {
    this.#cells[this.#base.sallyport_verify_busy_seconds_total]! += nanoseconds / 1e9;
  }

  workerRestarted(): void {
    this.#cells[this.#base.sallyport_verify_worker_restarts_total]! += 1;
  }

  /** Time the verify workers of this thread's pool have been busy, since its region was made. */
  get busySeconds(): number {
    return this.#cells[this.#base.sallyport_verify_busy_seconds_total]!;
  }

  poolUtilization(ratio: number): void {
    this.#cells[this.#base.sallyport_verify_pool_utilization_ratio] = ratio;
  }

  // -------------------------------------------------------------- upstreams: `upstream` is an ordinal

  upstreamAnswered(upstream: number, durationMs: number): void {
    this.#upstreamDurations.observe(upstream, durationMs / 1000);
  }

  upstreamFailed(upstream: number, kind: UpstreamErrorKind): void {
    const block = upstream * upstreamErrorKinds.length + kindIndex.get(kind)!;
    this.#cells[this.#base.sallyport_upstream_errors_total + block]! += 1;
  }

  upstreamRetried(upstream: number): void {
    this.#cells[this.#base.sallyport_upstream_retries_total + upstream]! += 1;
  }

  upstreamAbandoned(upstream: number): void {
    this.#cells[this.#base.sallyport_upstream_abandoned_total + upstream]! += 1;
  }

  /** The state of all upstreams of this thread, those of a configuration that is being retired included. */
  upstreamsHold(upstreams: Iterable<readonly [upstream: number, stats: UpstreamStats]>): void {
    this.#clear('sallyport_upstream_connections');
    this.#clear('sallyport_upstream_requests_queued');
    this.#clear('sallyport_upstream_urls');
    this.#clear('sallyport_upstream_urls_out');
    for (const [upstream, { busy, idle, queued, urls, urlsOut }] of upstreams) {
      const connections = this.#base.sallyport_upstream_connections + upstream * connectionStates.length;
      this.#cells[connections]! += busy;
      this.#cells[connections + 1]! += idle;
      this.#cells[this.#base.sallyport_upstream_requests_queued + upstream]! += queued;
      this.#cells[this.#base.sallyport_upstream_urls + upstream]! += urls;
      this.#cells[this.#base.sallyport_upstream_urls_out + upstream]! += urlsOut;
    }
  }

  // -------------------------------------------------------------- logins: `provider` is an ordinal

  flowStarted(provider: number): void {
    this.#cells[this.#base.sallyport_oauth_flows_started_total + provider]! += 1;
  }

  flowJoined(provider: number): void {
    this.#cells[this.#base.sallyport_oauth_flows_joined_total + provider]! += 1;
  }

  flowEnded(provider: number, end: FlowEnd, durationMs: number): void {
    const block = provider * flowEnds.length + endIndex.get(end)!;
    this.#cells[this.#base.sallyport_oauth_flows_ended_total + block]! += 1;
    if (end === 'success') this.#loginDurations.observe(provider, durationMs / 1000);
  }

  providerCalled(provider: number, step: ProviderStep, outcome: ProviderOutcome): void {
    const row = provider * providerSteps.length + stepIndex.get(step)!;
    const block = row * providerOutcomes.length + outcomeIndex.get(outcome)!;
    this.#cells[this.#base.sallyport_oauth_provider_calls_total + block]! += 1;
  }

  refreshed(provider: number, role: RefreshRole, ok: boolean): void {
    const row = provider * refreshRoles.length + roleIndex.get(role)!;
    const block = row * refreshResults.length + (ok ? 0 : 1);
    this.#cells[this.#base.sallyport_oauth_refreshes_total + block]! += 1;
  }

  storeFailed(operation: StoreOperation): void {
    this.#cells[this.#base.sallyport_oauth_store_errors_total + operationIndex.get(operation)!]! += 1;
  }

  waiting(delta: number): void {
    this.#cells[this.#base.sallyport_oauth_waiters]! += delta;
  }

  // -------------------------------------------------------------- the thread

  eventLoop(lagP99Seconds: number, lagMaxSeconds: number, utilization: number): void {
    this.#cells[this.#base.sallyport_event_loop_lag_p99_seconds] = lagP99Seconds;
    this.#cells[this.#base.sallyport_event_loop_lag_max_seconds] = lagMaxSeconds;
    this.#cells[this.#base.sallyport_event_loop_utilization_ratio] = utilization;
  }

  /** `kind` is an index of `gcKinds`. */
  gcPaused(kind: number, durationMs: number): void {
    this.#cells[this.#base.sallyport_gc_pauses_total + kind]! += 1;
    this.#cells[this.#base.sallyport_gc_pause_seconds_total + kind]! += durationMs / 1000;
  }

  heapHolds(usedBytes: number, limitBytes: number, externalBytes: number): void {
    this.#cells[this.#base.sallyport_heap_used_bytes] = usedBytes;
    this.#cells[this.#base.sallyport_heap_limit_bytes] = limitBytes;
    this.#cells[this.#base.sallyport_external_memory_bytes] = externalBytes;
  }

  tokenMinted(purpose: (typeof mintPurposes)[number]): void {
    this.#cells[this.#base.sallyport_tokens_minted_total + mintPurposes.indexOf(purpose)]! += 1;
  }

  logLinesDropped(lines: number): void {
    this.#cells[this.#base.sallyport_log_lines_dropped_total]! += lines;
  }

  #clear(name: CellFamilyName): void {
    const { base, width, blocks } = this.#layout.families[name];
    this.#cells.fill(0, base, base + width * blocks);
  }

  #claim(route: number, key: number, otherKey: number, folded: number): number {
    const slot = this.#series.claim(key, route <= otherRoute);
    if (slot >= 0) return slot;
    this.#cells[this.#base.sallyport_metrics_folded_total + folded]! += 1;
    return this.#series.claim(otherKey, true);
  }
}

function mapValues<K extends string, V, R>(
  record: Readonly<Record<K, V>>,
  map: (value: V) => R,
): Readonly<Record<K, R>> {
  return Object.fromEntries(Object.entries<V>(record).map(([key, value]) => [key, map(value)])) as Record<
    K,
    R
  >;
}
