/**
 * The main thread: loads configurations and brings them into force, keeps keys, supervises the listeners, answers the
 * admin listener. It is never on the way of a request.
 */
import { randomBytes } from 'node:crypto';
import { isDeepStrictEqual } from 'node:util';
import { ReloadRecord, type ReloadResult } from './admin/reload-record.ts';
import { type AdminServer, startAdmin } from './admin/server.ts';
import type { Check } from './admin/health.ts';
import { ConnectionCensus } from './census.ts';
import { headline } from './config/problem.ts';
import { ConsolePlane } from './console-plane.ts';
import { systemClock } from './core/clock.ts';
import { IntrospectionPlane } from './introspection-plane.ts';
import { KeyPlane } from './key-plane.ts';
import { createRateMemory, type RateMemory } from './limits/rate-cells.ts';
import type { ListenerThread } from './listener-thread.ts';
import type { Configuration, ListenerBoot } from './listener/messages.ts';
import { listenerMessagesVersion } from './listener/messages.ts';
import { createTickets } from './listener/upgrade-tickets.ts';
import {
  ConfigurationRefused,
  fixedChanges,
  load,
  type Loaded,
  type LoadOptions,
  refusing,
} from './loaded.ts';
import { LoginPlane } from './login-plane.ts';
import { type LogSink, openLog } from './log/logger.ts';
import { createPseudonymKey } from './log/pseudonym.ts';
import { RepeatedWarnings } from './log/repeats.ts';
import { CellStore } from './metrics/cells.ts';
import { ControlMetrics } from './metrics/control.ts';
import { Exposition } from './metrics/exposition.ts';
import { exposeFlights } from './metrics/flights.ts';
import { watchLoop } from './metrics/loop.ts';
import { Recorder } from './metrics/recorder.ts';
import { findDriver } from './native/uws.ts';
import { freePort } from './port.ts';
import { Supervisor } from './supervisor.ts';
import { TlsPlane } from './tls-plane.ts';
import { chooseThreads, usableCores } from './threads.ts';
import { version } from './version.ts';

