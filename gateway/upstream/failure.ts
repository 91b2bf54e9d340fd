/** Errors of undici and of sockets, as the few kinds that matter to a caller. */
import { NotHttpError } from './gate.ts';
import type { CallFailure } from './observer.ts';

/** `defect`: undici refused what we built, or a handler of ours threw. */
export type ErrorKind = Extract<CallFailure, 'reset' | 'invalid' | 'timeout' | 'tls'> | 'body' | 'defect';

const invalidCodes: ReadonlySet<string> = new Set([
  'UND_ERR_HEADERS_OVERFLOW',
  'UND_ERR_RES_CONTENT_LENGTH_MISMATCH',
  'UND_ERR_RES_EXCEEDED_MAX_SIZE',
]);
/** undici would not take what we built. */
const defectCodes: ReadonlySet<string> = new Set(['UND_ERR_INVALID_ARG', 'UND_ERR_NOT_SUPPORTED']);

/** What Node and OpenSSL call a handshake that failed: results of the verification, and alerts of the other side. */
const TLS_CODE =
  /^(?:(?:CERT|CRL|UNABLE_TO)_\w+|DEPTH_ZERO_SELF_SIGNED_CERT|SELF_SIGNED_CERT_IN_CHAIN|INVALID_(?:CA|PURPOSE)|PATH_LENGTH_EXCEEDED|HOSTNAME_MISMATCH|ERR_(?:SSL|TLS)_\w+)$/;

const codeOf = (error: Error): string =>
  'code' in error && typeof error.code === 'string' ? error.code : '';

/** What became of a request that was begun. */
export function kindOf(error: Error): ErrorKind {
  const code = codeOf(error);
  if (error instanceof NotHttpError || error.name === 'HTTPParserError' || invalidCodes.has(code))
    return 'invalid';
  // undici has one code for the socket's end and for interim and upgrade answers that it does not take.
  if (code === 'UND_ERR_SOCKET' && error.message.startsWith('bad ')) return 'invalid';
  // Its parser asserts that a status is at least 100.
  if (code === 'ERR_ASSERTION') return 'invalid';
  if (code === 'UND_ERR_REQ_CONTENT_LENGTH_MISMATCH') return 'body';
  if (TLS_CODE.test(code)) return 'tls';
  // The rest has a name of undici, of the operating system, of TLS or of `gate.ts`; an error without one is our own.
  return code === '' || defectCodes.has(code) ? 'defect' : 'reset';
}

/** Is this how Node and OpenSSL name a handshake that failed? With TLS 1.3 it may be told behind the handshake. */
export const isTlsFailure = (error: Error): boolean => TLS_CODE.test(codeOf(error));

/** What became of a request for which no connection was had. */
export function connectKindOf(error: Error): 'unreachable' | 'tls' | 'timeout' | 'body' | 'defect' {
  const code = codeOf(error);
  // A body that ended before it was begun is measured before it is sent.
  if (code === 'UND_ERR_REQ_CONTENT_LENGTH_MISMATCH') return 'body';
  if (defectCodes.has(code)) return 'defect';
  if (TLS_CODE.test(code)) return 'tls';
  return code === 'UND_ERR_CONNECT_TIMEOUT' || code === 'ETIMEDOUT' ? 'timeout' : 'unreachable';
}
