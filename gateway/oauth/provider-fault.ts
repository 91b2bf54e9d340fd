/** What went wrong at a provider: every way in which a call can fail, in the few kinds that we act upon. */
import {
  AuthorizationResponseError,
  OperationProcessingError,
  ResponseBodyError,
  WWWAuthenticateChallengeError,
} from 'oauth4webapi';
import { FetchError } from '../upstream/fetch.ts';

export type ProviderFaultKind =
  /** It may work in a while: no answer, or one that says so. */
  | 'unreachable'
  /** The answer breaks the protocol, or is not bounded as it must be. */
  | 'invalid'
  /** Our request was refused; `oauthCode` says why. */
  | 'refused'
  /** What a browser brought back is not an answer to us. */
  | 'callback';

export class ProviderFault extends Error {
  override readonly name = 'ProviderFault';
  readonly kind: ProviderFaultKind;
  /** The error code of the answer (RFC 6749 section 5.2, RFC 8628 section 3.5); null without one. */
  readonly oauthCode: string | null;
  /** How long the provider asked us to wait; 0 when it did not. */
  readonly retryAfterMs: number;

  constructor(
    kind: ProviderFaultKind,
    message: string,
    more: { oauthCode?: string | null; retryAfterMs?: number; cause?: unknown } = {},
  ) {
    super(message, more.cause === undefined ? {} : { cause: more.cause });
    this.kind = kind;
    this.oauthCode = more.oauthCode ?? null;
    this.retryAfterMs = more.retryAfterMs ?? 0;
  }
}

/** Codes that ask for patience, whatever the status they come with. */
const passing: ReadonlySet<string> = new Set(['temporarily_unavailable', 'server_error']);

const isPassing = (status: number): boolean => status >= 500 || status === 429 || status === 408;

/** Makes a fault of whatever a call threw. Never keeps an answer's text: it may hold secrets. */
export function providerFault(error: unknown): ProviderFault {
  if (error instanceof ProviderFault) return error;
  if (error instanceof FetchError) {
    const kind = error.kind === 'unreachable' || error.kind === 'timeout' ? 'unreachable' : 'invalid';
    return new ProviderFault(kind, error.message, { cause: error });
  }
  if (error instanceof ResponseBodyError) {
    const { status, error: oauthCode, response } = error;
    const kind = isPassing(status) || passing.has(oauthCode) ? 'unreachable' : 'refused';
    return new ProviderFault(kind, `the provider answered ${status} ${printable(oauthCode)}`, {
      oauthCode,
      retryAfterMs: retryAfterMsOf(response),
    });
  }
  if (error instanceof WWWAuthenticateChallengeError)
    return new ProviderFault('refused', `the provider answered ${error.status} with a challenge`);
  if (error instanceof AuthorizationResponseError) {
    const kind = passing.has(error.error) ? 'unreachable' : 'refused';
    return new ProviderFault(kind, `the provider answered ${printable(error.error)}`, {
      oauthCode: error.error,
    });
  }
  if (error instanceof OperationProcessingError && error.cause instanceof Response)
    return statusFault(error.cause);
  const name = error instanceof Error ? error.message : 'an unknown error';
  return new ProviderFault('invalid', name);
}

/** The fault of an answer whose status alone tells. */
export function statusFault(response: Response): ProviderFault {
  const kind = isPassing(response.status) ? 'unreachable' : 'invalid';
  return new ProviderFault(kind, `the provider answered ${response.status}`, {
    retryAfterMs: retryAfterMsOf(response),
  });
}

const retryAfterMsMax = 300_000;

/** RFC 9110 section 10.2.3: seconds, or a date. Bounded, because it comes from outside. */
export function retryAfterMsOf(response: Response, nowMs = Date.now()): number {
  const text = response.headers.get('retry-after')?.trim() ?? '';
  const isDate = /^[A-Z][a-z]{2}, \d{2} [A-Z][a-z]{2} \d{4} \d{2}:\d{2}:\d{2} GMT$/.test(text);
  if (!isDate && !/^\d{1,9}$/.test(text)) return 0;
  const waitMs = isDate ? Date.parse(text) - nowMs : Number(text) * 1000;
  return Number.isNaN(waitMs) ? 0 : Math.min(retryAfterMsMax, Math.max(0, waitMs));
}

/** Codes go into messages for operators: visible ASCII, and not many of it. */
const printable = (code: string): string => code.replaceAll(/[^\x21-\x7e]/g, '?').slice(0, 64);
