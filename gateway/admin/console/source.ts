/**
 * What the console shows, as the main thread knows it. Every member is asked when a page is made; nothing here holds a
 * secret, and nothing asks a listener.
 */
import type { Explained } from '../../explain/explain.ts';
import type { RouteRow } from '../../explain/route-table.ts';
import type { Census, FLIGHT_STATES } from '../../flight/census.ts';
import type { IssuerKeysStatus } from '../../keys/keyring.ts';
import type { SignerStatus } from '../../keys/signing-ring.ts';
import type { Distribution, RouteFigures, ThreadFigures } from '../../metrics/figures.ts';
import type { FlowEnd } from '../../metrics/recorder.ts';
import type { Recent } from '../../metrics/recent.ts';
import type { UrlFigures } from '../../metrics/url-cells.ts';
import type { ReloadState } from '../reload-record.ts';
import type { Vocabulary } from '../../route/policy.ts';
import type { Check } from '../health.ts';

export interface Overview {
  readonly version: string;
  /** Milliseconds since the epoch. */
  readonly startedMs: number;
  readonly listeners: { readonly serving: number; readonly size: number };
  readonly checks: readonly Check[];
  readonly recent: Recent;
  readonly requestsInFlight: number;
  readonly connections: number;
  readonly webSockets: number;
  readonly threads: readonly ThreadFigures[];
}

export interface UpstreamFigures {
  readonly name: string;
  readonly urls: number;
  /** One by one, in the order of the configuration, as far as they are told. */
  readonly each: readonly UrlFigures[];
  /** Summed over the listener threads, each of which judges by itself. */
  readonly urlsSeen: number;
  readonly urlsOut: number;
  readonly busy: number;
  readonly idle: number;
  readonly queued: number;
  readonly durations: Distribution;
  /** By kind. */
  readonly errors: Readonly<Record<string, number>>;
  readonly retries: number;
  readonly abandoned: number;
}

export interface FlightFigures {
  /** Eight hexadecimal digits that stand for provider and account while this process lives. */
  readonly key: string;
  /** Null where it is not told: of refreshes, and of what has only begun. */
  readonly provider: string | null;
  readonly state: (typeof FLIGHT_STATES)[number];
  readonly expiresInMs: number;
}

export interface ProviderFigures {
  readonly name: string;
  readonly flow: string;
  readonly started: number;
  readonly joined: number;
  /** By last state. */
  readonly ended: Readonly<Record<FlowEnd, number>>;
  /** Those that called the provider. */
  readonly refreshes: number;
  readonly refreshesFailed: number;
}

export interface LoginFigures {
  readonly census: Census;
  readonly flights: readonly FlightFigures[];
  /** Flights that are not listed. */
  readonly furtherFlights: number;
  readonly providers: readonly ProviderFigures[];
  readonly waiting: number;
  readonly storeErrors: number;
}

export interface KeyFigures {
  readonly issuers: readonly IssuerKeysStatus[];
  /** Where the keys of an issuer come from, by its name. */
  readonly sources: ReadonlyMap<string, string>;
  readonly signers: readonly SignerStatus[];
  /** Checks of certificates, each with when it expires. */
  readonly certificates: readonly Check[];
  /** Monotonic milliseconds, as the ages of keys are counted. */
  readonly nowMs: number;
}

export interface Question {
  readonly method: string;
  readonly target: string;
  readonly token: string;
  /** Thumbprint of the one that the caller would show; null for none. */
  readonly certificate: string | null;
}

export interface ConsoleSource {
  /** Milliseconds since the epoch. */
  readonly nowMs: () => number;
  readonly overview: () => Overview;
  readonly routes: () => Promise<readonly RouteRow[]>;
  readonly routeFigures: () => ReadonlyMap<string, RouteFigures>;
  readonly vocabulary: () => Vocabulary;
  readonly explain: (question: Question) => Promise<Explained>;
  readonly keys: () => KeyFigures;
  /** Null where no logins are configured. */
  readonly logins: () => Promise<LoginFigures | null>;
  readonly upstreams: () => readonly UpstreamFigures[];
  readonly configuration: () => {
    readonly number: number;
    readonly file: string;
    /** Redacted, as YAML. */
    readonly text: string;
    readonly reload: ReloadState;
  };
}
