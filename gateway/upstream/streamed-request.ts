/** The body of a request on its way to a socket, as the caller sends it, with the framing that was announced. */
import type { Socket } from 'node:net';
import type { BodyStream } from './body.ts';

export class StreamedRequest {
  /** All of it was written. */
  done = false;

  readonly #socket: Socket;
  readonly #body: BodyStream;
  readonly #broken: () => void;
  #sentBytes = 0;
  #stopped = false;

  /** Begins to read the body. `broken` is told when it is not as long as announced. */
  constructor(socket: Socket, body: BodyStream, broken: () => void) {
    this.#socket = socket;
    this.#body = body;
    this.#broken = broken;
    body.on('data', (piece: Buffer) => this.#write(piece));
    body.on('end', () => this.#end());
  }

  /** The socket takes more. */
  drained(): void {
    if (!this.#stopped) this.#body.resume();
  }

  /** What still comes is not written: the answer is complete without it, or the socket is gone. */
  stop(): void {
    this.#stopped = true;
  }

  #write(piece: Buffer): void {
    if (this.#stopped) return;
    const socket = this.#socket;
    const { length } = this.#body;
    this.#sentBytes += piece.length;
    let taken;
    if (length === null) {
      socket.cork();
      socket.write(`${piece.length.toString(16)}\r\n`, 'latin1');
      socket.write(piece);
      taken = socket.write('\r\n', 'latin1');
      socket.uncork();
    } else {
      if (this.#sentBytes > length) return this.#break();
      taken = socket.write(piece);
    }
    if (!taken) this.#body.pause();
  }

  #end(): void {
    if (this.#stopped) return;
    const { length } = this.#body;
    if (length !== null && this.#sentBytes < length) return this.#break();
    if (length === null) this.#socket.write('0\r\n\r\n', 'latin1');
    this.done = true;
  }

  #break(): void {
    this.stop();
    this.#broken();
  }
}
