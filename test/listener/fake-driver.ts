/** As much of the driver's request and response as the listener's parts touch: heads as they are given, answers as text. */
import type { HttpRequest, HttpResponse } from '../../gateway/native/uws.ts';

export function fakeRequest(fields: readonly (readonly [name: string, value: string])[]): HttpRequest {
  const forEach = (each: (name: string, value: string) => void): void => {
    for (const [name, value] of fields) each(name, value);
  };
  return { forEach } as unknown as HttpRequest;
}

/** Writes down what it is told to send, one line for each call. */
export class FakeResponse {
  readonly calls: string[] = [];
  address = '127.0.0.1';
  #onAborted = (): void => {};

  get driver(): HttpResponse {
    return this as unknown as HttpResponse;
  }

  abort(): void {
    this.#onAborted();
  }

  onAborted(listener: () => void): this {
    this.#onAborted = listener;
    return this;
  }

  cork(send: () => void): this {
    this.calls.push('cork');
    send();
    return this;
  }

  /** Fields may come behind it, a line each. */
  writeStatus(status: string): this {
    this.calls.push(...status.split('\r\n'));
    return this;
  }

  writeHeader(name: string, value: string): this {
    this.calls.push(`${name}: ${value}`);
    return this;
  }

  end(body: string, close = false): this {
    this.calls.push(`end ${body}${close ? ', closing' : ''}`);
    return this;
  }

  /** How much of a body it takes at once. */
  room = Number.POSITIVE_INFINITY;
  #onWritable: (offset: number) => boolean = () => true;
  #taken = 0;

  tryEnd(body: string | Uint8Array, length: number): [boolean, boolean] {
    const bytes = Buffer.from(body as string);
    const taken = Math.min(this.room, bytes.length);
    this.#taken += taken;
    this.calls.push(`end ${bytes.toString('utf8', 0, taken)}`);
    return [taken === bytes.length, this.#taken === length];
  }

  onWritable(listener: (offset: number) => boolean): this {
    this.#onWritable = listener;
    return this;
  }

  /** The socket takes more. True when the answer is complete. */
  writable(): boolean {
    return this.#onWritable(this.#taken);
  }

  endWithoutBody(length?: number, close = false): this {
    this.calls.push(`end of ${length ?? 'no'} bytes unsent${close ? ', closing' : ''}`);
    return this;
  }

  close(): this {
    this.calls.push('close');
    return this;
  }

  getRemoteAddress(): ArrayBuffer {
    const { address } = this;
    const octets = address.includes(':')
      ? [...Buffer.from(address.replaceAll(':', ''), 'hex')]
      : address.split('.').filter(Boolean).map(Number);
    return new Uint8Array(octets).buffer;
  }
}
