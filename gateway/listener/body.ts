/** A request body on its way in from the driver: copied, counted, held back until somebody takes it. */
import { type Refusal, refusals } from '../core/errors.ts';
import type { RequestBody } from '../core/exchange.ts';
import type { HttpResponse } from '../native/uws.ts';
import type { SilenceWatch, Watched } from './silence-watch.ts';

/** How much is kept of a body that nobody takes yet, before the connection is paused. */
const HELD_BYTES_MAX = 65_536;

/**
 * Pieces of one body before the event loop must have turned: as many as a read of the driver (512 KiB) has chunks of 64 bytes.
 * The driver reads on from a connection while there is something to read, paused or not: only its end gives the thread back.
 */
const PIECES_PER_TURN_MAX = 8192;
/** Bytes that it may read past a pause before the caller is cut off: only one that sends as fast as memory is read comes by so many. */
const PAST_PAUSE_BYTES_MAX = 268_435_456;
/** Turns are only noticed every so many pieces, so that small bodies cost nothing. */
const PIECES_UNNOTICED = 64;

export class IncomingBody implements RequestBody, Watched {
  readonly length: number | null;
  heardMs: number;

  readonly #response: HttpResponse;
  readonly #bytesMax: number;
  readonly #watch: SilenceWatch;
  readonly #refuse: (refusal: Refusal) => void;
  #onData: ((chunk: Buffer, last: boolean) => void) | null = null;
  #held: { chunk: Buffer; last: boolean }[] = [];
  /** Bytes that arrived so far. */
  receivedBytes = 0;
  #piecesInTurn = 0;
  readonly #turned = (): void => {
    this.#piecesInTurn = 0;
  };
  #paused = false;
  #pastPauseBytes = 0;
  #over = false;

  /** Must be made within the request's callback: the driver drops what arrives before somebody listens. */
  constructor(
    response: HttpResponse,
    length: number | null,
    bytesMax: number,
    watch: SilenceWatch,
    refuse: (refusal: Refusal) => void,
  ) {
    this.#response = response;
    this.length = length;
    this.#bytesMax = bytesMax;
    this.#watch = watch;
    this.#refuse = refuse;
    this.heardMs = watch.clock.monotonicMs();
    watch.add(this);
    response.onData((chunk, last) => this.#take(chunk, last));
  }

  start(onData: (chunk: Buffer, last: boolean) => void): void {
    this.#onData = onData;
    const held = this.#held;
    this.#held = [];
    for (const { chunk, last } of held) onData(chunk, last);
    if (this.#paused) this.resume();
  }

  /** The whole body was taken, and is kept for whoever takes it next. */
  keep(bytes: Buffer): void {
    this.#onData = null;
    this.#held = [{ chunk: bytes, last: true }];
  }

  pause(): void {
    if (this.#paused || this.#over) return;
    this.#paused = true;
    this.heardMs = Number.POSITIVE_INFINITY;
    this.#response.pause();
  }

  resume(): void {
    if (!this.#paused || this.#over) return;
    this.#paused = false;
    this.#pastPauseBytes = 0;
    this.heardMs = this.#watch.clock.monotonicMs();
    this.#response.resume();
  }

  /** Nobody takes the rest: it runs dry, so that the connection is not stuck behind the answer. */
  release(): void {
    if (this.#paused) this.resume();
    this.gone();
  }

  giveUp(): void {
    if (!this.#over) this.#refuse(refusals.body_timeout);
  }

  /** The response can no longer be touched. */
  gone(): void {
    this.#over = true;
    this.#watch.delete(this);
    this.#held = [];
  }

  #take(bytes: ArrayBuffer, last: boolean): void {
    if (this.#over) return;
    this.#piecesInTurn += 1;
    if (this.#piecesInTurn === PIECES_UNNOTICED) setImmediate(this.#turned);
    if (this.#piecesInTurn > PIECES_PER_TURN_MAX) {
      this.#response.close(); // The driver then reports the caller as gone.
      return;
    }
    this.receivedBytes += bytes.byteLength;
    if (this.#paused && (this.#pastPauseBytes += bytes.byteLength) > PAST_PAUSE_BYTES_MAX) {
      this.#response.close();
      return;
    }
    if (last) this.#watch.delete(this);
    else this.heardMs = this.#watch.clock.monotonicMs();
    if (this.receivedBytes > this.#bytesMax) {
      this.#refuse(refusals.body_too_large);
      return;
    }
    // The driver takes the bytes back when this returns.
    const chunk = Buffer.from(new Uint8Array(bytes));
    if (this.#onData !== null) {
      this.#onData(chunk, last);
      return;
    }
    if (chunk.length > 0 || last) this.#held.push({ chunk, last });
    if (this.receivedBytes > HELD_BYTES_MAX && !last) this.pause();
  }
}
