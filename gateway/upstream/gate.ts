/**
 * A gate before what an upstream's socket delivers: closed for back-pressure, and looking at the first bytes of an answer.
 *
 * undici 7.30 has a pause of its own, but a peer that closes while it is paused ends the thread by a failed assertion in
 * `Parser.finish`, or a complete answer is reported as cut short. So undici is never paused: it reads with `socket.read()`,
 * and while the gate is closed it finds nothing there. The socket's buffer fills, the kernel's fills, the peer stops.
 *
 * undici's parser also takes versions that nobody speaks here (0.9, 2.0, RTSP), and gives up a connection on an interim 100,
 * which a client has to accept unasked (RFC 9110 section 15.2); both are settled here, on the first twelve bytes.
 */
import type { Socket } from 'node:net';

/** `HTTP/1.1 200` */
const STATUS_LINE_BYTES = 12;

/** An answer that is not HTTP/1.x. */
export class NotHttpError extends Error {
  override readonly name = 'NotHttpError';
}

/** We ended the connection. Any error but undici's own says to it that the request failed with it. */
export class CutError extends Error {
  override readonly name = 'CutError';
}

/** A reset, under a name that undici does not take for the end of the answer (it does so for ECONNRESET). */
export const RESET_CODE = 'UPSTREAM_RESET';

export class Gate {
  /** A byte of the expected answer came. */
  heard = false;

  readonly #socket: Socket;
  readonly #read: (bytes?: number) => Buffer | null;
  #closed = false;
  #expectsHead = false;
  /** The first bytes of an answer, while they are too few to judge. */
  #begun: Buffer | null = null;

  /** Must be made before undici puts its own listeners on the socket. */
  constructor(socket: Socket) {
    this.#socket = socket;
    this.#read = socket.read.bind(socket) as (bytes?: number) => Buffer | null;
    socket.read = (bytes?: number) => this.#take(bytes);
    socket.on('error', (error: NodeJS.ErrnoException) => {
      if (error.code === 'ECONNRESET') error.code = RESET_CODE;
    });
  }

  /** A request is about to be written: what comes next is the head of its answer. */
  expectHead(): void {
    this.#expectsHead = true;
    this.#begun = null;
    this.heard = false;
  }

  close(): void {
    this.#closed = true;
  }

  /** Lets undici read on, outside of the caller's stack: it may be undici's own parser that led here. */
  open(): void {
    if (!this.#closed) return;
    this.#closed = false;
    process.nextTick(() => {
      if (!this.#closed && !this.#socket.destroyed) this.#socket.emit('readable');
    });
  }

  /** Ends the connection at once, in both directions. */
  cut(): void {
    this.#socket.destroy(new CutError());
  }

  #take(bytes: number | undefined): Buffer | null {
    if (this.#closed) return null;
    const chunk = this.#read(bytes);
    return this.#expectsHead && chunk !== null ? this.#judge(chunk) : chunk;
  }

  #judge(chunk: Buffer): Buffer | null {
    this.heard = true;
    const start = this.#begun === null ? chunk : Buffer.concat([this.#begun, chunk]);
    this.#begun = null;
    if (start.length < STATUS_LINE_BYTES) {
      this.#begun = start;
      return null;
    }
    this.#expectsHead = false;
    const line = start.toString('latin1', 0, STATUS_LINE_BYTES);
    if (!line.startsWith('HTTP/1.')) {
      this.#socket.destroy(new NotHttpError('the answer does not begin with HTTP/1.'));
      return null;
    }
    // 100 becomes 102: the parser reports that one as interim and goes on.
    if (line.endsWith(' 100')) start[STATUS_LINE_BYTES - 1] = 0x32;
    return start;
  }
}
