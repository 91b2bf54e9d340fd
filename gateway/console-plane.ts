/**
 * The main thread's share of the console: gathers what its pages show. All of it is here already, in shared memory or in the
 * parts of the main thread; no listener is asked.
 */
import { isIPv6 } from 'node:net';
import { consoleBase, hasConsole } from './admin/console/address.ts';
import { Entrance } from './admin/console/entrance.ts';
import type { Check } from './admin/health.ts';
import type {
  ConsoleSource,
  KeyFigures,
  LoginFigures,
  Overview,
  ProviderFigures,
  Question,
  UpstreamFigures,
} from './admin/console/source.ts';
import type { Config, IssuerConfig } from './config/schema.ts';
import { systemClock } from './core/clock.ts';
import type { Explained } from './explain/explain.ts';
import type { RouteRow } from './explain/route-table.ts';
import type { KnownKeys } from './explain/token-reading.ts';
import type { KeyPlane } from './key-plane.ts';
import type { Loaded, LoadOptions } from './loaded.ts';
import type { LoginPlane } from './login-plane.ts';
import { flowEnds, refreshResults, upstreamErrorKinds } from './metrics/catalogue.ts';
import type { CellStore } from './metrics/cells.ts';
import { Figures } from './metrics/figures.ts';
import { storeOperations } from './oauth/observer.ts';
import { RecentFigures } from './metrics/recent.ts';
import { urlFigures } from './metrics/url-cells.ts';
import type { FlowEnd } from './metrics/recorder.ts';
import type { ReloadRecord } from './admin/reload-record.ts';
import type { Policy } from './route/policy.ts';
import { version } from './version.ts';

export interface ConsoleParts {
  readonly options: LoadOptions;
  readonly cells: CellStore;
  readonly keys: Pick<KeyPlane, 'ring' | 'signers'>;
  readonly logins: LoginPlane | null;
  readonly reloads: ReloadRecord;
  readonly listeners: { readonly serving: number; readonly size: number };
  readonly checks: () => readonly Check[];
}

interface InForce {
  readonly number: number;
  readonly config: Config;
  readonly policy: Policy;
  /** Made when they are asked for. */
  rows: readonly RouteRow[] | null;
  readonly effective: () => string;
}

export class ConsolePlane implements ConsoleSource {
  readonly pages: Entrance;
  readonly nowMs = systemClock.nowMs;
  readonly #parts: ConsoleParts;
  readonly #host: string;
  readonly #figures: Figures;
  readonly #recent: RecentFigures;
  readonly #startedMs = systemClock.nowMs();
  #inForce: InForce;

  /** Null where the configuration has no console: then nothing is kept for it. */
  static open(loaded: Loaded, parts: ConsoleParts): ConsolePlane | null {
    return hasConsole(loaded.config.admin) ? new ConsolePlane(loaded, parts) : null;
  }

  private constructor(loaded: Loaded, parts: ConsoleParts) {
    const { host } = loaded.config.admin;
    this.#parts = parts;
    this.#host = isIPv6(host) ? `[${host}]` : host;
    this.pages = new Entrance(this, host);
    this.#figures = new Figures(parts.cells);
    this.#recent = new RecentFigures(this.#figures, systemClock);
    this.#inForce = inForceOf(1, loaded);
  }

  /** For a browser on this host. */
  addressAt(port: number): string {
    return `http://${this.#host}:${port}${consoleBase}`;
  }

  /** Another configuration is in force. */
  configure(number: number, loaded: Loaded): void {
    this.#inForce = inForceOf(number, loaded);
  }

  close(): void {
    this.#recent.close();
  }

  overview(): Overview {
    const { listeners, checks } = this.#parts;
    return {
      version,
      startedMs: this.#startedMs,
      listeners: { serving: listeners.serving, size: listeners.size },
      checks: checks(),
      recent: this.#recent.recent(),
      requestsInFlight: this.#figures.value('sallyport_http_requests_in_flight'),
      connections: this.#figures.value('sallyport_http_connections'),
      webSockets: this.#figures.value('sallyport_websocket_connections'),
      threads: this.#figures.threads(),
    };
  }

  async routes(): Promise<readonly RouteRow[]> {
    const inForce = this.#inForce;
    const { routeTable } = await import('./explain/route-table.ts');
    const { config, policy } = inForce;
    inForce.rows ??= routeTable({ config, policy, placeOf: () => nowhere });
    return inForce.rows;
  }

  readonly routeFigures: ConsoleSource['routeFigures'] = () => this.#figures.routes();
  readonly vocabulary: ConsoleSource['vocabulary'] = () => this.#inForce.policy.vocabulary;

