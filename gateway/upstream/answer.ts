/**
 * The head of an upstream's answer, judged and made ready for the caller (RFC 9110 section 7.6.1, RFC 9112 section 6).
 * undici's parser has seen to the grammar; what it lets through is refused here.
 *
 * `Date` and `Server` are the upstream's and stay. Framing is made anew: only the length is taken over.
 */
import type { RawHeaders } from '../core/exchange.ts';

/** Fields as undici hands them out: names in lower case, values in which one char is one byte. */
export type AnswerFields = Readonly<Record<string, string | string[] | undefined>>;

export interface AnswerHead {
  readonly headers: RawHeaders;
  /** Null when only the end of the body tells. */
  readonly length: number | null;
}

/** A head with more fields than this is refused: each costs far more memory than it has bytes. */
const answerFieldsMax = 256;

const hopByHop: ReadonlySet<string> = new Set([
  'connection',
  'content-length',
  'keep-alive',
  'proxy-authenticate',
  'proxy-authentication-info',
  'proxy-connection',
  'te',
  'trailer',
  'transfer-encoding',
  'upgrade',
]);

/** Is there a body after this head (RFC 9112 section 6.3)? */
export function hasBody(method: string, status: number): boolean {
  return method !== 'HEAD' && status !== 204 && status !== 304;
}

/** Null for a head that does not say where its body ends, or not clearly. `owned` is a field that we write ourselves. */
export function readAnswer(status: number, fields: AnswerFields, owned: string): AnswerHead | null {
  if (status < 200 || status > 599) return null;
  const coding = fields['transfer-encoding'];
  // Any other coding would reach the caller undone, and undici takes a repeated one for the first.
  if (coding !== undefined && (typeof coding !== 'string' || coding.toLowerCase() !== 'chunked')) return null;
  const announced = fields['content-length'];
  if (announced !== undefined && (typeof announced !== 'string' || !/^\d{1,15}$/.test(announced)))
    return null;

  const nominated = nominations(fields['connection']);
  const headers: string[] = [];
  for (const name of Object.keys(fields)) {
    if (hopByHop.has(name) || name === owned || nominated?.has(name) === true) continue;
    const value = fields[name]!;
    if (typeof value === 'string') headers.push(name, value);
    else for (const one of value) headers.push(name, one);
  }
  if (headers.length > 2 * answerFieldsMax) return null;
  return { headers, length: announced === undefined || status === 204 ? null : Number(announced) };
}

function nominations(connection: string | string[] | undefined): ReadonlySet<string> | null {
  if (connection === undefined || connection === 'keep-alive' || connection === 'close') return null;
  return new Set(String(connection).toLowerCase().split(',').map((option) => option.trim())); // prettier-ignore
}
