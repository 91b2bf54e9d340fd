/**
 * A connection of our own: HTTP/1.1 over TCP, one request at a time. Serves http:// URLs.
 *
 * What makes it cheap: all connections of a thread read into one buffer, the parser works on that in place, and a request with
 * its collected body is one write. What makes it strict is in `http1/`.
 *
 * Stages: idle (with a socket or without) → sent (a request waits for the socket) → writing (from its first byte to the end of
 * its answer) → idle. A socket that is not to be used again is let go of before the receiver hears of the end.
 */
import { connect, type Socket } from 'node:net';
import { readAnswer, type AnswerHead } from './answer.ts';
import type {
  AnswerReceiver,
  Connection,
  ConnectionLimits,
  OutgoingRequest,
  RequestFailure,
} from './connection.ts';
import { AnswerParser, type AnswerReader } from './http1/answer-parser.ts';
import { requestHead, type RequestFraming } from './http1/request-head.ts';
import { IdleTimer } from './idle-timer.ts';
import { StreamedRequest } from './streamed-request.ts';
import { Turns, type Turned } from './turns.ts';

/** What one read may bring. Shared by all connections, because what was read is used up before the next read. */
const readBuffer = Buffer.allocUnsafeSlow(65_536);

/** What is read of an answer that the caller does not take, before reading stops: so its end is seen, and a reset. */
const heldBytesMax = 65_536;

/** So long before its announced end a connection is not used any more. */
const keepAliveMarginMs = 1000;

const tcpKeepAliveMs = 60_000;

export class PlainConnection implements Connection, AnswerReader, Turned {
  open = false;
  requests = 0;
  heard = false;

  restedTurn = -1;

  static readonly #turns = new Turns();

  readonly #host: string;
  readonly #port: number;
  readonly #authority: string;
  readonly #limits: ConnectionLimits;
  readonly #changed: (connection: Connection) => void;
  readonly #parser: AnswerParser;
  readonly #idleTimer = new IdleTimer(() => this.#discard());
  #socket: Socket | null = null;
  #request: OutgoingRequest | null = null;
  #receiver: AnswerReceiver | null = null;
  #writing = false;
  #streamed: StreamedRequest | null = null;
  #head: AnswerHead | null = null;
  /** Why the request on it fails, once the socket is closed. */
  #failure: RequestFailure = 'reset';
  #paused = false;
  /** Read while paused, in order. */
  #held: Buffer[] = [];
  #heldBytes = 0;
  /** The upstream sends no more. */
  #finished = false;

  constructor(url: URL, limits: ConnectionLimits, changed: (connection: Connection) => void) {
    this.#host = url.hostname.replace(/^\[|\]$/g, '');
    this.#port = url.port === '' ? 80 : Number(url.port);
    this.#authority = url.host;
    this.#limits = limits;
    this.#changed = changed;
    this.#parser = new AnswerParser(this, limits.maxResponseHeaderBytes);
  }

  /** A new socket is written to when it is open, a kept one in its turn. */
  send(request: OutgoingRequest, receiver: AnswerReceiver): void {
    this.#request = request;
    this.#receiver = receiver;
    this.#failure = 'reset';
    this.#idleTimer.suspend();
    if (this.open) PlainConnection.#turns.await(this);
    else this.#connect();
  }

  /** The socket may have been lost while the request waited. */
  takeTurn(): void {
    if (this.open) this.#write();
    else this.#connect();
  }

  pause(): void {
    this.#paused = true;
  }

