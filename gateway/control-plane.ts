/**
 * The main thread: loads configurations and brings them into force, keeps keys, supervises the listeners, answers the
 * admin listener. It is never on the way of a request.
 */
import { isDeepStrictEqual } from 'node:util';
import { type AdminServer, type ReloadResult, startAdmin } from './admin/server.ts';
import type { Check } from './admin/health.ts';
import { ConnectionCensus } from './census.ts';
import { loadConfig } from './config/load.ts';
import { headline, type Problem } from './config/problem.ts';
import type { Config } from './config/schema.ts';
import type { Environment } from './config/substitute.ts';
import type { ReadFile } from './config/watch.ts';
import { systemClock } from './core/clock.ts';
import type { Configuration, ListenerBoot } from './listener/messages.ts';
import { listenerMessagesVersion } from './listener/messages.ts';
import { createTickets } from './listener/upgrade-tickets.ts';
import { KeyPlane } from './key-plane.ts';
import { LoginPlane } from './login-plane.ts';
import { type LogSink, openLog } from './log/logger.ts';
import { CellStore } from './metrics/cells.ts';
import { ControlMetrics } from './metrics/control.ts';
import { contentTypes, Exposition } from './metrics/exposition.ts';
import { exposeFlights } from './metrics/flights.ts';
import { watchLoop } from './metrics/loop.ts';
import { formatFor } from './metrics/negotiation.ts';
import { Recorder } from './metrics/recorder.ts';
import { loadDriver } from './native/uws.ts';
import { sameFlights } from './oauth/flights.ts';
import { freePort } from './port.ts';
import type { Policy } from './route/policy.ts';
import { Supervisor } from './supervisor.ts';
import { chooseThreads, usableCores } from './threads.ts';
import { version } from './version.ts';

/** The configuration cannot be used. `problems` says why, place by place. */
export class ConfigurationRefused extends Error {
  override readonly name = 'ConfigurationRefused';
  readonly problems: readonly Problem[];

  constructor(problems: readonly Problem[]) {
    super('the configuration cannot be used');
    this.problems = problems;
  }
}

export interface ControlPlaneOptions {
  readonly file: string;
  readonly environment: Environment;
  /** A listener hangs and the others have been drained: the process must end, and cannot end in order. */
  readonly onHung: () => void;
  readonly onFiles: (files: readonly ReadFile[]) => void;
}

/** What a listener takes over only when it starts: a reload that changes it is refused. */
const fixedSections = ['listener', 'admin', 'verifier', 'metrics'] as const;

export class ControlPlane {
  readonly #options: ControlPlaneOptions;
  readonly #log: LogSink;
  readonly #cells: CellStore;
  readonly #exposition: Exposition;
  readonly #metrics: ControlMetrics;
  readonly #keys: KeyPlane;
  readonly #supervisor: Supervisor;
  /** Null where no logins are configured. */
  readonly #logins: LoginPlane | null;
  readonly #census: ConnectionCensus;
  #admin: AdminServer | null = null;
  #configuration: Configuration;
  #reloading: Promise<unknown> = Promise.resolve();
  #lastReload: 'applied' | 'rejected' = 'applied';
  #draining = false;
  #hangs = false;

  /**
   * Starts everything and resolves when all listeners serve.
   *
   * Errors: `ConfigurationRefused`, `ListenFailed`, `DriverUnavailable`, and what the system says of an address.
   */
  static async start(options: ControlPlaneOptions): Promise<ControlPlane> {
    const loaded = await loadConfig(options.file, options.environment);
    options.onFiles(loaded.files);
    if (!loaded.ok) throw new ConfigurationRefused(loaded.problems);
    const plane = new ControlPlane(options, loaded.config, loaded.policy);
    for (const warning of loaded.warnings) plane.#log.logger.warn({}, headline(warning));
    try {
      await plane.#open();
    } catch (error) {
      await plane.stop();
      throw error;
    }
    return plane;
  }

