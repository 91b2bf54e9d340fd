/**
 * The head of an upstream's answer, judged and made ready for the caller (RFC 9110 section 7.6.1, RFC 9112 section 6). A parser
 * has seen to the grammar; what the fields mean together is read here, for whichever client took the answer.
 *
 * `Date` and `Server` are the upstream's and stay. Framing is made anew: only the length is taken over.
 */
import type { RawHeaders } from '../core/exchange.ts';
import type { Framing } from './http1/answer-parser.ts';
import { fieldsMax } from './http1/field-section.ts';

/** Of a body of unknown length the framing tells how its end is found; of one that is left out, `length` is only reported. */
export interface AnswerHead {
  readonly headers: RawHeaders;
  /** Null when only the end of the body tells. */
  readonly length: number | null;
  readonly framing: Framing;
  /** The upstream keeps the connection open behind this answer. */
  readonly persistent: boolean;
  /** How long it says that it keeps an idle connection, milliseconds; null where it does not say. */
  readonly keepAliveMs: number | null;
}

const DROP = 1;
const CONTENT_LENGTH = 2;
const TRANSFER_ENCODING = 3;
const CONNECTION = 4;
const KEEP_ALIVE = 5;

const actions: ReadonlyMap<string, number> = new Map([
  ['connection', CONNECTION],
  ['content-length', CONTENT_LENGTH],
  ['keep-alive', KEEP_ALIVE],
  ['proxy-authenticate', DROP],
  ['proxy-authentication-info', DROP],
  ['proxy-connection', DROP],
  ['te', DROP],
  ['trailer', DROP],
  ['transfer-encoding', TRANSFER_ENCODING],
  ['upgrade', DROP],
]);

/**
 * Null for a head that does not say where its body ends, or not clearly.
 *
 * `fields`: name, value, name, value; names in lower case. `minor`: of the version, HTTP/1.`minor`. `owned`: a field that we
 * write ourselves.
 */
export function readAnswer(
  method: string,
  status: number,
  minor: number,
  fields: readonly string[],
  owned: string,
): AnswerHead | null {
  if (status < 200 || status > 599 || fields.length > 2 * fieldsMax) return null;
  const headers: string[] = [];
  let announced: string | null = null;
  let chunked = false;
  let connection: string | null = null;
  let keepAliveMs: number | null = null;
  for (let i = 0; i < fields.length; i += 2) {
    const name = fields[i]!;
    const value = fields[i + 1]!;
    switch (actions.get(name)) {
      case undefined:
        if (name !== owned) headers.push(name, value);
        break;
      case CONTENT_LENGTH:
        if (announced !== null || !/^\d{1,15}$/.test(value)) return null;
        announced = value;
        break;
      case TRANSFER_ENCODING:
        // Any other coding would reach the caller undone.
        if (chunked || value.toLowerCase() !== 'chunked') return null;
        chunked = true;
        break;
      case CONNECTION:
        connection = connection === null ? value : `${connection},${value}`;
        break;
      case KEEP_ALIVE:
        keepAliveMs = timeoutOf(value);
        break;
      default:
    }
  }
  if (chunked && announced !== null) return null;
  const length = announced === null || status === 204 ? null : Number(announced);
  const framing = framingOf(method, status, chunked, length);
  const options = connection === null ? noOptions : optionsOf(connection);
  // HTTP/1.0 knows no chunked coding: who sends it there is not to be trusted with a second answer (RFC 9112 section 6.1).
  const persistent =
    framing !== 'to-end' && !options.has('close') && (minor === 1 || (options.has('keep-alive') && !chunked));
  return { headers: without(headers, options), length, framing, persistent, keepAliveMs };
}

/** RFC 9112 section 6.3. */
function framingOf(method: string, status: number, chunked: boolean, length: number | null): Framing {
  if (method === 'HEAD' || status === 204 || status === 304) return 'none';
  if (chunked) return 'chunked';
  return length === null ? 'to-end' : 'sized';
}

const noOptions: ReadonlySet<string> = new Set();
const usualOptions: ReadonlyMap<string, ReadonlySet<string>> = new Map([
  ['keep-alive', new Set(['keep-alive'])],
  ['close', new Set(['close'])],
]);

/** What `Connection` says: options, and the names of fields that are meant for us alone. */
function optionsOf(connection: string): ReadonlySet<string> {
  const all = connection.toLowerCase();
  return usualOptions.get(all) ?? new Set(all.split(',').map((option) => option.trim()));
}

function without(headers: string[], names: ReadonlySet<string>): string[] {
  if (names.size === 0) return headers;
  const kept: string[] = [];
  for (let i = 0; i < headers.length; i += 2)
    if (!names.has(headers[i]!)) kept.push(headers[i]!, headers[i + 1]!);
  return kept;
}

function timeoutOf(keepAlive: string): number | null {
  const seconds = /(?:^|[,;\s])timeout=(\d{1,9})/i.exec(keepAlive)?.[1];
  return seconds === undefined ? null : Number(seconds) * 1000;
}
