/** What is known of a request from its head, for as long as it lives: plain data, made once per request. */
import type { Refusal } from '../core/errors.ts';
import type { RawHeaders } from '../core/exchange.ts';
import type { Facts } from '../core/facts.ts';
import type { Route } from '../route/policy.ts';
import type { Handshake } from './handshake.ts';
import type { Counted } from './limiter.ts';
import type { RequestTrace } from './request-trace.ts';
import type { Serving } from './serving.ts';

export interface Arrival {
  readonly startedMs: number;
  readonly methodName: string;
  /** Index in `core/methods.ts`, -1 for a method that no route can name. */
  readonly method: number;
  readonly path: string;
  /** Path and query: the one string that is matched, decided and forwarded. */
  readonly target: string;
  readonly fields: RawHeaders;
  readonly requestId: string;
  /** Sent back as it came; empty when none came, or none is asked for. */
  readonly correlationId: string;
  /** The answer has no body (HEAD). */
  readonly headOnly: boolean;
  /** Peer address for the access log; empty while that is off. */
  readonly loggedAddress: string;
  /** The answer says that it is the last on its connection: the caller wants that, or the gateway is draining. */
  readonly lastAnswer: boolean;
  /** The driver closes behind the answer by itself, and leaves it to us to say so. */
  readonly driverCloses: boolean;
  /** The configuration this request is served by, even when another one comes into force meanwhile. */
  readonly serving: Serving;
  route: Route | null;
  facts: Facts | null;
  /** Thumbprint of the client certificate; looked at only where the token is bound to one, else null. */
  certificate: string | null;
  /** Not null for a request to become a WebSocket, once its form was judged. */
  upgrade: Handshake | null;
  /** What its rate made of it; null where the route has none. */
  counted: Counted | null;
  /** What was decided; null before. */
  decision: Refusal | 'allowed' | null;
  /** Null while nothing is traced, and of a request that is answered at once. */
  trace: RequestTrace | null;
}
