/**
 * Fetches one small document: a key set, a discovery document, the answer to a form. Bounded in size and in time as a
 * whole, over https unless the host is this machine, and never led elsewhere: a redirect is an error.
 *
 * Called by `keys/` and, through `oauth-fetch.ts`, by `oauth/`; what the document means is judged there.
 */
import type { Agent } from 'undici';
import { undici } from './undici.ts';

export interface FetchOptions {
  /** Extra request fields, e.g. `if-none-match`; names in lower case. */
  readonly headers: Readonly<Record<string, string>>;
  /** For everything together: name lookup, connection, head and body. */
  readonly timeoutMs: number;
  readonly bytesMax: number;
  /** Permits http:// to hosts that are not loopback. */
  readonly allowHttp: boolean;
  /** What is sent by POST; absent: GET. */
  readonly body?: string;
  /** Aborted when the answer is no longer wanted. */
  readonly signal?: AbortSignal | undefined;
}

export interface FetchedDocument {
  readonly status: number;
  /** Names in lower case; a repeated field is joined with `, `. */
  readonly headers: ReadonlyMap<string, string>;
  readonly body: Buffer;
}

export type FetchErrorKind =
  'url_refused' | 'unreachable' | 'timeout' | 'too_large' | 'redirected' | 'invalid';

/** The document could not be had. `message` is for operators; it names the URL without its query. */
export class FetchError extends Error {
  override readonly name = 'FetchError';
  readonly kind: FetchErrorKind;

  constructor(kind: FetchErrorKind, message: string, options?: ErrorOptions) {
    super(message, options);
    this.kind = kind;
  }
}

const redirects: ReadonlySet<number> = new Set([301, 302, 303, 307, 308]);

// No connection is kept: documents are minutes apart, and a kept one would be dead by then.
let agent: Agent | null = null;

function sharedAgent(): Agent {
  agent ??= new (undici().Agent)({ pipelining: 0, connections: 4, maxHeaderSize: 16_384 });
  return agent;
}

/** Is this name the machine itself, whatever the resolver says? */
export function isLoopback(hostname: string): boolean {
  return (
    hostname === 'localhost' || hostname === '[::1]' || /^127\.\d{1,3}\.\d{1,3}\.\d{1,3}$/.test(hostname)
  );
}

function parseUrl(text: string, allowHttp: boolean): URL {
  const url = URL.canParse(text) ? new URL(text) : null;
  if (url === null) throw new FetchError('url_refused', 'not a URL');
  const secure =
    url.protocol === 'https:' || (url.protocol === 'http:' && (allowHttp || isLoopback(url.hostname)));
  if (!secure)
    throw new FetchError('url_refused', `${nameOf(url)}: only https is fetched, or http from this machine`);
  if (url.username !== '' || url.password !== '')
    throw new FetchError('url_refused', `${nameOf(url)}: credentials in a URL`);
  return url;
}

const nameOf = (url: URL): string => `${url.protocol}//${url.host}${url.pathname}`;

const one = (value: string | string[]): string => (Array.isArray(value) ? value.join(', ') : value);

/**
 * Asks `url` once. Any status but a redirect is returned; what it means is the caller's to say.
 *
 * Errors: `FetchError`, always; nothing else is thrown.
 */
export async function fetchDocument(url: string, options: FetchOptions): Promise<FetchedDocument> {
  const target = parseUrl(url, options.allowHttp);
  const name = nameOf(target);
  const deadline = new AbortController();
  const timer = setTimeout(() => deadline.abort(), options.timeoutMs);
  const { signal } = options;
  try {
    const either = signal === undefined ? deadline.signal : AbortSignal.any([deadline.signal, signal]);
    return await exchange(target, name, options, either);
  } catch (error) {
    if (error instanceof FetchError) throw error;
    if (deadline.signal.aborted) {
      throw new FetchError('timeout', `${name}: no complete answer within ${options.timeoutMs} ms`, {
        cause: error,
      });
    }
    const reason = error instanceof Error && error.message !== '' ? error.message : String(error);
    throw new FetchError('unreachable', `${name}: ${reason}`, { cause: error });
  } finally {
    clearTimeout(timer);
  }
}

async function exchange(
  url: URL,
  name: string,
  options: FetchOptions,
  signal: AbortSignal,
): Promise<FetchedDocument> {
  const answer = await sharedAgent().request({
    origin: url.origin,
    path: url.pathname + url.search,
    method: options.body === undefined ? 'GET' : 'POST',
    body: options.body ?? null,
    headers: { accept: 'application/json', 'accept-encoding': 'identity', ...options.headers },
    signal,
  });
  const status = answer.statusCode;
  const headers = new Map<string, string>();
  for (const [field, value] of Object.entries(answer.headers))
    if (value !== undefined) headers.set(field, one(value));

  const fail = (kind: FetchErrorKind, why: string): never => {
    // A destroyed body reports that it was aborted; the answer to that is the error thrown here.
    answer.body.on('error', () => {}).destroy();
    throw new FetchError(kind, `${name}: ${why}`);
  };
  if (redirects.has(status)) fail('redirected', `answered ${status}, and redirects are not followed`);
  if (headers.has('content-encoding'))
    fail('invalid', 'answered in a content coding, though none was asked for');
  const tooLarge = `is larger than ${options.bytesMax} bytes`;
  if (Number(headers.get('content-length') ?? 0) > options.bytesMax) fail('too_large', tooLarge);

  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of answer.body as AsyncIterable<Buffer>) {
    bytes += chunk.length;
    if (bytes > options.bytesMax) fail('too_large', tooLarge);
    chunks.push(chunk);
  }
  return { status, headers, body: Buffer.concat(chunks, bytes) };
}
