/**
 * What crosses between the main thread and a listener thread, and nothing else. Raise the version with every change.
 */
import type { MessagePort } from 'node:worker_threads';
import type { VerificationKey } from '../../workers/messages.ts';
import type { Config } from '../config/schema.ts';
import type { Handle as FlightHandle } from '../flight/table.ts';
import type { Introspected } from '../token/verifier-parts.ts';
import type { PseudonymKey } from '../log/pseudonym.ts';
import type { RateMemory } from '../limits/rate-cells.ts';
import type { TlsMaterial } from '../tls/certificate.ts';
import type { CollectorHeaders } from '../tracing/preparation.ts';
import type { UpstreamTls } from '../tls/upstream-tls.ts';
import type { LabelIndex, RegionHandle } from '../metrics/cells.ts';
import type { SigningKeys } from '../token/signing-key.ts';
import type { TicketsHandle } from './upgrade-tickets.ts';

export const listenerMessagesVersion = 6;

/** By issuer index of the policy's vocabulary; null while an issuer has no usable keys. */
export type IssuerKeys = readonly (readonly VerificationKey[] | null)[];

/** By signer, in the order of the configuration. */
export type Signing = readonly SigningKeys[];

/** A configuration as a listener gets it: it compiles the policy itself, which is pure, so that all threads agree. */
export interface Configuration {
  /** Rises with every configuration of this process. */
  readonly number: number;
  readonly config: Config;
  readonly labels: LabelIndex;
  /** By upstream. */
  readonly upstreamTls: ReadonlyMap<string, UpstreamTls>;
  readonly keys: IssuerKeys;
  readonly signing: Signing;
  /** Of the exporter of spans; looked at when the thread starts. */
  readonly collectorHeaders: CollectorHeaders;
  /** Null while no route has a rate. */
  readonly rates: RateMemory | null;
}

/** What a listener thread is made with (`workerData`). */
export interface ListenerSeed {
  readonly name: string;
  /** The one message that comes here is its `ListenerBoot`. */
  readonly boot: MessagePort;
}

/** What a listener thread begins to serve with. */
export interface ListenerBoot {
  readonly version: number;
  readonly configuration: Configuration;
  readonly port: number;
  /** The file that main has checked and loaded. */
  readonly driver: string;
  readonly verifierThreads: number;
  readonly metrics: RegionHandle;
  /** Null: plain HTTP. */
  readonly tls: TlsMaterial | null;
  /** Null where no logins are configured. */
  readonly logins: LoginsMemory | null;
  readonly tickets: TicketsHandle;
  readonly pseudonyms: PseudonymKey;
}

/** The memory that the brokers of all listener threads share. */
export interface LoginsMemory {
  /** The thread's seat in the flight table. */
  readonly flights: FlightHandle;
  /** What callers and accounts have started (`oauth/allowance.ts`). */
  readonly starts: SharedArrayBuffer;
}

export type ToListener =
  | { readonly kind: 'configure'; readonly configuration: Configuration }
  /** New key sets for the configuration of that number. */
  | {
      readonly kind: 'keys';
      readonly configurationNumber: number;
      readonly keys: IssuerKeys;
      readonly signing: Signing;
    }
  /** The search for unknown keys that `ticket` asked for is over; new keys, if any, were sent before. */
  | { readonly kind: 'keys-searched'; readonly ticket: number }
  /** Renewed certificates, for new connections. */
  | { readonly kind: 'certificates'; readonly tls: TlsMaterial }
  /** What became of the question that `ticket` asked. */
  | { readonly kind: 'introspected'; readonly ticket: number; readonly answer: Introspected }
  | { readonly kind: 'ping' }
  /** The addresses that hold as many connections as one may: no further ones, until the next such message. */
  | { readonly kind: 'full-addresses'; readonly addresses: readonly string[] }
  /** Stop accepting, finish what is under way, end the thread. After `timeoutMs` the rest is cut off. */
  | { readonly kind: 'drain'; readonly timeoutMs: number }
  /** End the thread at once. */
  | { readonly kind: 'stop' };

export type FromListener =
  | { readonly kind: 'listening'; readonly port: number }
  | { readonly kind: 'configured'; readonly configurationNumber: number }
  /** A token named a key that its issuer's set does not have. */
  | { readonly kind: 'search-keys'; readonly issuer: number; readonly ticket: number }
  /** An opaque token that this listener knows nothing of. */
  | { readonly kind: 'introspect'; readonly token: string; readonly ticket: number }
  | { readonly kind: 'pong' };