export interface ControlPlaneOptions extends LoadOptions {
  /** A listener hangs and the others have been drained: the process must end, and cannot end in order. */
  readonly onHung: () => void;
  /** The first listener thread, made ahead of all this. */
  readonly listener: ListenerThread;
}

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
  readonly #tls: TlsPlane;
  readonly #introspection: IntrospectionPlane;
  readonly #census: ConnectionCensus;
  /** Null where it is not served. */
  readonly #console: ConsolePlane | null;
  #admin: AdminServer | null = null;
  #configuration: Configuration;
  /** Made for the first route that has a rate, and kept: rates survive reloads. */
  #rates: RateMemory | null = null;
  #reloading: Promise<unknown> = Promise.resolve();
  readonly #reloads = new ReloadRecord(systemClock);
  #draining = false;
  #hangs = false;

  /**
   * Starts everything and resolves when all listeners serve.
   *
   * Errors: `ConfigurationRefused`, `ListenFailed`, `DriverUnavailable`, and what the system says of an address.
   */
  static async start(options: ControlPlaneOptions): Promise<ControlPlane> {
    const loaded = await load(options);
    const plane = new ControlPlane(options, loaded);
    for (const warning of loaded.warnings) plane.#log.logger.warn({}, headline(warning));
    try {
      await plane.#open();
    } catch (error) {
      await plane.stop();
      throw error;
    }
    return plane;
  }

  private constructor(options: ControlPlaneOptions, loaded: Loaded) {
    const { config } = loaded;
    this.#options = options;
    this.#log = openLog({ level: config.log.level, thread: 'main' });
    this.#cells = new CellStore(config.metrics.seriesMax, config.metrics.exemplars);
    this.#exposition = new Exposition(this.#cells);
    const build = { version, node: process.version, httpDriver: 'uWebSockets.js' };
    const { seriesMax } = config.metrics;
    this.#metrics = new ControlMetrics(this.#exposition.registry, build, this.#cells, seriesMax, systemClock);
    watchLoop(new Recorder(this.#cells.region('main')));
    this.#keys = new KeyPlane({
      environment: options.environment,
      observer: this.#metrics,
      logger: this.#log.logger,
      changed: () => this.#publishKeys(),
    });
    this.#configuration = this.#configurationOf(1, loaded);
    const threads = chooseThreads(config.listener.threads, config.verifier.threads, usableCores());
    this.#logins = config.oauth === undefined ? null : new LoginPlane(config.oauth, threads.listeners);
    exposeFlights(this.#exposition.registry, this.#logins?.flights ?? null);
    const tickets = createTickets();
    const pseudonyms = createPseudonymKey();
    this.#supervisor = new Supervisor({
      clock: systemClock,
      threads: threads.listeners,
      ahead: options.listener,
      boot: (index, port) => {
        const seat = this.#logins?.seat() ?? null;
        const boot: ListenerBoot = {
          version: listenerMessagesVersion,
          configuration: this.#withKeys(),
          port,
          verifierThreads: threads.verifiersPerListener,
          metrics: this.#cells.region(`listener-${index}`),
          logins: seat?.memory ?? null,
          tickets,
          pseudonyms,
          tls: this.#tls.material,
          driver: findDriver(),
        };
        return { boot, made: (thread) => seat?.watch(thread) };
      },
      searchKeys: async (issuer) => {
        await this.#keys.ring.unknownKid(issuer);
      },
      introspect: (token) => this.#introspection.introspect(token),
      observer: {
        started: (index, port) => this.#log.logger.info({ listener: index, port }, 'listener started'),
        died: (index, error, restartInMs) => {
          this.#metrics.listenerRestarted();
          const death = { listener: index, err: error, restart_in_ms: restartInMs };
          this.#log.logger.error(death, 'listener died');
        },
        servingChanged: (serving) => this.#metrics.listenersServing(serving),
        hung: (index, silentMs) => this.#endHung(index, silentMs),
      },
    });
    const told = { logger: this.#log.logger, metrics: this.#metrics };
    this.#introspection = new IntrospectionPlane({ ...told, environment: options.environment });
    this.#introspection.configure(config.issuers);
    this.#tls = new TlsPlane({
      ...told,
      publish: (material) => this.#supervisor.publishCertificates(material),
    });
    this.#console = ConsolePlane.open(loaded, {
      options,
      cells: this.#cells,
      keys: this.#keys,
      logins: this.#logins,
      reloads: this.#reloads,
      listeners: this.#supervisor,
      checks: () => this.#checks(),
    });
    const connectionsCell = this.#cells.layout.families.sallyport_http_connections.base;
    this.#census = new ConnectionCensus({
      perAddressMax: config.listener.maxConnectionsPerAddress,
      connections: () => this.#cells.sum(connectionsCell),
      port: () => this.port,
      publish: (addresses) => this.#supervisor.publishFullAddresses(addresses),
      unavailable: () => {
        const why = 'needs /proc/self/net/tcp, and is not enforced';
        this.#log.logger.warn({}, `listener.max_connections_per_address ${why}`);
      },
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
    findDriver();
    await refusing(this.#options.file, this.#tls.configure(config.listener.tls));
    const port = await freePort(config.listener.host, config.listener.port);
    await this.#logins?.check(this.#options.environment, this.#log.logger);
    const keyless = await this.#keys.configureSigners(config, this.#options.file);
    if (keyless.length > 0) throw new ConfigurationRefused(keyless);
    this.#metrics.configurationLoaded();
    this.#metrics.issuers(Object.keys(config.issuers), () => this.#keys.states());
    const repeated = new RepeatedWarnings(this.#log.logger, systemClock);
    this.#admin = await startAdmin({
      host: config.admin.host,
      port: config.admin.port,
      checks: () => this.#checks(),
      metrics: (accept) => this.#exposition.answer(accept),
      reload: () => this.reload(),
      console: this.#console?.pages ?? null,
      onError: (error) => repeated.error('admin', { err: error }, 'an admin request failed'),
    });
    // Both at once: until the first keys are there, readiness says so and tokens are answered 503.
    await Promise.all([this.#keys.ring.configure(config.issuers), this.#supervisor.start(port)]);
    this.#publishKeys();
    const console = this.#console?.addressAt(this.adminPort);
    this.#log.logger.info({ port: this.port, admin_port: this.adminPort, console, version }, 'serving');
    this.#log.flush(); // Somebody may wait for that line.
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
    this.#tls.close();
    this.#census.stop();
    this.#console?.close();
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

  #configurationOf(number: number, { config, policy, upstreamTls, collectorHeaders }: Loaded): Configuration {
    const providers = Object.keys(config.oauth?.providers ?? {});
    const labels = this.#cells.label(policy, Object.keys(config.upstreams), providers);
    if (policy.routes.some(({ rate }) => rate !== null)) this.#rates ??= createRateMemory(randomBytes(32));
    const keyless = { keys: [], signing: [] };
    return { number, config, labels, upstreamTls, collectorHeaders, ...keyless, rates: this.#rates };
  }

  async #reload(): Promise<ReloadResult> {
    if (this.#draining) return this.#rejected(['the gateway is draining']);
    try {
      return await this.#bringIntoForce(await load(this.#options));
    } catch (error) {
      if (!(error instanceof ConfigurationRefused)) throw error;
      return this.#rejected(error.problems.map(headline));
    }
  }

  /** Errors: `ConfigurationRefused`. */
  async #bringIntoForce(loaded: Loaded): Promise<ReloadResult> {
    const { config, upstreamTls } = loaded;
    const { config: present, upstreamTls: presentTls } = this.#configuration;
    if (isDeepStrictEqual([config, upstreamTls], [present, presentTls])) {
      return this.#settled({ outcome: 'unchanged', errors: [] });
    }
    const fixed = fixedChanges(present, config);
    if (fixed.length > 0) {
      return this.#rejected(fixed.map((section) => `${section}: a change here needs a restart`));
    }
    const keyless = await this.#keys.configureSigners(config, this.#options.file);
    if (keyless.length > 0) throw new ConfigurationRefused(keyless);
    await refusing(this.#options.file, this.#tls.configure(config.listener.tls));
    await this.#keys.ring.configure(config.issuers);
    this.#introspection.configure(config.issuers);
    this.#configuration = this.#configurationOf(this.#configuration.number + 1, loaded);
    this.#log.setLevel(config.log.level);
    this.#metrics.issuers(Object.keys(config.issuers), () => this.#keys.states());
    await this.#supervisor.configure(this.#withKeys());
    this.#console?.configure(this.#configuration.number, loaded);
    this.#log.logger.info({ configuration: this.#configuration.number }, 'configuration applied');
    return this.#settled({ outcome: 'applied', errors: [] });
  }

  #withKeys(): Configuration {
    return { ...this.#configuration, ...this.#keys.keys };
  }

  #publishKeys(): void {
    this.#supervisor.publishKeys(this.#withKeys());
  }

  #rejected(errors: readonly string[]): ReloadResult {
    this.#log.logger.error({ errors }, 'configuration rejected; the one in force stays');
    return this.#settled({ outcome: 'rejected', errors });
  }

  #settled(result: ReloadResult): ReloadResult {
    this.#metrics.reloaded(result.outcome);
    return this.#reloads.keep(result);
  }

  #checks(): readonly Check[] {
    const { serving, size } = this.#supervisor;
    const shutdown = this.#draining ? 'the gateway is shutting down' : 'no';
    return [
      { name: 'draining', ok: !this.#draining, detail: shutdown },
      { name: 'listeners', ok: serving > 0, detail: `${serving} of ${size} serving` },
      this.#reloads.check(),
      ...this.#tls.checks(),
      ...this.#keys.checks(),
    ];
  }

  #endHung(index: number, silentMs: number): void {
    if (this.#hangs) return;
    this.#hangs = true;
    const wasDraining = this.#draining;
    this.#draining = true;
    this.#metrics.draining();
    const silence = { listener: index, silent_ms: Math.round(silentMs) };
    this.#log.logger.fatal(silence, 'a listener hangs; the process ends');
    this.#log.flush();
    if (wasDraining) {
      this.#options.onHung();
      return;
    }
    const { timeoutMs } = this.#configuration.config.shutdown;
    void this.#supervisor.drainOthers(index, timeoutMs).then(this.#options.onHung);
  }
}
