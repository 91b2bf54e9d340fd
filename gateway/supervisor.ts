/**
 * The listener threads: started, watched, restarted, drained. Runs on the main thread.
 *
 * The driver aborts the whole process when a thread ends while its App is open. So a listener is never terminated: it is
 * asked to end and closes its App on the way out. One that hangs cannot be asked; then the others are drained and the
 * process ends itself (`onHung`), for a process manager to start it again.
 */
import type { Worker } from 'node:worker_threads';
import type { Clock } from './core/clock.ts';
import { ListenerThread } from './listener-thread.ts';
import type { Configuration, FromListener, ListenerBoot, ToListener } from './listener/messages.ts';
import type { Introspected } from './token/verifier-parts.ts';
import type { TlsMaterial } from './tls/certificate.ts';

/** A listener thread about to be made. */
export interface Launch {
  readonly boot: ListenerBoot;
  /** Told of the thread once it is made: its 'exit' says that it can no longer write to what it shares. */
  readonly made: (thread: Worker) => void;
}

export interface SupervisorParts {
  readonly clock: Clock;
  readonly threads: number;
  /** Made ahead of the configuration, for the first seat; null: it is made like the others. */
  readonly ahead: ListenerThread | null;
  /** What the next incarnation of listener `index` begins with, and who follows its thread. */
  readonly boot: (index: number, port: number) => Launch;
  /** A listener met an unknown key id. Resolves when the search is over and new keys, if any, were published. */
  readonly searchKeys: (issuer: number) => Promise<void>;
  /** A listener asks about an opaque token. Never rejects. */
  readonly introspect: (token: string) => Promise<Introspected>;
  readonly observer: SupervisorObserver;
}

export interface SupervisorObserver {
  started(index: number, port: number): void;
  /** A listener ended that should not have. */
  died(index: number, error: Error | null, restartInMs: number): void;
  servingChanged(serving: number): void;
  /** A listener has not answered, or not ended, for `silentMs`. */
  hung(index: number, silentMs: number): void;
}

const restartMsMin = 100;
const restartMsMax = 10_000;
/** A listener that lived this long starts its back-off anew. */
const settledMs = 30_000;
const pingMs = 1000;
const hungMs = 15_000;
/** How long a listener may take to end once it has nothing left to wait for. */
const endMsMax = 5000;

interface Slot {
  readonly index: number;
  worker: Worker | null;
  serving: boolean;
  configured: number;
  startedMs: number;
  heardMs: number;
  restartMs: number;
  restartTimer: NodeJS.Timeout | null;
}

export class ListenFailed extends Error {
  override readonly name = 'ListenFailed';
}

export class Supervisor {
  readonly #parts: SupervisorParts;
  readonly #slots: Slot[];
  readonly #waiters = new Set<() => void>();
  #port = 0;
  #ending = false;
  #ping: NodeJS.Timeout | null = null;

