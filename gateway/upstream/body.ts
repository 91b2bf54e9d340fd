/**
 * Request bodies on their way to an upstream. A small one of known length is collected first, so that it leaves in one
 * write and may be sent again; any other is streamed with back-pressure.
 */
import { Readable } from 'node:stream';
import type { RequestBody } from '../core/exchange.ts';

/** Bodies up to this are collected before a connection is asked for. */
export const collectedBytesMax = 16_384;

/** How much of a streamed body waits here at most, plus what the driver had under way when it was paused. */
const heldBytesMax = 65_536;

/** Calls `done` with the whole body, once; never when the caller leaves before its end. */
export function collect(body: RequestBody, done: (bytes: Buffer) => void): void {
  let first: Buffer | null = null;
  let chunks: Buffer[] | null = null;
  body.start((chunk, last) => {
    if (chunk.length > 0) {
      if (first === null) first = chunk;
      else (chunks ??= [first]).push(chunk);
    }
    if (last) done(chunks === null ? (first ?? Buffer.alloc(0)) : Buffer.concat(chunks));
  });
}

/**
 * A body as connections read it. Starts when the request is written, not before. Ends only when the caller sent all of it;
 * when it is destroyed before that, its connection must be cut without an end of the message.
 */
export class BodyStream extends Readable {
  /** Announced bytes; null when the body is chunked. */
  readonly length: number | null;
  /** True while the upstream would take more and the caller has not sent it. */
  hungry = false;

  readonly #body: RequestBody;
  readonly #moved: () => void;
  #started = false;

  /** `moved` is told of each piece that the caller sent. */
  constructor(body: RequestBody, moved: () => void) {
    super({ highWaterMark: heldBytesMax });
    this.length = body.length;
    this.#body = body;
    this.#moved = moved;
    // undici takes its listeners off before the last error it raises.
    this.on('error', () => {});
  }

  override _read(): void {
    this.hungry = true;
    if (this.#started) {
      this.#body.resume();
      return;
    }
    this.#started = true;
    this.#body.start((chunk, last) => this.#take(chunk, last));
  }

  /** What still comes is dropped, so that the connection is not stuck behind its own body. */
  override _destroy(error: Error | null, done: (error?: Error | null) => void): void {
    this.hungry = false;
    if (this.#started) this.#body.resume();
    done(error);
  }

  #take(chunk: Buffer, last: boolean): void {
    if (this.destroyed) return;
    this.#moved();
    if (chunk.length > 0 && !this.push(chunk) && !last) {
      this.hungry = false;
      this.#body.pause();
    }
    if (!last) return;
    this.hungry = false;
    this.push(null);
  }
}
