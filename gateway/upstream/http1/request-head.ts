/**
 * The head of a request as text in which one char is one byte, with framing of our own (RFC 9112 sections 3 and 6).
 */

/** What a head is made of. */
export interface RequestParts {
  readonly method: string;
  /** In origin form (RFC 9112 section 3.2.1). */
  readonly target: string;
  /** Name, value, name, value; without those that frame the body. `host`, if there, comes in place of the authority. */
  readonly headers: readonly string[];
}

/** How the end of a request's body is told: it has none, a number of bytes, or it comes in chunks. */
export type RequestFraming = 'none' | number | 'chunked';

/** What a value must not hold: it would end its line, or be cut down to an octet that does when it is sent as one byte. */
const UNSAFE = /[^\t\x20-\x7e\x80-\xff]/;

/** Methods whose requests announce a body even when it is empty (RFC 9110 section 8.6). */
const expectsBody: ReadonlySet<string> = new Set(['POST', 'PUT', 'PATCH']);

/**
 * Null for a value that cannot be sent. Callers' fields and claims were judged before; this is the last door they pass, so
 * that a mistake elsewhere does not become a second request.
 */
export function requestHead(
  { method, target, headers }: RequestParts,
  authority: string,
  persistent: boolean,
  framing: RequestFraming,
): string | null {
  let host = authority;
  let fields = '';
  for (let i = 0; i < headers.length; i += 2) {
    const name = headers[i]!;
    const value = headers[i + 1]!;
    if (UNSAFE.test(value)) return null;
    if (name === 'host') host = value;
    else fields += `${name}: ${value}\r\n`;
  }
  if (UNSAFE.test(target)) return null;
  const connection = persistent ? 'keep-alive' : 'close';
  return `${method} ${target} HTTP/1.1\r\nhost: ${host}\r\nconnection: ${connection}\r\n${fields}${framed(method, framing)}\r\n`;
}

function framed(method: string, framing: RequestFraming): string {
  if (framing === 'chunked') return 'transfer-encoding: chunked\r\n';
  const length = framing === 'none' ? 0 : framing;
  return length > 0 || expectsBody.has(method) ? `content-length: ${length}\r\n` : '';
}
