/** The upstream's end of a WebSocket, over `ws`. Messages come whole and checked; what the peer violates ends the connection. */
import type { WebSocket } from 'ws';
import { closeCodes, type UpstreamEvents, type UpstreamSocket } from '../core/websocket.ts';

export class DialedSocket implements UpstreamSocket {
  readonly protocol: string;
  readonly #socket: WebSocket;

  /** `socket` has just opened; nothing was read from it yet. */
  constructor(socket: WebSocket, protocol: string) {
    this.#socket = socket;
    this.protocol = protocol;
    // What it says is that the connection fails; that it failed is said by `close`.
    socket.on('error', () => {});
  }

  get bufferedBytes(): number {
    return this.#socket.bufferedAmount;
  }

  listen(events: UpstreamEvents): void {
    const socket = this.#socket;
    socket.on('message', (data, isBinary) => events.message(data as Buffer, isBinary));
    socket.on('ping', (payload) => events.ping(payload));
    socket.on('pong', () => events.pong());
    socket.on('close', (code, reason) => events.upstreamClosed(code, reason.toString()));
  }

  send(bytes: Uint8Array, isBinary: boolean): void {
    // A copy in any case: the library makes none where the mask happens to be zero.
    if (this.#isOpen) this.#socket.send(Buffer.from(bytes), { binary: isBinary });
  }

  ping(payload: Uint8Array): void {
    if (this.#isOpen) this.#socket.ping(Buffer.from(payload));
  }

  pong(payload: Uint8Array): void {
    if (this.#isOpen) this.#socket.pong(Buffer.from(payload));
  }

  pause(): void {
    this.#socket.pause();
  }

  resume(): void {
    this.#socket.resume();
  }

  close(code: number, reason: string): void {
    // A paused end would not hear the answer to its close.
    this.#socket.resume();
    if (code === closeCodes.none) this.#socket.close();
    else this.#socket.close(code, reason);
  }

  cut(): void {
    this.#socket.terminate();
  }

  get #isOpen(): boolean {
    return this.#socket.readyState === this.#socket.OPEN;
  }
}
