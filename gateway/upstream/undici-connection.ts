/**
 * A connection by undici: a client that carries a single request at a time. Serves https:// URLs.
 * Knows what undici does not tell: whether the socket was used before, which decides if a request may be sent again.
 */
import type { Client, Dispatcher } from 'undici';
import type { UpstreamTls } from '../tls/upstream-tls.ts';
import { readAnswer } from './answer.ts';
import { BodyStream } from './body.ts';
import type { AnswerReceiver, Connection, ConnectionLimits, OutgoingRequest } from './connection.ts';
import { connectorOf } from './connector.ts';
import { connectKindOf, kindOf } from './failure.ts';
import { Gate } from './gate.ts';
import { undici } from './undici.ts';

type Controller = Dispatcher.DispatchController;

/** Fields as undici hands them out: names in lower case, values in which one char is one byte. */
type Fields = Readonly<Record<string, string | string[] | undefined>>;

export class UndiciConnection implements Connection {
  open = false;
  requests = 0;

  readonly #client: Client;
  readonly #servername: string;
  #gate: Gate | null = null;

  constructor(
    url: URL,
    limits: ConnectionLimits,
    changed: (connection: Connection) => void,
    tls: UpstreamTls | null = null,
  ) {
    const connector = connectorOf(url, limits, tls);
    this.#servername = tls?.serverName ?? url.hostname;
    this.#client = new (undici().Client)(url.origin, {
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

  send(request: OutgoingRequest, receiver: AnswerReceiver): void {
    const { method, target, headers, body } = request;
    // undici checks the length while it writes, and cuts the connection when it is not kept.
    const sized = body instanceof BodyStream && body.length !== null;
    // Left to itself, undici takes the name for TLS from the Host field. (Its types do not know the option.)
    const options: Dispatcher.DispatchOptions & { servername: string } = {
      method,
      path: target,
      headers: sized ? [...headers, 'content-length', String(body.length)] : [...headers],
      body,
      servername: this.#servername,
    };
    this.#client.dispatch(options, new Dispatch(this, request, receiver));
  }

  /** A request is being written to the socket. */
  begin(): void {
    this.requests += 1;
    this.#gate?.expectHead();
  }

  get heard(): boolean {
    return this.#gate?.heard ?? false;
  }

  pause(): void {
    this.#gate?.close();
  }

  resume(): void {
    this.#gate?.open();
  }

  cut(): void {
    this.#gate?.cut();
  }

  destroy(): Promise<void> {
    return this.#client.destroy();
  }
}

/** What undici reports of one request, in our words. */
class Dispatch implements Dispatcher.DispatchHandler {
  readonly #connection: UndiciConnection;
  readonly #request: OutgoingRequest;
  readonly #receiver: AnswerReceiver;
  #begun = false;
  #refused = false;

  constructor(connection: UndiciConnection, request: OutgoingRequest, receiver: AnswerReceiver) {
    this.#connection = connection;
    this.#request = request;
    this.#receiver = receiver;
  }

  onRequestStart(controller: Controller): void {
    // undici would send a request again by itself in states that should not occur; it is not for it to say.
    if (this.#begun || !this.#receiver.begun()) {
      controller.abort(new Error(this.#begun ? 'a request is not sent twice' : 'the call is over'));
      this.#begun = true;
      return;
    }
    this.#begun = true;
    this.#connection.begin();
  }

  onResponseStart(_: Controller, status: number, fields: Fields): void {
    if (this.#refused) return;
    if (status >= 100 && status < 200 && status !== 101) {
      if (!this.#receiver.interim()) this.#refuse();
      return;
    }
    // undici closes by itself what it must not keep.
    const head = readAnswer(this.#request.method, status, 1, flat(fields), this.#request.ownedField);
    if (head === null) this.#refuse();
    else this.#receiver.head(status, head);
  }

  onResponseData(_: Controller, piece: Buffer): void {
    if (!this.#refused) this.#receiver.data(piece, false);
  }

  /** Trailers are dropped, knowingly: most callers cannot take them, and none may be merged into the head. */
  onResponseEnd(): void {
    if (this.#refused) this.#receiver.failed('invalid');
    else this.#receiver.ended();
  }

  onResponseError(_: Controller | undefined, error: Error): void {
    if (this.#refused) this.#receiver.failed('invalid');
    else this.#receiver.failed(this.#begun ? kindOf(error) : connectKindOf(error));
  }

  /**
   * The answer will not do. The connection is cut rather than the request aborted: after an abort, undici opens another
   * connection for a request it will not send.
   */
  #refuse(): void {
    this.#refused = true;
    this.#connection.cut();
  }
}

/** Blanks behind a value, which undici leaves there, do not belong to it (RFC 9112 section 5.1). */
function flat(fields: Fields): string[] {
  const all: string[] = [];
  for (const name of Object.keys(fields)) {
    const value = fields[name]!;
    for (const one of typeof value === 'string' ? [value] : value) all.push(name, one.replace(/[ \t]+$/, ''));
  }
  return all;
}
