/**
 * One request and its answer, as the parts behind the listener see them: no driver type in sight.
 *
 * `listener/exchange.ts` implements it over uWebSockets.js. All calls are made on the listener's thread; every method is
 * safe after the caller has gone (it does nothing then).
 */

import type { UpstreamSocket, Upgrade } from './websocket.ts';

/** Fields as they came: name, value, name, value; names in lower case; values in which one char is one byte (latin1). */
export type RawHeaders = readonly string[];

/** The request body, flowing once `onData` is set. Back-pressure by `pause` and `resume`. */
export interface RequestBody {
  /** Bytes announced by Content-Length, or null when the body is chunked. */
  readonly length: number | null;
  /** Chunks are copies and may be kept. `last` comes exactly once, unless the caller leaves before. */
  start(onData: (chunk: Buffer, last: boolean) => void): void;
  pause(): void;
  resume(): void;
}

export interface Exchange {
  readonly method: string;
  /** Path and query in the one form that was matched and decided. */
  readonly target: string;
  readonly headers: RawHeaders;
  /** Null when the request has none. */
  readonly body: RequestBody | null;
  /** Peer address as text; the client's as far as trusted proxies told it. */
  readonly peerAddress: string;
  readonly peerTrusted: boolean;
  /** The caller's connection is TLS. */
  readonly secure: boolean;
  readonly requestId: string;
  /** Not null for a request to become a WebSocket; one that is refused is answered like any other. */
  readonly upgrade: Upgrade | null;
  /** The trace context to go upstream, as fields; null: the caller's, where that is taken. */
  readonly traceFields: readonly string[] | null;
  /** The caller left; nothing can be sent any more. */
  readonly gone: boolean;

  /** Called once when the caller leaves before the answer is complete. */
  onGone(listener: () => void): void;
  /**
   * Begins the answer. `length` null means unknown: the body is then chunked. Framing fields must not be among `headers`.
   * For HEAD, 204 and 304 the body is left out and `length` is only reported.
   */
  head(status: number, headers: RawHeaders, length: number | null): void;
  /**
   * Sends a piece of the body; false asks the sender to wait for `onDrain`. The chunk is the sender's again afterwards.
   * `last`: nothing but `end` follows, at once.
   */
  write(chunk: Uint8Array, last?: boolean): boolean;
  onDrain(listener: () => void): void;
  end(): void;
  /** Answers 101, passes on what either end sends from now on, and ends the exchange. Cuts the upstream if the caller left. */
  accept(upstream: UpstreamSocket): void;
  /** Cuts the connection, so that the caller can tell that the answer is incomplete (RFC 9112 section 8). */
  destroy(): void;
}
