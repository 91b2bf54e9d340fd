/**
 * One connection to one URL, as calls see it: it carries a single request at a time and reconnects by itself.
 *
 * `plain-connection.ts` speaks HTTP/1.1 to http:// URLs, `undici-connection.ts` to https:// ones.
 */
import type { UpstreamConfig } from '../config/schema.ts';
import type { AnswerHead } from './answer.ts';
import type { BodyStream } from './body.ts';
import type { CallFailure } from './observer.ts';

export type ConnectionLimits = Pick<
  UpstreamConfig,
  'connectTimeoutMs' | 'keepAliveMs' | 'maxResponseHeaderBytes'
>;

export interface OutgoingRequest {
  readonly method: string;
  /** Path and query. */
  readonly target: string;
  /** Name, value, name, value; without those that frame the body. `host` where it is not that of the URL. */
  readonly headers: readonly string[];
  readonly body: Buffer | BodyStream | null;
  /** A field of answers that we write ourselves. */
  readonly ownedField: string;
}

/**
 * Why there is no answer, or not all of it. `body`: the request's own body was not as long as announced. `defect`: what we
 * built cannot be sent, or a handler of ours threw.
 */
export type RequestFailure = Exclude<CallFailure, 'full'> | 'body' | 'defect';

/** What a connection reports of the request on it, in this order; `ended` or `failed` comes last, and frees the connection. */
export interface AnswerReceiver {
  /** The request is about to be written. False when it is no longer wanted: then nothing is. */
  begun(): boolean;
  /** An interim answer came. False when there were too many. */
  interim(): boolean;
  head(status: number, head: AnswerHead): void;
  /**
   * A piece of the body. It is the connection's: what is wanted later must be copied now. `last`: `ended` follows at once;
   * it may also follow without such a piece.
   */
  data(piece: Buffer, last: boolean): void;
  ended(): void;
  failed(failure: RequestFailure): void;
}

export interface Connection {
  /** True while there is an open socket. */
  readonly open: boolean;
  /** Requests begun on the present socket. */
  readonly requests: number;
  /** Did a byte of an answer come to the present request? */
  readonly heard: boolean;

  /** Sends a request, once there is a socket. The one before must be over. */
  send(request: OutgoingRequest, receiver: AnswerReceiver): void;
  /** Back-pressure: a bounded amount is taken from the upstream until `resume`. */
  pause(): void;
  resume(): void;
  /** Ends the socket under the request that was begun; that one fails, later. */
  cut(): void;
  /** Ends the connection for good; a request on it fails. Settles when the socket is closed. */
  destroy(): Promise<void>;
}

/** Makes a connection without opening it. `changed` is told when its socket came or went. */
export type OpenConnection = (
  url: URL,
  limits: ConnectionLimits,
  changed: (connection: Connection) => void,
) => Connection;
