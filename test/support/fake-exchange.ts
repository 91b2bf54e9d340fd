/** An exchange without a driver: what is sent to the caller is kept, and the test plays the caller. */
import type { Exchange, RawHeaders, RequestBody } from '../../gateway/core/exchange.ts';
import type { Refusal } from '../../gateway/core/errors.ts';

export interface FakeRequest {
  readonly method?: string;
  readonly target?: string;
  readonly headers?: RawHeaders;
  /** Absent: no body. A string is sent whole; a number or null announces a body that `feed` sends. */
  readonly body?: string | number | null;
  readonly peerAddress?: string;
  readonly peerTrusted?: boolean;
  readonly secure?: boolean;
}

export type Ending = 'ended' | 'destroyed' | 'refused' | 'left';

/** A body that the test feeds. */
export class FakeBody implements RequestBody {
  readonly length: number | null;
  paused = false;
  resumed = 0;
  #onData: ((chunk: Buffer, last: boolean) => void) | null = null;
  readonly #held: { chunk: Buffer; last: boolean }[] = [];

  constructor(length: number | null) {
    this.length = length;
  }

  get started(): boolean {
    return this.#onData !== null;
  }

  start(onData: (chunk: Buffer, last: boolean) => void): void {
    this.#onData = onData;
    for (const { chunk, last } of this.#held.splice(0)) onData(chunk, last);
  }

  feed(chunk: Buffer, last: boolean): void {
    if (this.#onData === null) this.#held.push({ chunk, last });
    else this.#onData(chunk, last);
  }

  pause(): void {
    this.paused = true;
  }

  resume(): void {
    this.paused = false;
    this.resumed += 1;
  }
}

export class FakeExchange implements Exchange {
  readonly method: string;
  readonly target: string;
  readonly headers: RawHeaders;
  readonly body: FakeBody | null;
  readonly peerAddress: string;
  readonly peerTrusted: boolean;
  readonly secure: boolean;
  readonly requestId = 'id-1';
  readonly upgrade = null;
  traceFields: readonly string[] | null = null;

  status = 0;
  answerHeaders: RawHeaders = [];
  answerLength: number | null = null;
  readonly chunks: Buffer[] = [];
  refusal: Refusal | null = null;
  ending: Ending | null = null;
  /** Bytes that the caller takes before `write` says to wait. */
  windowBytes = Number.POSITIVE_INFINITY;
  untakenBytes = 0;
  /** Settles with the way it ended. */
  readonly over: Promise<Ending>;

  #onGone: (() => void) | null = null;
  #onDrain: (() => void) | null = null;
  #settle!: (ending: Ending) => void;
  readonly #waiting: (() => void)[] = [];

  constructor(request: FakeRequest = {}) {
    const { body } = request;
    this.method = request.method ?? 'GET';
    this.target = request.target ?? '/';
    this.headers = request.headers ?? ['host', 'gateway.example'];
    this.peerAddress = request.peerAddress ?? '203.0.113.9';
    this.peerTrusted = request.peerTrusted ?? false;
    this.secure = request.secure ?? false;
    this.over = new Promise((resolve) => (this.#settle = resolve));
    if (body === undefined) {
      this.body = null;
    } else if (typeof body === 'string') {
      const bytes = Buffer.from(body, 'latin1');
      this.body = new FakeBody(bytes.length);
      this.body.feed(bytes, true);
    } else {
      this.body = new FakeBody(body);
    }
  }

  get gone(): boolean {
    return this.ending !== null;
  }

  get text(): string {
    return Buffer.concat(this.chunks).toString('latin1');
  }

  /** Values of a field of the answer; name in lower case. */
  values(name: string): string[] {
    return this.answerHeaders.filter((_, i) => i % 2 === 1 && this.answerHeaders[i - 1] === name);
  }

  onGone(listener: () => void): void {
    this.#onGone = listener;
  }

  onDrain(listener: () => void): void {
    this.#onDrain = listener;
  }

  head(status: number, headers: RawHeaders, length: number | null): void {
    if (this.gone) return;
    if (this.status !== 0) throw new Error('answered twice');
    this.status = status;
    this.answerHeaders = headers;
    this.answerLength = length;
    this.#changed();
  }

  write(chunk: Uint8Array): boolean {
    if (this.gone) return true;
    if (this.status === 0) throw new Error('a body before its head');
    this.chunks.push(Buffer.from(chunk));
    this.untakenBytes += chunk.length;
    this.#changed();
    return this.untakenBytes < this.windowBytes;
  }

  end(): void {
    if (this.status === 0 && !this.gone) throw new Error('an end before its head');
    this.#finish('ended');
  }

  accept(): void {
    throw new Error('nobody asked for a WebSocket');
  }

  destroy(): void {
    this.#finish('destroyed');
  }

  refuse(refusal: Refusal): void {
    if (this.status !== 0) throw new Error('refused after its head');
    this.refusal = refusal;
    this.#finish('refused');
  }

  /** The caller leaves. */
  leave(): void {
    if (this.gone) return;
    this.#finish('left');
    this.#onGone?.();
  }

  /** The caller takes everything that was sent so far. */
  drain(): void {
    this.untakenBytes = 0;
    this.#onDrain?.();
  }

  /** Settles once `holds` does; looked at whenever something was sent. */
  async until(holds: () => boolean): Promise<void> {
    while (!holds()) await new Promise<void>((resolve) => this.#waiting.push(resolve));
  }

  #finish(ending: Ending): void {
    if (this.gone) return;
    this.ending = ending;
    this.#settle(ending);
    this.#changed();
  }

  #changed(): void {
    for (const resolve of this.#waiting.splice(0)) resolve();
  }
}