  constructor(parts: SupervisorParts) {
    this.#parts = parts;
    this.#slots = Array.from({ length: parts.threads }, (_, index) => ({
      index,
      worker: null,
      serving: false,
      configured: 0,
      startedMs: 0,
      heardMs: 0,
      restartMs: restartMsMin,
      restartTimer: null,
    }));
  }

  /** Listeners that accept requests now. */
  get serving(): number {
    return this.#slots.filter((slot) => slot.serving).length;
  }

  get size(): number {
    return this.#slots.length;
  }

  /** The port in use. */
  get port(): number {
    return this.#port;
  }

  /**
   * Starts the listeners; resolves when all serve. They share the port, which is not 0.
   *
   * Errors: `ListenFailed` when the address cannot be bound.
   */
  async start(port: number): Promise<void> {
    this.#port = port;
    const [first, ...others] = this.#slots;
    if (first !== undefined) await this.#startFirst(first);
    for (const slot of others) this.#spawn(slot);
    await this.#until(() => this.serving === this.#slots.length);
    this.#ping = setInterval(() => this.#checkPulse(), pingMs);
    this.#ping.unref();
  }

  /** Brings a configuration into force on every listener; resolves when all of them serve by it. */
  async configure(configuration: Configuration): Promise<void> {
    this.#send({ kind: 'configure', configuration });
    await this.#until(
      () =>
        this.#ending || this.#slots.every((slot) => !slot.serving || slot.configured >= configuration.number),
    );
  }

  publishKeys({ number, keys, signing }: Pick<Configuration, 'number' | 'keys' | 'signing'>): void {
    this.#send({ kind: 'keys', configurationNumber: number, keys, signing });
  }

  publishCertificates(tls: TlsMaterial): void {
    this.#send({ kind: 'certificates', tls });
  }

  /** The addresses whose new connections the listeners refuse. */
  publishFullAddresses(addresses: readonly string[]): void {
    this.#send({ kind: 'full-addresses', addresses });
  }

  /** Ends all listeners, their requests finished first. Resolves when the last is gone. */
  async drain(timeoutMs: number): Promise<void> {
    this.#end();
    this.#send({ kind: 'drain', timeoutMs });
    await this.#gone(timeoutMs + endMsMax);
  }

  /** Ends all listeners at once. Resolves when the last is gone. */
  async stop(): Promise<void> {
    this.#end();
    this.#send({ kind: 'stop' });
    await this.#gone(endMsMax);
  }

  /** Drains all listeners but one that cannot answer any more. Resolves in bounded time, as another may hang too. */
  async drainOthers(index: number, timeoutMs: number): Promise<void> {
    this.#end();
    for (const slot of this.#slots) {
      if (slot.index !== index) slot.worker?.postMessage({ kind: 'drain', timeoutMs } satisfies ToListener);
    }
    const others = this.#until(() =>
      this.#slots.every((slot) => slot.index === index || slot.worker === null),
    );
    await Promise.race([others, new Promise((resolve) => setTimeout(resolve, timeoutMs + endMsMax))]);
  }

  /** Resolves when the last listener is gone; never while one hangs, which the observer is told. */
  async #gone(withinMs: number): Promise<void> {
    const timer = setTimeout(() => {
      const hung = this.#slots.find((slot) => slot.worker !== null);
      if (hung !== undefined) this.#parts.observer.hung(hung.index, withinMs);
    }, withinMs);
    await this.#until(() => this.#slots.every((slot) => slot.worker === null));
    clearTimeout(timer);
  }

  #end(): void {
    this.#ending = true;
    if (this.#ping !== null) clearInterval(this.#ping);
    for (const slot of this.#slots) {
      if (slot.restartTimer !== null) clearTimeout(slot.restartTimer);
    }
  }

  async #startFirst(slot: Slot): Promise<void> {
    const { ahead } = this.#parts;
    const worker = this.#spawn(slot, ahead === null || ahead.ended ? undefined : ahead);
    await new Promise<void>((resolve, reject) => {
      worker.on('message', (message: FromListener) => {
        if (message.kind === 'listening') resolve();
      });
      worker.once('error', reject);
      worker.once('exit', () => reject(new ListenFailed('the listener thread ended while it started')));
    });
  }

  #spawn(slot: Slot, thread = new ListenerThread(slot.index)): Worker {
    const { worker } = thread;
    const { boot, made } = this.#parts.boot(slot.index, this.#port);
    made(worker);
    thread.begin(boot);
    slot.worker = worker;
    slot.startedMs = slot.heardMs = this.#parts.clock.monotonicMs();
    let error: Error | null = null;
    worker.on('message', (message: FromListener) => this.#hear(slot, worker, message));
    worker.on('error', (cause) => {
      error = cause instanceof Error ? cause : new Error(String(cause));
    });
    worker.on('exit', () => this.#buried(slot, worker, error));
    return worker;
  }

  #hear(slot: Slot, worker: Worker, message: FromListener): void {
    slot.heardMs = this.#parts.clock.monotonicMs();
    switch (message.kind) {
      case 'listening':
        slot.serving = true;
        this.#port = message.port;
        this.#parts.observer.started(slot.index, message.port);
        this.#servingChanged();
        return;
      case 'configured':
        slot.configured = message.configurationNumber;
        this.#changed();
        return;
      case 'search-keys':
        void this.#parts.searchKeys(message.issuer).finally(() => {
          worker.postMessage({ kind: 'keys-searched', ticket: message.ticket } satisfies ToListener);
        });
        return;
      case 'introspect':
        void this.#parts.introspect(message.token).then((answer) => {
          const { ticket } = message;
          worker.postMessage({ kind: 'introspected', ticket, answer } satisfies ToListener);
        });
        return;
      case 'pong':
        return;
    }
  }

  #buried(slot: Slot, worker: Worker, error: Error | null): void {
    if (slot.worker !== worker) return;
    slot.worker = null;
    slot.serving = false;
    if (!this.#ending) {
      const livedMs = this.#parts.clock.monotonicMs() - slot.startedMs;
      if (livedMs >= settledMs) slot.restartMs = restartMsMin;
      this.#parts.observer.died(slot.index, error, slot.restartMs);
      slot.restartTimer = setTimeout(() => this.#spawn(slot), slot.restartMs);
      slot.restartMs = Math.min(restartMsMax, slot.restartMs * 2);
    }
    this.#servingChanged();
  }

  #checkPulse(): void {
    const nowMs = this.#parts.clock.monotonicMs();
    for (const slot of this.#slots) {
      if (slot.worker === null) continue;
      if (nowMs - slot.heardMs > hungMs) this.#parts.observer.hung(slot.index, nowMs - slot.heardMs);
      else slot.worker.postMessage({ kind: 'ping' } satisfies ToListener);
    }
  }

  #send(message: ToListener): void {
    for (const slot of this.#slots) slot.worker?.postMessage(message);
  }

  #servingChanged(): void {
    this.#parts.observer.servingChanged(this.serving);
    this.#changed();
  }

  #changed(): void {
    for (const waiter of this.#waiters) waiter();
  }

  #until(holds: () => boolean): Promise<void> {
    return new Promise((resolve) => {
      const check = (): void => {
        if (!holds()) return;
        this.#waiters.delete(check);
        resolve();
      };
      this.#waiters.add(check);
      check();
    });
  }
}
