/**
 * One connection to one URL: an undici client that carries a single request at a time and reconnects by itself.
 * Knows what undici does not tell: whether the socket was used before, which decides if a request may be sent again.
 */
import type { Readable } from 'node:stream';
import { Client, type Dispatcher } from 'undici';
import type { UpstreamConfig } from '../config/schema.ts';
import { connectorOf } from './connector.ts';
import { Gate } from './gate.ts';

type Limits = Pick<UpstreamConfig, 'connectTimeoutMs' | 'keepAliveMs' | 'maxResponseHeaderBytes'>;

type RequestHandler = Dispatcher.DispatchHandler;

export interface OutgoingRequest {
  readonly method: Dispatcher.HttpMethod;
  readonly path: string;
  /** Name, value, name, value. Holds `content-length` when a streamed body has a known one. */
  readonly headers: string[];
  readonly body: Buffer | Readable | null;
}

export class Connection {
  /** True while there is an open socket. */
  open = false;
  /** Requests begun on the present socket. */
  requests = 0;

  readonly #client: Client;
  readonly #servername: string;
  #gate: Gate | null = null;

  /** `changed` is told when the socket came or went. */
  constructor(url: URL, limits: Limits, changed: (connection: Connection) => void) {
    const connector = connectorOf(url, limits);
    this.#servername = url.hostname;
    this.#client = new Client(url.origin, {
      // 0 asks the upstream to close after each answer.
      pipelining: limits.keepAliveMs === 0 ? 0 : 1,
      keepAliveTimeout: Math.max(limits.keepAliveMs, 1),
      // An upstream's Keep-Alive field may shorten our time, not lengthen it.
      keepAliveMaxTimeout: Math.max(limits.keepAliveMs, 1),
      maxHeaderSize: limits.maxResponseHeaderBytes,
      // Both are kept by the call itself (`call.ts`): undici's are coarse and know nothing of the gate.
      headersTimeout: 0,
      bodyTimeout: 0,
      strictContentLength: true,
      connect: (options, callback) => {
        connector.open(options, (...result) => {
          if (result[0] === null) this.#gate = new Gate(result[1]);
          callback(...result);
        });
      },
    });
    this.#client.on('connect', () => {
      this.open = true;
      this.requests = 0;
      changed(this);
    });
    this.#client.on('disconnect', () => {
      this.open = false;
      this.#gate = null;
      changed(this);
    });
  }

  send(request: OutgoingRequest, handler: RequestHandler): void {
    const { method, path, headers, body } = request;
    // Left to itself, undici takes the name for TLS from the Host field. (Its types do not know the option.)
    const options: Dispatcher.DispatchOptions & { servername: string } = {
      method,
      path,
      headers,
      body,
      servername: this.#servername,
    };
    this.#client.dispatch(options, handler);
  }

  /** A request is being written to the socket. */
  begin(): void {
    this.requests += 1;
    this.#gate?.expectHead();
  }

  /** Did a byte of an answer come to the present request? */
  get heard(): boolean {
    return this.#gate?.heard ?? false;
  }

  /** Back-pressure: at most what the socket buffers hold is taken from the upstream until `resume`. */
  pause(): void {
    this.#gate?.close();
  }

  resume(): void {
    this.#gate?.open();
  }

  /** Ends the socket under the request on it; undici then reports that one as failed. */
  cut(): void {
    this.#gate?.cut();
  }

  /** Ends the connection for good; a request on it fails. Settles when the socket is closed. */
  destroy(): Promise<void> {
    return this.#client.destroy();
  }
}