  async explain(question: Question): Promise<Explained> {
    const { explain } = await import('./explain/explain.ts');
    const { config, policy } = this.#inForce;
    const { environment } = this.#parts.options;
    const nowSeconds = systemClock.nowMs() / 1000;
    const parts = { config, policy, environment, nowSeconds, keys: () => this.#knownKeys(policy) };
    return explain(parts, question);
  }

  keys(): KeyFigures {
    const { keys, checks } = this.#parts;
    const { issuers } = this.#inForce.config;
    return {
      issuers: keys.ring.status(),
      sources: new Map(Object.entries(issuers).map(([name, issuer]) => [name, sourceOf(issuer)])),
      signers: keys.signers(),
      certificates: checks().filter(({ name }) => name.startsWith('certificate:')),
      nowMs: systemClock.monotonicMs(),
    };
  }

  async logins(): Promise<LoginFigures | null> {
    const { logins } = this.#parts;
    const { oauth } = this.#inForce.config;
    if (logins === null || oauth === undefined) return null;
    const figures = this.#figures;
    return {
      ...(await logins.listing()),
      providers: Object.entries(oauth.providers).map(([name, { flow }]) => this.#provider(name, flow)),
      waiting: figures.value('sallyport_oauth_waiters'),
      storeErrors: storeOperations.reduce(
        (sum, _, operation) => sum + figures.value('sallyport_oauth_store_errors_total', operation),
        0,
      ),
    };
  }

  upstreams(): readonly UpstreamFigures[] {
    const figures = this.#figures;
    return Object.entries(this.#inForce.config.upstreams).map(([name, { urls }]): UpstreamFigures => {
      const upstream = this.#parts.cells.upstreams.ordinal(name);
      return {
        name,
        urls: urls.length,
        each: urlFigures(this.#parts.cells, upstream, urls.length),
        urlsSeen: figures.value('sallyport_upstream_urls', upstream),
        urlsOut: figures.value('sallyport_upstream_urls_out', upstream),
        busy: figures.value('sallyport_upstream_connections', upstream, 0),
        idle: figures.value('sallyport_upstream_connections', upstream, 1),
        queued: figures.value('sallyport_upstream_requests_queued', upstream),
        durations: figures.distribution('sallyport_upstream_request_duration_seconds', upstream),
        errors: Object.fromEntries(
          upstreamErrorKinds.map((kind, index) => [
            kind,
            figures.value('sallyport_upstream_errors_total', upstream, index),
          ]),
        ),
        retries: figures.value('sallyport_upstream_retries_total', upstream),
        abandoned: figures.value('sallyport_upstream_abandoned_total', upstream),
      };
    });
  }

  configuration(): ReturnType<ConsoleSource['configuration']> {
    const { options, reloads } = this.#parts;
    const { number, effective } = this.#inForce;
    return { number, file: options.file, text: effective(), reload: reloads.state };
  }

  #provider(name: string, flow: string): ProviderFigures {
    const figures = this.#figures;
    const provider = this.#parts.cells.providers.ordinal(name);
    const ended = (end: FlowEnd): number =>
      figures.value('sallyport_oauth_flows_ended_total', provider, flowEnds.indexOf(end));
    // Those that were led: who joined one caused no call.
    const [refreshed, failed] = refreshResults.map((_, result) =>
      figures.value('sallyport_oauth_refreshes_total', provider, 0, result),
    ) as [number, number];
    return {
      name,
      flow,
      started: figures.value('sallyport_oauth_flows_started_total', provider),
      joined: figures.value('sallyport_oauth_flows_joined_total', provider),
      ended: {
        success: ended('success'),
        expired: ended('expired'),
        cancelled: ended('cancelled'),
        error: ended('error'),
      },
      refreshes: refreshed + failed,
      refreshesFailed: failed,
    };
  }

  /** The keys that tokens are verified with now, in the order of this policy. */
  #knownKeys({ vocabulary }: Policy): KnownKeys {
    const { ring } = this.#parts.keys;
    const [keys, all] = [ring.keys(), ring.status()];
    const places = vocabulary.issuers.map((name) => all.findIndex(({ issuer }) => issuer === name));
    return {
      keys: places.map((place) => keys[place] ?? null),
      status: places.flatMap((place) => all[place] ?? []),
      online: true,
    };
  }
}

/** The lines of the file are left out, for they would keep all of it in memory. */
const nowhere = { file: '', line: 0, column: 0 } as const;

function inForceOf(number: number, { config, policy, effective }: Loaded): InForce {
  return { number, config, policy, effective, rows: null };
}

/** How an issuer's keys come here; addresses are those of the configuration. */
function sourceOf({ keys }: IssuerConfig): string {
  const { jwksUri, discovery, jwksFile, secretFile, secretEnv } = keys;
  if (jwksUri !== undefined) return 'a key set that is fetched';
  if (discovery !== undefined) return 'a key set that is found by discovery';
  if (jwksFile !== undefined) return `a key set in the file ${jwksFile}`;
  if (secretFile !== undefined) return `a secret in the file ${secretFile}`;
  if (secretEnv !== undefined) return `a secret in the variable ${secretEnv}`;
  return 'none: the issuer is asked about each token';
}
