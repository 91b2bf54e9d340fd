/** An answer of the admin listener, before it is bytes. */

export interface Answer {
  readonly status: number;
  readonly contentType: string;
  /** Bytes in pieces that are sent one after the other, where it is long. */
  readonly body: string | readonly Buffer[];
  readonly headers?: Readonly<Record<string, string>>;
}

export function text(status: number, body: string): Answer {
  return { status, contentType: 'text/plain; charset=utf-8', body };
}
