/**
 * An upstream of the configuration on one listener thread: its URLs, the choice among them, and the queue of calls that
 * wait for a connection. What a call does with its connection is `call.ts`.
 */
import type { Clock } from '../core/clock.ts';
import type { UpstreamConfig } from '../config/schema.ts';
import type { UpstreamTls } from '../tls/upstream-tls.ts';
import type { Connection, OpenConnection } from './connection.ts';
import { Endpoint } from './endpoint.ts';
import type { UpstreamObserver, UpstreamStats, UrlStats } from './observer.ts';
import { openingWith } from './open-connection.ts';

/** What an upstream asks of a call. */
export interface Caller {
  /** Where it is among the calls under way; the upstream's own. */
  place: number;
  /** Monotonic milliseconds after which `expire` is called; may change at any time. */
  deadlineMs: number;
  expire(nowMs: number): void;
  /** Here is the connection. It must be given back by `Upstream.give`. */
  use(connection: Connection, endpoint: Endpoint): void;
  /** The upstream is being closed by force. */
  cancel(): void;
}

/** Returns a number from 0 up to but not including 1. */
export type Random = () => number;

export interface UpstreamParts {
  readonly clock: Clock;
  readonly random: Random;
  readonly observer: UpstreamObserver;
  /** Which client to use; by default the URL says. */
  readonly open?: OpenConnection;
  /** Absent: https:// URLs are verified by the well-known authorities. */
  readonly tls?: UpstreamTls | undefined;
}

/** Deadlines are looked at this often, so that is how much later they may strike. */
const sweepMsMax = 250;
const sweepMsMin = 10;

export class Upstream {
  readonly name: string;
  readonly config: UpstreamConfig;
  readonly clock: Clock;
  readonly observer: UpstreamObserver;

  readonly #random: Random;
  readonly #endpoints: readonly Endpoint[];
  // An array in which every caller knows its place: a Set keeps calls that are over (`core/brief-map.ts`; measured: 28 instead
  // of 21 µs a call), and nobody looks for one by a key.
  readonly #calls: Caller[] = [];
  /** Callers that wait for a connection, oldest first, and whether they want one without a past. */
  readonly #queue = new Map<Caller, boolean>();
  readonly #sweepMs: number;
  #sweeper: NodeJS.Timeout | null = null;
  #serving = false;
  #onEmpty: (() => void) | null = null;

  constructor(name: string, config: UpstreamConfig, parts: UpstreamParts) {
    this.name = name;
    this.config = config;
    this.clock = parts.clock;
    this.observer = parts.observer;
    this.#random = parts.random;
    const tls = parts.tls ?? null;
    const open = parts.open ?? openingWith(tls);
    this.#endpoints = config.urls.map((url) => new Endpoint(url, config, open, tls));
    const shortestMs = Math.min(config.headTimeoutMs, config.idleTimeoutMs || config.headTimeoutMs);
    this.#sweepMs = Math.min(Math.max(shortestMs / 8, sweepMsMin), sweepMsMax);
  }

