/** What the main thread counts itself: configuration, listeners, keys. Rare events, so prom-client keeps them directly. */
import { Counter, Gauge, Histogram, type Registry } from 'prom-client';
import type { Clock } from '../core/clock.ts';
import {
  certificateReloadOutcomes,
  controlFamilies,
  fetchOutcomes,
  introspectionOutcomes,
  reloadOutcomes,
  unknownKidOutcomes,
  type ControlFamilyName,
  type Family,
} from './catalogue.ts';
import type { CellStore } from './cells.ts';

export type ReloadOutcome = (typeof reloadOutcomes)[number];
export type CertificateReloadOutcome = (typeof certificateReloadOutcomes)[number];
export type IntrospectionOutcome = (typeof introspectionOutcomes)[number];
export type FetchOutcome = (typeof fetchOutcomes)[number];
export type UnknownKidOutcome = (typeof unknownKidOutcomes)[number];

export interface Build {
  readonly version: string;
  readonly node: string;
  readonly httpDriver: string;
}

/** The keys of one issuer as they are now. */
export interface KeyState {
  readonly issuer: string;
  /** Keys that tokens can be verified with; 0 when they are too old. */
  readonly keys: number;
  /** When they were last confirmed, monotonic milliseconds; null before the first time. */
  readonly lastGoodMs: number | null;
  /** Infinity where keys are never too old: those of files and of the environment. */
  readonly maxStaleSeconds: number;
}

/** The constructor argument of a prom-client metric, from the catalogue. */
function described(name: ControlFamilyName, registry: Registry) {
  const { help, labels, buckets }: Family = controlFamilies[name];
  return { name, help, labelNames: Object.keys(labels), buckets: [...buckets], registers: [registry] };
}

export class ControlMetrics {
  readonly #clock: Clock;
  readonly #listeners: Gauge;
  readonly #listenerRestarts: Counter;
  readonly #draining: Gauge;
  readonly #reloadSuccessful: Gauge;
  readonly #reloadSuccess: Gauge;
  readonly #reloads: Counter;
  readonly #certificateExpiry: Gauge;
  readonly #certificateReloads: Counter;
  readonly #introspections: Counter;
  readonly #keys: Gauge;
  readonly #maxStale: Gauge;
  readonly #age: Gauge;
  readonly #fetches: Counter;
  readonly #fetchSeconds: Histogram;
  readonly #unknownKids: Counter;
  /** The issuers of the configuration in force. */
  #issuers: ReadonlySet<string> = new Set();
  #readKeys: () => Iterable<KeyState> = () => [];

