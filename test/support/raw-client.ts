/**
 * A caller that sends exact bytes and takes answers apart by the letter. Every wait has a deadline, and what went wrong is
 * said with the bytes that came.
 */
import { connect, type Socket } from 'node:net';
import { framingOf, MalformedError, takeBody, takeHead, valuesOf, type Fields } from './wire.ts';

export interface RawAnswer {
  readonly status: number;
  readonly reason: string;
  readonly fields: Fields;
  readonly body: Buffer;
  readonly text: string;
  /** Values of a field; name in lower case. */
  values(name: string): string[];
}

export interface ReadOptions {
  /** Method of the request: answers to HEAD have no body. */
  readonly method?: string;
  readonly timeoutMs?: number;
}

/** A peer that is not there, does not answer, closes early or answers ungrammatically. */
export class RawClientError extends Error {
  override readonly name = 'RawClientError';
}

export class RawClient {
  readonly socket: Socket;
  /** Came and not taken yet. */
  pending: Buffer = Buffer.alloc(0);
  /** The other side will send no more. */
  closed = false;
  #wake: (() => void) | null = null;

  private constructor(socket: Socket) {
    this.socket = socket;
    socket.setNoDelay(true);
    socket.on('data', (chunk: Buffer) => {
      this.pending = Buffer.concat([this.pending, chunk]);
      this.#wake?.();
    });
    const close = (): void => {
      this.closed = true;
      this.#wake?.();
    };
    socket.on('end', close).on('close', close).on('error', close);
  }

  /** `from`: the address that the other side sees; any of 127.0.0.0/8 on Linux. */
  static async connect(port: number, host = '127.0.0.1', from?: string): Promise<RawClient> {
    const socket = connect({ port, host, ...(from === undefined ? {} : { localAddress: from }) });
    await new Promise<void>((resolve, reject) => {
      socket.once('connect', resolve).once('error', (error) => reject(new RawClientError(error.message)));
    });
    return new RawClient(socket);
  }

  /** One request on a connection of its own; `Connection: close` is for `bytes` to say. */
  static async once(port: number, bytes: string | Buffer, options: ReadOptions = {}): Promise<RawAnswer> {
    const client = await RawClient.connect(port);
    try {
      client.send(bytes);
      return await client.read(options);
    } finally {
      client.destroy();
    }
  }

  /** One char is one byte. */
  send(bytes: string | Buffer): void {
    this.socket.write(typeof bytes === 'string' ? Buffer.from(bytes, 'latin1') : bytes);
  }

  /** The next final answer; interim ones before it are skipped. */
  async read(options: ReadOptions = {}): Promise<RawAnswer> {
    for (;;) {
      const next = await this.readAny(options);
      if (next.status >= 200 || next.status === 101) return next;
    }
  }

  /** The next answer, interim or final. */
  async readAny(options: ReadOptions = {}): Promise<RawAnswer> {
    return await this.#until('an answer', options.timeoutMs, () => this.#take(options.method ?? 'GET'));
  }

  /** Waits until the other side closed; returns what else it sent. */
  async readToEnd(timeoutMs?: number): Promise<Buffer> {
    return await this.#until('the end', timeoutMs, () => {
      if (!this.closed) return null;
      const rest = this.pending;
      this.pending = Buffer.alloc(0);
      return rest;
    });
  }

  /** Half-closes: the request is over, the answer may still come. */
  end(): void {
    this.socket.end();
  }

  destroy(): void {
    this.socket.destroy();
  }

  /** Ends with a reset instead of an orderly close. */
  reset(): void {
    this.socket.resetAndDestroy();
  }

  async #until<T>(what: string, timeoutMs = 10_000, take: () => T | null): Promise<T> {
    let late = false;
    const timer = setTimeout(() => {
      late = true;
      this.#wake?.();
    }, timeoutMs);
    try {
      for (;;) {
        const got = take();
        if (got !== null) return got;
        const seen = `after ${JSON.stringify(this.pending.toString('latin1', 0, 500))}`;
        if (this.closed) throw new RawClientError(`closed before ${what}, ${seen}`);
        if (late) throw new RawClientError(`no sign of ${what} in ${timeoutMs} ms, ${seen}`);
        await new Promise<void>((resolve) => (this.#wake = resolve));
      }
    } catch (error) {
      if (error instanceof MalformedError) throw new RawClientError(`${error.message}, in ${JSON.stringify(this.pending.toString('latin1', 0, 500))}`, { cause: error }); // prettier-ignore
      throw error;
    } finally {
      clearTimeout(timer);
      this.#wake = null;
    }
  }

  #take(method: string): RawAnswer | null {
    const head = takeHead(this.pending);
    if (head === null) return null;
    const line = /^HTTP\/1\.1 ([1-5]\d\d) ([\t\x20-\x7e]*)$/.exec(head.startLine);
    if (line === null) throw new MalformedError(`not a status line: ${JSON.stringify(head.startLine)}`);
    const status = Number(line[1]);
    const framing = framingOf(head.fields);
    const bodyless = method === 'HEAD' || status < 200 || status === 204 || status === 304;
    const rest = this.pending.subarray(head.bytes);
    let body: Buffer;
    let bytes = 0;
    if (bodyless) {
      body = Buffer.alloc(0);
    } else if (framing.kind === 'none') {
      // Only the end of the connection ends it.
      if (!this.closed) return null;
      body = rest;
      bytes = rest.length;
    } else {
      const taken = takeBody(rest, framing);
      if (taken === null) return null;
      ({ content: body, bytes } = taken);
    }
    this.pending = rest.subarray(bytes);
    return {
      status, reason: line[2] ?? '', fields: head.fields, body,
      text: body.toString('latin1'),
      values: (name) => valuesOf(head.fields, name),
    }; // prettier-ignore
  }
}