  /** Goes on outside of the caller's stack: it may be a callback of this very connection. */
  resume(): void {
    if (!this.#paused) return;
    this.#paused = false;
    process.nextTick(() => this.#goOn());
  }

  cut(): void {
    this.#socket?.destroy();
  }

  async destroy(): Promise<void> {
    const socket = this.#socket;
    if (socket === null) return;
    await new Promise<void>((resolve) => socket.once('close', () => resolve()).destroy());
  }

  // ------------------------------------------------------------ what the parser reports

  onInterim(): boolean {
    return this.#receiver!.interim();
  }

  onHead(status: number, minor: number, fields: string[]): AnswerHead | null {
    const { method, ownedField } = this.#request!;
    const head = readAnswer(method, status, minor, fields, ownedField);
    this.#head = head;
    if (head !== null) this.#receiver!.head(status, head);
    return head;
  }

  onContent(piece: Buffer, last: boolean): void {
    this.#receiver!.data(piece, last);
  }

  // ------------------------------------------------------------ towards the upstream

  #connect(): void {
    const socket: Socket = connect({
      host: this.#host,
      port: this.#port,
      noDelay: true,
      keepAlive: true,
      keepAliveInitialDelay: tcpKeepAliveMs,
      // The end of an answer may be read long after the upstream closed.
      allowHalfOpen: true,
      onread: { buffer: readBuffer, callback: (size) => this.#read(socket, size) },
    });
    this.#socket = socket;
    const timer = setTimeout(() => {
      this.#failure = 'timeout';
      socket.destroy();
    }, this.#limits.connectTimeoutMs);
    socket.on('connect', () => {
      clearTimeout(timer);
      this.open = true;
      this.requests = 0;
      this.#finished = false;
      this.#changed(this);
      this.#write();
    });
    socket.on('end', () => {
      if (socket === this.#socket) this.#finish();
    });
    socket.on('drain', () => {
      if (socket === this.#socket) this.#streamed?.drained();
    });
    socket.on('error', (error: NodeJS.ErrnoException) => {
      if (socket !== this.#socket) return;
      if (this.open) this.#failure = 'reset';
      else this.#failure = error.code === 'ETIMEDOUT' ? 'timeout' : 'unreachable';
    });
    socket.on('close', () => {
      clearTimeout(timer);
      if (socket === this.#socket) this.#closed();
    });
  }

  #write(): void {
    const receiver = this.#receiver!;
    if (!receiver.begun()) {
      this.#release();
      this.#rest(this.#limits.keepAliveMs);
      receiver.ended();
      return;
    }
    const { body } = this.#request!;
    let framing: RequestFraming = 'none';
    if (body !== null) framing = body.length ?? 'chunked';
    const head = requestHead(this.#request!, this.#authority, this.#mayPersist, framing);
    if (head === null) {
      this.#release();
      this.#rest(this.#limits.keepAliveMs);
      receiver.failed('defect');
      return;
    }
    this.requests += 1;
    this.heard = false;
    this.#writing = true;
    this.#parser.begin();
    const socket = this.#socket!;
    if (body === null) socket.write(head, 'latin1');
    else if (Buffer.isBuffer(body)) socket.write(joined(head, body));
    else {
      socket.write(head, 'latin1');
      this.#streamed = new StreamedRequest(socket, body, () => this.#lose('body'));
    }
  }

  /** An upstream that sends a body with the answer to HEAD, as some do, must not have it taken for the next answer. */
  get #mayPersist(): boolean {
    return this.#limits.keepAliveMs > 0 && this.#request!.method !== 'HEAD';
  }

  // ------------------------------------------------------------ from the upstream

  /** False stops reading. */
  #read(socket: Socket, size: number): boolean {
    if (socket !== this.#socket) return false;
    this.heard = true;
    if (!this.#paused && this.#heldBytes === 0) {
      this.#feed(readBuffer, size);
      return true;
    }
    this.#held.push(Buffer.from(readBuffer.subarray(0, size)));
    this.#heldBytes += size;
    return this.#heldBytes < heldBytesMax;
  }

  #feed(bytes: Buffer, size: number): void {
    const progress = this.#parser.push(bytes, size);
    if (progress === 'complete') this.#complete();
    else if (progress === 'invalid') this.#lose('invalid');
  }

  #goOn(): void {
    while (!this.#paused && this.#heldBytes > 0) {
      const bytes = this.#held.shift()!;
      this.#heldBytes -= bytes.length;
      this.#feed(bytes, bytes.length);
    }
    if (this.#paused) return;
    if (this.#finished) this.#finish();
    else this.#socket?.resume();
  }

  #finish(): void {
    this.#finished = true;
    if (this.#paused || this.#heldBytes > 0) return;
    if (this.#writing && this.#parser.finish()) this.#complete();
    else this.#lose('reset');
  }

  #complete(): void {
    const receiver = this.#receiver!;
    const { persistent, keepAliveMs } = this.#head!;
    const socket = this.#socket!;
    // Cut meanwhile: the request has failed, and the receiver hears so when the socket is closed.
    if (socket.destroyed) return;
    const idleMs = Math.min(
      this.#limits.keepAliveMs,
      (keepAliveMs ?? Number.POSITIVE_INFINITY) - keepAliveMarginMs,
    );
    const inStep =
      !this.#parser.broken && this.#heldBytes === 0 && (this.#streamed === null || this.#streamed.done);
    const reusable = persistent && this.#mayPersist && inStep && idleMs > 0;
    this.#release();
    if (reusable) this.#rest(idleMs);
    else this.#letGo();
    receiver.ended();
  }

  // ------------------------------------------------------------ endings

  /** The socket will not do any more. A request that was begun fails with it; one that waits for its turn gets another socket. */
  #lose(failure: RequestFailure): void {
    if (!this.#writing) {
      this.#discard();
      return;
    }
    this.#failure = failure;
    this.#socket?.destroy();
  }

  #closed(): void {
    const receiver = this.#receiver;
    // One that waits for its turn on a kept socket gets another socket instead.
    const fails = this.#writing || !this.open;
    this.#discard();
    if (receiver === null || !fails) return;
    this.#release();
    receiver.failed(this.#failure);
  }

  #discard(): void {
    this.#letGo();
    this.#changed(this);
  }

  #letGo(): void {
    const socket = this.#socket;
    this.#socket = null;
    this.open = false;
    this.#idleTimer.stop();
    this.#held = [];
    this.#heldBytes = 0;
    socket?.destroy();
  }

  #rest(idleMs: number): void {
    this.restedTurn = PlainConnection.#turns.now;
    PlainConnection.#turns.mark();
    this.#idleTimer.start(idleMs);
  }

  /** The request is over. */
  #release(): void {
    this.#streamed?.stop();
    this.#streamed = null;
    this.#request = null;
    this.#receiver = null;
    this.#head = null;
    this.#writing = false;
    this.#paused = false;
  }
}

function joined(head: string, body: Buffer): Buffer {
  const bytes = Buffer.allocUnsafe(head.length + body.length);
  bytes.write(head, 'latin1');
  body.copy(bytes, head.length);
  return bytes;
}
