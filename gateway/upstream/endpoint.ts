/** One URL of an upstream: its connections and its health. At most so many connections; made when needed, then kept. */
import type { UpstreamConfig } from '../config/schema.ts';
import type { Connection, OpenConnection } from './connection.ts';
import type { UpstreamTls } from '../tls/upstream-tls.ts';
import { Health } from './health.ts';

export class Endpoint {
  readonly health: Health;
  readonly url: URL;
  readonly tls: UpstreamTls | null;
  /** Connections that carry a request. */
  busy = 0;

  readonly #config: UpstreamConfig;
  readonly #open: OpenConnection;
  /** Without a request, with an open socket; the last one used is used next, so that the surplus runs out of time. */
  readonly #warm: Connection[] = [];
  /** Without a request and without a socket. */
  readonly #cold: Connection[] = [];
  readonly #all = new Set<Connection>();
  #closed = false;

  constructor(url: string, config: UpstreamConfig, open: OpenConnection, tls: UpstreamTls | null) {
    this.url = new URL(url);
    this.#config = config;
    this.#open = open;
    this.tls = tls;
    this.health = new Health({ failures: config.health.failures, retryAfterMs: config.health.retryAfterMs });
  }

  get idle(): number {
    return this.#warm.length;
  }

  get hasFree(): boolean {
    return this.busy < this.#config.connections;
  }

  /** Takes a connection, which `give` must get back. `fresh` prefers one that has to be opened. */
  take(fresh: boolean): Connection {
    this.busy += 1;
    const known = fresh ? (this.#cold.pop() ?? null) : (this.#warm.pop() ?? this.#cold.pop() ?? null);
    if (known !== null) return known;
    if (fresh && this.#all.size >= this.#config.connections) return this.#warm.pop()!;
    const made = this.#open(this.url, this.#config, (connection) => this.#moved(connection));
    this.#all.add(made);
    return made;
  }

  give(connection: Connection): void {
    this.busy -= 1;
    if (!this.#closed) {
      (connection.open ? this.#warm : this.#cold).push(connection);
      return;
    }
    this.#all.delete(connection);
    // Not within the connection's callback that led here.
    queueMicrotask(() => void connection.destroy());
  }

  /** Keeps no connection from now on. Those that carry a request finish it, and late requests are served too. */
  async close(): Promise<void> {
    this.#closed = true;
    const idle = [...this.#warm.splice(0), ...this.#cold.splice(0)];
    for (const connection of idle) this.#all.delete(connection);
    await Promise.all(idle.map((connection) => connection.destroy()));
  }

  /** An idle connection was closed by the other side or ran out of time. */
  #moved(connection: Connection): void {
    const at = connection.open ? -1 : this.#warm.indexOf(connection);
    if (at === -1) return;
    this.#warm.splice(at, 1);
    this.#cold.push(connection);
  }
}
