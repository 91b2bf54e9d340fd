/**
 * A WebSocket that is passed through, as its two ends see each other: no driver and no library in sight.
 *
 * `listener/websocket.ts` holds the caller's end, `upstream/websocket.ts` the upstream's. All calls are made on the listener's
 * thread; every method is safe after the end has closed (it does nothing then). Messages are whole: neither end passes on a
 * frame before its message is complete and, if it is text, valid UTF-8.
 */

/** Close codes that the gateway gives by itself. Source: RFC 6455 section 7.4.1, IANA "WebSocket Close Code Number". */
export const closeCodes = {
  goingAway: 1001,
  /** No code was given; never sent. */
  none: 1005,
  /** The connection broke off; never sent. */
  abnormal: 1006,
  messageTooBig: 1009,
  upstreamFailed: 1011,
  restart: 1012,
  tryAgainLater: 1013,
  /** The private counterpart of 401: the token expired, was withdrawn, or its renewal was refused. */
  unauthorized: 4401,
} as const;

/** What a caller asks of the upstream when it asks for a WebSocket, judged already. */
export interface Upgrade {
  /** Subprotocols offered, in the caller's order, without what carried a credential. */
  readonly protocols: readonly string[];
  /** Largest message that is taken from the upstream. */
  readonly messageBytesMax: number;
}

/** What an upstream's end reports. `upstreamClosed` comes last, and once. */
export interface UpstreamEvents {
  message(bytes: Buffer, isBinary: boolean): void;
  ping(payload: Buffer): void;
  pong(): void;
  /** `closeCodes.abnormal`: it broke off. */
  upstreamClosed(code: number, reason: string): void;
}

/** The upstream's end, open. Nothing is read from it before `listen`, and nothing while it is paused. */
export interface UpstreamSocket {
  /** The subprotocol it chose among those offered; empty for none. */
  readonly protocol: string;
  /** Bytes that were sent to it and that its connection has not taken. */
  readonly bufferedBytes: number;
  listen(events: UpstreamEvents): void;
  /** Bytes are copied before this returns. */
  send(bytes: Uint8Array, isBinary: boolean): void;
  ping(payload: Uint8Array): void;
  pong(payload: Uint8Array): void;
  pause(): void;
  resume(): void;
  /** The closing handshake, with a deadline. `closeCodes.none`: without a code. */
  close(code: number, reason: string): void;
  /** Ends the connection at once. */
  cut(): void;
}
