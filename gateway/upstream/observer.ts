/** What is told of upstream calls as they happen; `metrics/` implements it. One observer serves one upstream. */
import type { RefusalCode } from '../core/errors.ts';

/** `tls`: the handshake failed, mostly for a certificate that is not accepted. */
export type CallFailure = 'unreachable' | 'tls' | 'reset' | 'invalid' | 'timeout' | 'full';

/** Every call ends in exactly one of `answered`, `failed` and `abandoned`; `failed` may follow `answered` (a body cut short). */
export interface UpstreamObserver {
  /** A final head came. Units: milliseconds from sending the request. */
  answered(status: number, durationMs: number): void;
  failed(failure: CallFailure): void;
  /** A further attempt begins. */
  retried(): void;
  /** The caller left before the answer was complete. */
  abandoned(): void;
}

/** Read at the scrape, never pushed. */
export interface UpstreamStats {
  /** Connections with a request on them, or being opened for one. */
  readonly busy: number;
  /** Open connections without a request. */
  readonly idle: number;
  /** Requests that wait for a connection. */
  readonly queued: number;
  readonly urls: number;
  /** URLs taken out by their failures. */
  readonly urlsOut: number;
}

/** The same of one URL. */
export interface UrlStats extends Pick<UpstreamStats, 'busy' | 'idle'> {
  /** Taken out by its failures. */
  readonly isOut: boolean;
}

export const failureCodes = {
  unreachable: 'upstream_unreachable',
  tls: 'upstream_tls',
  reset: 'upstream_reset',
  invalid: 'upstream_invalid',
  timeout: 'upstream_timeout',
  full: 'upstream_full',
} as const satisfies Record<CallFailure, RefusalCode>;