  get stats(): UpstreamStats {
    let [busy, idle, urlsOut] = [0, 0, 0];
    for (const endpoint of this.#endpoints) {
      busy += endpoint.busy;
      idle += endpoint.idle;
      if (endpoint.health.isOut) urlsOut += 1;
    }
    return { busy, idle, queued: this.#queue.size, urls: this.#endpoints.length, urlsOut };
  }

  /** In the order of the configuration. */
  get urlStats(): readonly UrlStats[] {
    return this.#endpoints.map(({ busy, idle, health: { isOut } }) => ({ busy, idle, isOut }));
  }

  /** Is there a URL besides this one? */
  hasOther(endpoint: Endpoint): boolean {
    return this.#endpoints.some((other) => other !== endpoint);
  }

  /** A call begins; until it leaves, its deadline is watched and `close` waits for it. */
  enter(caller: Caller): void {
    caller.place = this.#calls.push(caller) - 1;
    this.#sweeper ??= setInterval(() => this.sweep(), this.#sweepMs).unref();
  }

  leave(caller: Caller): void {
    const last = this.#calls.pop()!;
    if (last !== caller) {
      this.#calls[caller.place] = last;
      last.place = caller.place;
    }
    if (this.#queue.size > 0) this.#queue.delete(caller);
    if (this.#calls.length === 0) this.#onEmpty?.();
  }

  /**
   * Asks for a connection: `use` is called now, or later in turn. False when too many wait already.
   * A URL to be avoided is avoided only where the caller need not wait for that.
   */
  request(caller: Caller, fresh = false, avoid: Endpoint | null = null): boolean {
    const endpoint = this.#queue.size === 0 ? this.#choose(avoid) : null;
    if (endpoint !== null) {
      this.#assign(caller, endpoint, fresh);
      return true;
    }
    if (this.#queue.size >= this.config.queueMax) return false;
    this.#queue.set(caller, fresh);
    return true;
  }

  /** A URL for a WebSocket, which has a connection of its own: any that is well, else the one to be tried first. */
  pick(): Endpoint {
    const nowMs = this.clock.monotonicMs();
    const well = this.#endpoints.filter(({ health }) => health.admits(nowMs));
    const picked =
      well[Math.floor(this.#random() * well.length)] ??
      this.#endpoints.reduce((best, each) => (each.health.retryAtMs < best.health.retryAtMs ? each : best));
    picked.health.tried(nowMs);
    return picked;
  }

  /** The call is through with its connection, whatever state that is in. */
  give(connection: Connection, endpoint: Endpoint): void {
    endpoint.give(connection);
    if (this.#queue.size === 0 || this.#serving) return;
    // Not within the connection's callback: it may have yet to note what bytes came behind the answer.
    this.#serving = true;
    queueMicrotask(() => this.#serve());
  }

  /** Looks at every deadline. Runs by itself; public so that a test can run it at a time of its own. */
  sweep(): void {
    if (this.#calls.length === 0 && this.#sweeper !== null) {
      clearInterval(this.#sweeper);
      this.#sweeper = null;
    }
    const nowMs = this.clock.monotonicMs();
    // Of a copy: who expires leaves.
    for (const caller of this.#calls.slice()) if (nowMs >= caller.deadlineMs) caller.expire(nowMs);
  }

  /**
   * Keeps no connection from now on, and settles when the calls under way are over; `destroy` cuts this short. A call that
   * comes late, for a request that was still being verified, is served all the same.
   */
  async close(): Promise<void> {
    const idleClosed = Promise.all(this.#endpoints.map((endpoint) => endpoint.close()));
    if (this.#calls.length > 0) await new Promise<void>((resolve) => (this.#onEmpty = resolve));
    await idleClosed;
  }

  /** Fails the calls under way, and closes as `close` does. */
  async destroy(): Promise<void> {
    for (const caller of this.#calls.slice()) caller.cancel();
    await this.close();
  }

  #serve(): void {
    this.#serving = false;
    for (const [caller, fresh] of this.#queue) {
      const endpoint = this.#choose(null);
      if (endpoint === null) return;
      this.#queue.delete(caller);
      this.#assign(caller, endpoint, fresh);
    }
  }

  #assign(caller: Caller, endpoint: Endpoint, fresh: boolean): void {
    endpoint.health.tried(this.clock.monotonicMs());
    caller.use(endpoint.take(fresh), endpoint);
  }

  /** The less busy of two random URLs that are well and have a connection free; else any such; else see `#leastBad`. */
  #choose(avoid: Endpoint | null): Endpoint | null {
    const all = this.#endpoints;
    const nowMs = this.clock.monotonicMs();
    const usable = (endpoint: Endpoint): boolean =>
      endpoint !== avoid && endpoint.hasFree && endpoint.health.admits(nowMs);
    if (all.length > 1) {
      const first = Math.floor(this.#random() * all.length);
      const second = (first + 1 + Math.floor(this.#random() * (all.length - 1))) % all.length;
      const [one, two] = [all[first]!, all[second]!];
      if (usable(one) && usable(two)) return two.busy < one.busy ? two : one;
    }
    let best: Endpoint | null = null;
    for (const endpoint of all)
      if (usable(endpoint) && (best === null || endpoint.busy < best.busy)) best = endpoint;
    return best ?? this.#leastBad(avoid, nowMs);
  }

  /**
   * When every URL is out, the one that is to be tried first is tried now: an upstream that recovered is found by the
   * next request, and one that did not answers for itself. While one is well but has no connection free, calls wait.
   */
  #leastBad(avoid: Endpoint | null, nowMs: number): Endpoint | null {
    let best: Endpoint | null = null;
    for (const endpoint of this.#endpoints) {
      if (endpoint === avoid) continue;
      if (endpoint.health.admits(nowMs)) return null;
      if (!endpoint.hasFree) continue;
      if (best === null || endpoint.health.retryAtMs < best.health.retryAtMs) best = endpoint;
    }
    return best;
  }
}