  constructor(registry: Registry, build: Build, store: CellStore, seriesMax: number, clock: Clock) {
    this.#clock = clock;
    const gauge = (name: ControlFamilyName): Gauge => new Gauge(described(name, registry));
    const counter = (name: ControlFamilyName): Counter => new Counter(described(name, registry));
    gauge('sallyport_build_info').set(
      { version: build.version, node: build.node, http_driver: build.httpDriver },
      1,
    );
    this.#listeners = gauge('sallyport_listeners');
    this.#listenerRestarts = counter('sallyport_listener_restarts_total');
    this.#draining = gauge('sallyport_draining');
    this.#reloadSuccessful = gauge('sallyport_config_last_reload_successful');
    this.#reloadSuccess = gauge('sallyport_config_last_reload_success_timestamp_seconds');
    this.#reloads = counter('sallyport_config_reloads_total');
    for (const outcome of reloadOutcomes) this.#reloads.inc({ outcome }, 0);
    const series: Gauge = new Gauge({
      ...described('sallyport_metrics_series', registry),
      collect: (): void => series.set(store.series.size),
    });
    gauge('sallyport_metrics_series_limit').set(seriesMax);
    this.#certificateExpiry = gauge('sallyport_tls_certificate_not_after_timestamp_seconds');
    this.#certificateReloads = counter('sallyport_tls_certificate_reloads_total');
    for (const outcome of certificateReloadOutcomes) this.#certificateReloads.inc({ outcome }, 0);
    this.#introspections = counter('sallyport_introspections_total');
    this.#keys = new Gauge({
      ...described('sallyport_jwks_keys', registry),
      collect: () => {
        for (const { issuer, keys } of this.#states()) this.#keys.set({ issuer }, keys);
      },
    });
    this.#maxStale = new Gauge({
      ...described('sallyport_jwks_max_stale_seconds', registry),
      collect: () => {
        for (const { issuer, maxStaleSeconds } of this.#states())
          this.#maxStale.set({ issuer }, maxStaleSeconds);
      },
    });
    this.#age = new Gauge({
      ...described('sallyport_jwks_age_seconds', registry),
      collect: () => {
        const nowMs = this.#clock.monotonicMs();
        for (const { issuer, lastGoodMs } of this.#states()) {
          this.#age.set({ issuer }, lastGoodMs === null ? Number.NaN : (nowMs - lastGoodMs) / 1000);
        }
      },
    });
    this.#fetches = counter('sallyport_jwks_fetches_total');
    this.#fetchSeconds = new Histogram(described('sallyport_jwks_fetch_duration_seconds', registry));
    this.#unknownKids = counter('sallyport_jwks_unknown_kids_total');
  }

  /** A configuration is in force: its issuers appear at 0, those it lacks disappear. `readKeys` is asked at each scrape. */
  issuers(names: Iterable<string>, readKeys: () => Iterable<KeyState>): void {
    const former = this.#issuers;
    this.#issuers = new Set(names);
    this.#readKeys = readKeys;
    for (const issuer of former) if (!this.#issuers.has(issuer)) this.#forget(issuer);
    for (const issuer of this.#issuers) {
      if (former.has(issuer)) continue;
      this.#keys.set({ issuer }, 0);
      this.#maxStale.set({ issuer }, Number.NaN);
      this.#age.set({ issuer }, Number.NaN);
      this.#fetchSeconds.zero({ issuer });
      for (const outcome of fetchOutcomes) this.#fetches.inc({ issuer, outcome }, 0);
      for (const outcome of unknownKidOutcomes) this.#unknownKids.inc({ issuer, outcome }, 0);
      for (const outcome of introspectionOutcomes) this.#introspections.inc({ issuer, outcome }, 0);
    }
  }

  /** May come after the issuer left the configuration: then it counts for nobody. */
  keysFetched(issuer: string, outcome: FetchOutcome, durationMs: number): void {
    if (!this.#issuers.has(issuer)) return;
    this.#fetches.inc({ issuer, outcome });
    this.#fetchSeconds.observe({ issuer }, durationMs / 1000);
  }

  unknownKid(issuer: string, outcome: UnknownKidOutcome): void {
    if (this.#issuers.has(issuer)) this.#unknownKids.inc({ issuer, outcome });
  }

  introspectionCalled(issuer: string, outcome: IntrospectionOutcome): void {
    if (this.#issuers.has(issuer)) this.#introspections.inc({ issuer, outcome });
  }

  /** `rejected` leaves the time of the last success as it was. */
  reloaded(outcome: ReloadOutcome): void {
    this.#reloads.inc({ outcome });
    if (outcome === 'rejected') this.#reloadSuccessful.set(0);
    else this.configurationLoaded();
  }

  configurationLoaded(): void {
    this.#reloadSuccessful.set(1);
    this.#reloadSuccess.set(this.#clock.nowMs() / 1000);
  }

  /** The certificates in force, all of them. */
  certificates(all: Iterable<{ readonly label: string; readonly notAfterSeconds: number }>): void {
    this.#certificateExpiry.reset();
    for (const { label, notAfterSeconds } of all)
      this.#certificateExpiry.set({ certificate: label }, notAfterSeconds);
  }

  certificatesReloaded(outcome: CertificateReloadOutcome): void {
    this.#certificateReloads.inc({ outcome });
  }

  listenersServing(count: number): void {
    this.#listeners.set(count);
  }

  listenerRestarted(): void {
    this.#listenerRestarts.inc();
  }

  draining(): void {
    this.#draining.set(1);
  }

  *#states(): Iterable<KeyState> {
    for (const state of this.#readKeys()) if (this.#issuers.has(state.issuer)) yield state;
  }

  #forget(issuer: string): void {
    this.#keys.remove({ issuer });
    this.#maxStale.remove({ issuer });
    this.#age.remove({ issuer });
    this.#fetchSeconds.remove({ issuer });
    for (const outcome of fetchOutcomes) this.#fetches.remove({ issuer, outcome });
    for (const outcome of unknownKidOutcomes) this.#unknownKids.remove({ issuer, outcome });
    for (const outcome of introspectionOutcomes) this.#introspections.remove({ issuer, outcome });
  }
}
