/**
 * HTTP/1.1 messages taken apart by the letter (RFC 9112), stricter than any real peer. Shared by the backend, which takes
 * requests, and the raw client, which takes answers.
 */

export class MalformedError extends Error {
  override readonly name = 'MalformedError';
}

export type Fields = readonly (readonly [name: string, value: string])[];

export interface Head {
  readonly startLine: string;
  readonly fields: Fields;
  /** Bytes of the head, its empty line included. */
  readonly bytes: number;
}

export type Framing =
  | { readonly kind: 'none' }
  | { readonly kind: 'length'; readonly length: number }
  | { readonly kind: 'chunked' };

export interface Body {
  readonly content: Buffer;
  readonly trailers: Fields;
  /** Bytes on the wire. */
  readonly bytes: number;
}

const fieldLine =
  /^([!#$%&'*+.^_`|~0-9A-Za-z-]+):[ \t]*([\x21-\x7e\x80-\xff](?:[\t\x20-\x7e\x80-\xff]*[\x21-\x7e\x80-\xff])?)?[ \t]*$/;

function lines(text: string): string[] {
  const all = text.split('\r\n');
  for (const line of all)
    if (/[\r\n\0]/.test(line)) throw new MalformedError(`bare CR, LF or NUL in ${JSON.stringify(line)}`);
  return all;
}

function fieldsOf(all: readonly string[]): Fields {
  return all.map((line) => {
    const match = fieldLine.exec(line);
    if (match === null) throw new MalformedError(`not a field: ${JSON.stringify(line)}`);
    return [match[1]!, match[2] ?? ''] as const;
  });
}

/** Null while the head is not complete. */
export function takeHead(bytes: Buffer): Head | null {
  const end = bytes.indexOf('\r\n\r\n');
  if (end === -1) {
    if (bytes.includes('\n\n')) throw new MalformedError('lines end in a bare LF');
    return null;
  }
  const [startLine = '', ...rest] = lines(bytes.toString('latin1', 0, end));
  return { startLine, fields: fieldsOf(rest), bytes: end + 4 };
}

/** Values of a field, in order; `name` in lower case. */
export function valuesOf(fields: Fields, name: string): string[] {
  return fields.filter(([field]) => field.toLowerCase() === name).map(([, value]) => value);
}

export function framingOf(fields: Fields): Framing {
  const lengths = valuesOf(fields, 'content-length');
  const codings = valuesOf(fields, 'transfer-encoding');
  if (lengths.length + codings.length > 1) throw new MalformedError('framed more than once');
  if (codings.length === 1) {
    if (codings[0] !== 'chunked') throw new MalformedError(`transfer coding ${JSON.stringify(codings[0])}`);
    return { kind: 'chunked' };
  }
  if (lengths.length === 0) return { kind: 'none' };
  if (!/^\d{1,15}$/.test(lengths[0]!))
    throw new MalformedError(`content length ${JSON.stringify(lengths[0])}`);
  return { kind: 'length', length: Number(lengths[0]) };
}

/** Null while the body is not complete. */
export function takeBody(bytes: Buffer, framing: Framing): Body | null {
  if (framing.kind === 'none') return { content: Buffer.alloc(0), trailers: [], bytes: 0 };
  if (framing.kind === 'chunked') return takeChunks(bytes);
  if (bytes.length < framing.length) return null;
  return { content: bytes.subarray(0, framing.length), trailers: [], bytes: framing.length };
}

function takeChunks(bytes: Buffer): Body | null {
  const parts: Buffer[] = [];
  let at = 0;
  for (;;) {
    const lineEnd = bytes.indexOf('\r\n', at);
    if (lineEnd === -1) return null;
    const size = bytes.toString('latin1', at, lineEnd);
    if (!/^[0-9a-fA-F]{1,8}$/.test(size)) throw new MalformedError(`chunk size ${JSON.stringify(size)}`);
    const length = Number.parseInt(size, 16);
    at = lineEnd + 2;
    if (length === 0) break;
    if (bytes.length < at + length + 2) return null;
    if (bytes.toString('latin1', at + length, at + length + 2) !== '\r\n')
      throw new MalformedError('no CRLF after a chunk');
    parts.push(bytes.subarray(at, at + length));
    at += length + 2;
  }
  if (bytes.length < at + 2) return null;
  if (bytes.toString('latin1', at, at + 2) === '\r\n')
    return { content: Buffer.concat(parts), trailers: [], bytes: at + 2 };
  const end = bytes.indexOf('\r\n\r\n', at);
  if (end === -1) return null;
  return {
    content: Buffer.concat(parts),
    trailers: fieldsOf(lines(bytes.toString('latin1', at, end))),
    bytes: end + 4,
  };
}
