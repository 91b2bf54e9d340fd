/** The access log: at most one line for each request, off by default. Paths without their query; never a token or a claim. */
import type { Logger } from './logger.ts';

export const accessModes = ['off', 'errors', 'sampled', 'errors_and_sampled', 'all'] as const;
export type AccessMode = (typeof accessModes)[number];

/** What a line says. Made only when `wants` said yes. */
export interface AccessEntry {
  readonly method: string;
  /** Null when no route matched. */
  readonly route: string | null;
  /** Path, or path and query: the query is cut off here. */
  readonly target: string;
  readonly status: number;
  /** What was decided; null when its caller left before. `failed`: nothing could be. */
  readonly decision: 'allowed' | 'denied' | 'failed' | null;
  /** Code of the refusal, which may come after the decision; null when the request was served. */
  readonly reason: string | null;
  readonly durationMs: number;
  readonly requestBytes: number;
  readonly responseBytes: number;
  readonly requestId: string;
  /** Of the caller's trace context, where that is taken. */
  readonly traceId: string | null;
  readonly clientAddress: string;
  /** Name of the issuer in the configuration. */
  readonly issuer: string | null;
  /** The key that verified the token, as its set names it. */
  readonly kid: string | null;
  /** Stands for issuer and subject (`pseudonym.ts`). */
  readonly subHash: string | null;
  readonly upstream: string | null;
  readonly upstreamMs: number | null;
  /** Of a WebSocket, whose line is written at its end. */
  readonly closeCode?: number;
}

const pathMax = 1024;

export class AccessLog {
  readonly #logger: Logger;
  readonly #mode: AccessMode;
  readonly #sample: number;
  readonly #random: () => number;

  constructor(logger: Logger, mode: AccessMode, sample: number, random: () => number = Math.random) {
    this.#logger = logger;
    this.#mode = mode;
    this.#sample = sample;
    this.#random = random;
  }

  /** Is any line ever written? Asked before what only a line needs is found out. */
  get isOn(): boolean {
    return this.#mode !== 'off';
  }

  /** Asked once for each request, before an entry is made. `errors` are statuses from 400 up, callers that left included. */
  wants(status: number): boolean {
    switch (this.#mode) {
      case 'off':
        return false;
      case 'errors':
        return status >= 400;
      case 'sampled':
        return this.#random() < this.#sample;
      case 'errors_and_sampled':
        return status >= 400 || this.#random() < this.#sample;
      case 'all':
        return true;
    }
  }

  write(entry: AccessEntry): void {
    this.#logger.info(
      {
        method: entry.method,
        route: entry.route,
        path: pathOf(entry.target),
        status: entry.status,
        decision: entry.decision,
        reason: entry.reason,
        dur_ms: round(entry.durationMs),
        bytes_in: entry.requestBytes,
        bytes_out: entry.responseBytes,
        request_id: entry.requestId,
        trace_id: entry.traceId,
        client: entry.clientAddress,
        issuer: entry.issuer,
        kid: entry.kid,
        sub_hash: entry.subHash,
        upstream: entry.upstream,
        upstream_ms: entry.upstreamMs === null ? null : round(entry.upstreamMs),
        ...(entry.closeCode === undefined ? {} : { close_code: entry.closeCode }),
      },
      'request',
    );
  }
}

function pathOf(target: string): string {
  const end = target.search(/[?#]/);
  return (end < 0 ? target : target.slice(0, end)).slice(0, pathMax);
}

function round(ms: number): number {
  return Math.round(ms * 1000) / 1000;
}