  private constructor(options: ControlPlaneOptions, config: Config, policy: Policy) {
    this.#options = options;
    this.#log = openLog({ level: config.log.level, thread: 'main' });
    this.#cells = new CellStore(config.metrics.seriesMax, config.metrics.exemplars);
    this.#exposition = new Exposition(this.#cells);
    const build = { version, node: process.version, httpDriver: 'uWebSockets.js' };
    this.#metrics = new ControlMetrics(
      this.#exposition.registry,
      build,
      this.#cells,
      config.metrics.seriesMax,
      systemClock,
    );
    watchLoop(new Recorder(this.#cells.region('main')));
    this.#keys = new KeyPlane({
      environment: options.environment,
      observer: this.#metrics,
      logger: this.#log.logger,
      changed: () => this.#publishKeys(),
    });
    this.#configuration = this.#configurationOf(1, config, policy);
    const threads = chooseThreads(config.listener.threads, config.verifier.threads, usableCores());
    this.#logins = config.oauth === undefined ? null : new LoginPlane(config.oauth, threads.listeners);
    exposeFlights(this.#exposition.registry, this.#logins?.flights ?? null);
    const tickets = createTickets();
    this.#supervisor = new Supervisor({
      clock: systemClock,
      threads: threads.listeners,
      boot: (index, port) => {
        const seat = this.#logins?.seat() ?? null;
        const boot: ListenerBoot = {
          version: listenerMessagesVersion,
          name: `listener-${index}`,
          configuration: this.#withKeys(),
          port,
          verifierThreads: threads.verifiersPerListener,
          metrics: this.#cells.region(`listener-${index}`),
          logins: seat?.memory ?? null,
          tickets,
        };
        return { boot, made: (thread) => seat?.watch(thread) };
      },
      searchKeys: async (issuer) => {
        await this.#keys.ring.unknownKid(issuer);
      },
      observer: {
        started: (index, port) => this.#log.logger.info({ listener: index, port }, 'listener started'),
        died: (index, error, restartInMs) => {
          this.#metrics.listenerRestarted();
          this.#log.logger.error(
            { listener: index, err: error, restart_in_ms: restartInMs },
            'listener died',
          );
        },
        servingChanged: (serving) => this.#metrics.listenersServing(serving),
        hung: (index, silentMs) => this.#endHung(index, silentMs),
      },
    });
    const connectionsCell = this.#cells.layout.families.sallyport_http_connections.base;
    this.#census = new ConnectionCensus({
      perAddressMax: config.listener.maxConnectionsPerAddress,
      connections: () => this.#cells.sum(connectionsCell),
      port: () => this.port,
      publish: (addresses) => this.#supervisor.publishFullAddresses(addresses),
      unavailable: () =>
        this.#log.logger.warn(
          {},
          'listener.max_connections_per_address needs /proc/self/net/tcp, and is not enforced',
        ),
    });
  }

  get port(): number {
    return this.#supervisor.port;
  }

  get adminPort(): number {
    return this.#admin?.port ?? 0;
  }

  async #open(): Promise<void> {
    const { config } = this.#configuration;
    // The driver reads this once, when it is loaded, and counts the request line in.
    process.env['UWS_HTTP_MAX_HEADERS_SIZE'] = String(
      config.listener.maxHeaderBytes + config.listener.maxTargetBytes,
    );
    loadDriver();
    const port = await freePort(config.listener.host, config.listener.port);
    await this.#logins?.check(this.#options.environment, this.#log.logger);
    const keyless = await this.#keys.configureSigners(config, this.#options.file);
    if (keyless.length > 0) throw new ConfigurationRefused(keyless);
    this.#metrics.configurationLoaded();
    this.#countIssuers(config);
    this.#admin = await startAdmin({
      host: config.admin.host,
      port: config.admin.port,
      checks: () => this.#checks(),
      metrics: async (accept) => {
        const format = formatFor(accept);
        return { contentType: contentTypes[format], body: await this.#exposition.text(format) };
      },
      reload: () => this.reload(),
      onError: (error) => this.#log.logger.error({ err: error }, 'an admin request failed'),
    });
    // Both at once: until the first keys are there, readiness says so and tokens are answered 503.
    await Promise.all([this.#keys.ring.configure(config.issuers), this.#supervisor.start(port)]);
    this.#publishKeys();
    this.#log.logger.info({ port: this.port, admin_port: this.adminPort, version }, 'serving');
  }

  /** Loads the file again. The configuration in force stays when the new one cannot be used. One at a time. */
  reload(): Promise<ReloadResult> {
    const reloaded = this.#reloading.then(() => this.#reload());
    this.#reloading = reloaded.catch(() => {});
    return reloaded;
  }

  /** Not ready at once, still serving for `shutdown.delay_ms`, then no new connections, then everybody leaves. */
  async drain(): Promise<void> {
    if (this.#draining) return;
    this.#draining = true;
    this.#metrics.draining();
    const { delayMs, timeoutMs } = this.#configuration.config.shutdown;
    this.#log.logger.info({ delay_ms: delayMs, timeout_ms: timeoutMs }, 'draining');
    await new Promise((resolve) => setTimeout(resolve, delayMs));
    await this.#supervisor.drain(timeoutMs);
    await this.stop();
  }

  /** Ends all threads and listeners at once. */
  async stop(): Promise<void> {
    this.#draining = true;
    this.#keys.close();
    this.#census.stop();
    await this.#supervisor.stop();
    await this.#logins?.close();
    await this.#admin?.close();
    this.#log.logger.info({}, 'stopped');
    this.#log.flush();
  }

  /** The last words of a main thread that failed. */
  logFatal(error: unknown): void {
    this.#log.logger.fatal({ err: error }, 'the main thread failed');
    this.#log.flush();
  }

  #configurationOf(number: number, config: Config, policy: Policy): Configuration {
    const providers = Object.keys(config.oauth?.providers ?? {});
    const labels = this.#cells.label(policy, Object.keys(config.upstreams), providers);
    return { number, config, labels, keys: [], signing: [] };
  }

  async #reload(): Promise<ReloadResult> {
    if (this.#draining) return this.#rejected(['the gateway is draining']);
    const loaded = await loadConfig(this.#options.file, this.#options.environment);
    this.#options.onFiles(loaded.files);
    if (!loaded.ok) return this.#rejected(loaded.problems.map(headline));
    const { config, policy } = loaded;
    const present = this.#configuration.config;
    if (isDeepStrictEqual(config, present)) {
      this.#lastReload = 'applied';
      this.#metrics.reloaded('unchanged');
      return { outcome: 'unchanged', errors: [] };
    }
    const fixed: string[] = fixedSections.filter(
      (section) => !isDeepStrictEqual(config[section], present[section]),
    );
    if (!sameFlights(config.oauth, present.oauth)) fixed.push('oauth');
    if (fixed.length > 0) {
      return this.#rejected(fixed.map((section) => `${section}: a change here needs a restart`));
    }
    const keyless = await this.#keys.configureSigners(config, this.#options.file);
    if (keyless.length > 0) return this.#rejected(keyless.map(headline));
    await this.#keys.ring.configure(config.issuers);
    this.#configuration = this.#configurationOf(this.#configuration.number + 1, config, policy);
    this.#log.setLevel(config.log.level);
    this.#countIssuers(config);
    await this.#supervisor.configure(this.#withKeys());
    this.#lastReload = 'applied';
    this.#metrics.reloaded('applied');
    this.#log.logger.info({ configuration: this.#configuration.number }, 'configuration applied');
    return { outcome: 'applied', errors: [] };
  }

  #withKeys(): Configuration {
    return { ...this.#configuration, ...this.#keys.keys };
  }

  #publishKeys(): void {
    this.#supervisor.publishKeys(this.#withKeys());
  }

  #rejected(errors: readonly string[]): ReloadResult {
    this.#lastReload = 'rejected';
    this.#metrics.reloaded('rejected');
    this.#log.logger.error({ errors }, 'configuration rejected; the one in force stays');
    return { outcome: 'rejected', errors };
  }

  #checks(): readonly Check[] {
    const { serving, size } = this.#supervisor;
    return [
      {
        name: 'draining',
        ok: !this.#draining,
        detail: this.#draining ? 'the gateway is shutting down' : 'no',
      },
      { name: 'listeners', ok: serving > 0, detail: `${serving} of ${size} serving` },
      {
        name: 'config',
        ok: true,
        detail: this.#lastReload === 'applied' ? 'in force' : 'in force; the last reload was rejected',
      },
      ...this.#keys.checks(),
    ];
  }

  #countIssuers(config: Config): void {
    this.#metrics.issuers(Object.keys(config.issuers), () =>
      this.#keys.ring.status().map(({ issuer, keys, lastGoodMs, maxStaleSeconds }) => ({
        issuer,
        keys: keys.length,
        lastGoodMs,
        maxStaleSeconds,
      })),
    );
  }

  #endHung(index: number, silentMs: number): void {
    if (this.#hangs) return;
    this.#hangs = true;
    const wasDraining = this.#draining;
    this.#draining = true;
    this.#metrics.draining();
    this.#log.logger.fatal(
      { listener: index, silent_ms: Math.round(silentMs) },
      'a listener hangs; the process ends',
    );
    this.#log.flush();
    if (wasDraining) {
      this.#options.onHung();
      return;
    }
    const { timeoutMs } = this.#configuration.config.shutdown;
    void this.#supervisor.drainOthers(index, timeoutMs).then(this.#options.onHung);
  }
}
