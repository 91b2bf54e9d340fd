/**
 * Asks an upstream for a WebSocket on behalf of a caller who may have one. The caller is answered when the upstream was:
 * with its 101 and the subprotocol that it chose, with its own answer when it declines, else with a refusal.
 *
 * No extension is offered, and none accepted: both ends speak plain RFC 6455.
 */
import type { ClientRequest, IncomingMessage } from 'node:http';
import { WebSocket } from 'ws';
import { refusals } from '../core/errors.ts';
import type { Exchange } from '../core/exchange.ts';
import type { Upgrade } from '../core/websocket.ts';
import { readAnswer } from './answer.ts';
import type { Refuse } from './call.ts';
import { connectorOf, openSocketTo } from './connector.ts';
import type { Endpoint } from './endpoint.ts';
import { connectKindOf, isTlsFailure } from './failure.ts';
import { failureCodes, type CallFailure } from './observer.ts';
import type { Upstream } from './upstream.ts';
import { DialedSocket } from './websocket.ts';

export class Dial {
  readonly #exchange: Exchange;
  readonly #upgrade: Upgrade;
  readonly #upstream: Upstream;
  readonly #endpoint: Endpoint;
  readonly #refuse: Refuse;
  readonly #startedMs: number;
  #socket: WebSocket | null = null;
  #failure: CallFailure | null = null;
  /** The upstream's side of the matter is settled: what comes now is not about the handshake any more. */
  #over = false;

  constructor(exchange: Exchange, upgrade: Upgrade, upstream: Upstream, refuse: Refuse) {
    this.#exchange = exchange;
    this.#upgrade = upgrade;
    this.#upstream = upstream;
    this.#endpoint = upstream.pick();
    this.#refuse = refuse;
    this.#startedMs = upstream.clock.monotonicMs();
    exchange.onGone(() => this.#abandon());
  }

  /** `headers`: name, value, name, value. `ownedField`: a field of the answer that we write ourselves. */
  send(headers: readonly string[], ownedField: string): void {
    const { protocols, messageBytesMax } = this.#upgrade;
    const { config } = this.#upstream;
    const { url, tls } = this.#endpoint;
    const connector = connectorOf(url, config, tls);
    const fields = grouped(headers);
    if (protocols.length > 0) fields['sec-websocket-protocol'] = [protocols.join(', ')];
    const socket = new WebSocket(`${url.origin.replace('http', 'ws')}${this.#exchange.target}`, {
      // The types know single values only.
      headers: fields as unknown as Record<string, string>,
      perMessageDeflate: false,
      followRedirects: false,
      // Passed on to the caller, whose answer is the answer.
      autoPong: false,
      maxPayload: messageBytesMax,
      handshakeTimeout: config.headTimeoutMs,
      createConnection: ((_: unknown, done: (error: Error | null, socket?: unknown) => void): void => {
        openSocketTo(url, connector, (error, opened) => {
          if (error !== null) this.#failure = connectFailure(error);
          done(error, opened ?? undefined);
        });
      }) as never,
    });
    this.#socket = socket;
    let protocol = '';
    socket.on('upgrade', ({ headers: answered }: IncomingMessage) => {
      protocol = answered['sec-websocket-protocol'] ?? '';
      // The library takes an upstream that chose none of those offered for a broken one; RFC 6455 section 4.2.2 lets it.
      // So the choice is judged here, and the library is not told of it.
      if (protocol !== '' && !protocols.includes(protocol)) this.#fail('invalid');
      delete answered['sec-websocket-protocol'];
    });
    socket.on('unexpected-response', (_: ClientRequest, answer: IncomingMessage) =>
      this.#decline(answer, ownedField),
    );
    socket.on('error', (error: NodeJS.ErrnoException) => this.#fail(this.#failure ?? kindOf(error)));
    socket.on('open', () => {
      if (this.#over) return socket.terminate();
      this.#over = true;
      this.#answered(101);
      socket.removeAllListeners();
      this.#exchange.accept(new DialedSocket(socket, protocol));
    });
  }

  /** The upstream's own answer is passed on, whatever it is: it may say how to authenticate, or where else to go. */
  #decline(answer: IncomingMessage, ownedField: string): void {
    const status = answer.statusCode ?? 0;
    const head = readAnswer('GET', status, 1, fieldsOf(answer), ownedField);
    if (this.#over || head === null) {
      answer.destroy();
      if (head === null) this.#fail('invalid');
      return;
    }
    this.#over = true;
    this.#answered(status);
    this.#exchange.onGone(() => answer.destroy());
    this.#exchange.onDrain(() => answer.resume());
    this.#exchange.head(status, head.headers, head.length);
    const idleMs = this.#upstream.config.idleTimeoutMs;
    if (idleMs > 0) answer.socket.setTimeout(idleMs, () => answer.destroy());
    answer.on('data', (chunk: Buffer) => {
      if (!this.#exchange.write(chunk)) answer.pause();
    });
    answer.on('end', () => this.#exchange.end());
    answer.on('error', () => {}); // It closes too.
    answer.on('close', () => {
      if (!answer.complete) this.#exchange.destroy();
    });
  }

  #answered(status: number): void {
    this.#endpoint.health.succeeded();
    this.#upstream.observer.answered(status, this.#upstream.clock.monotonicMs() - this.#startedMs);
  }

  #fail(failure: CallFailure): void {
    if (this.#over) return;
    this.#over = true;
    this.#socket?.terminate();
    this.#endpoint.health.failed(this.#upstream.clock.monotonicMs());
    this.#upstream.observer.failed(failure);
    this.#refuse(this.#exchange, refusals[failureCodes[failure]]);
  }

  #abandon(): void {
    if (this.#over) return;
    this.#over = true;
    this.#socket?.terminate();
    this.#upstream.observer.abandoned();
  }
}

/** Repeated fields stay apart: the library hands an array on as one line for each value. */
function grouped(headers: readonly string[]): Record<string, string[]> {
  const fields: Record<string, string[]> = {};
  for (let i = 0; i < headers.length; i += 2) (fields[headers[i]!] ??= []).push(headers[i + 1]!);
  return fields;
}

/** As they came, names in lower case: node joins repeated fields of some names and drops those of others. */
function fieldsOf({ rawHeaders }: IncomingMessage): string[] {
  return rawHeaders.map((text, i) => (i % 2 === 0 ? text.toLowerCase() : text));
}

/** There is no body that could have spoilt it, and nothing of ours but the URL. */
function connectFailure(error: Error): CallFailure {
  const kind = connectKindOf(error);
  return kind === 'body' || kind === 'defect' ? 'unreachable' : kind;
}

/** What became of a handshake that did not end in an answer. The library's own errors have no code: the answer was no 101 of ours. */
function kindOf(error: NodeJS.ErrnoException): CallFailure {
  const { code = '', message } = error;
  if (isTlsFailure(error)) return 'tls';
  if (message === 'Opening handshake has timed out' || code === 'ETIMEDOUT') return 'timeout';
  if (code === '' || code.startsWith('HPE_') || code.startsWith('WS_ERR_')) return 'invalid';
  return 'reset';
}
