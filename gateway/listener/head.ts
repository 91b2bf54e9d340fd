/**
 * Reads and judges the head of a request: what the driver's parser lets through and must not pass is refused here.
 *
 * One `HeadReader` serves a listener thread; its fields hold the request being read and are overwritten by the next.
 * Source: RFC 9110 section 5 (fields), RFC 9112 sections 3.2 (Host), 6 (framing).
 */
import { type Refusal, refusals } from '../core/errors.ts';
import type { HttpRequest } from '../native/uws.ts';
import { RepeatedValues } from './repeated-values.ts';

export interface HeadLimits {
  readonly fieldsMax: number;
  readonly bytesMax: number;
  /** Lower-case name of the field that carries the request id. */
  readonly requestIdHeader: string;
  /** Lower-case name of the field that is sent back; null for none. */
  readonly correlationIdHeader?: string | null;
}

const FIELD_NAME = /^[!#$%&'*+.^_`|~0-9a-z-]+$/;
const PLAIN_VALUE = /^[\t\x20-\x7e]*$/;
// oxlint-disable-next-line no-control-regex -- these are the characters that RFC 9110 section 5.5 forbids.
const FORBIDDEN_IN_VALUE = /[\x00-\x08\x0a-\x1f\x7f\ufffd]/;
/** RFC 9110 section 7.6.1: a list of options, in whatever case. */
const CLOSE_OPTION = /(?:^|,)[\t ]*close[\t ]*(?:,|$)/i;
const CONTENT_LENGTH = /^\d{1,15}$/;
/** RFC 3986 section 3.2.2: a name, an address or a literal in brackets, and a port. */
const HOST = /^(?:[A-Za-z0-9._~!$&'()*+,;=%-]+|\[[0-9A-Fa-f:.]+\])(?::\d{0,5})?$/;

/** The fields that matter here, by name; every other one is only checked and kept. */
const AUTHORIZATION = 1;
const CONTENT_LENGTH_FIELD = 2;
const TRANSFER_ENCODING = 3;
const HOST_FIELD = 4;
const EXPECT = 5;
const UPGRADE = 6;
const REQUEST_ID = 7;
const CORRELATION_ID = 8;
const CONNECTION = 9;
const ORDINARY = 10;

/** Fields that most requests carry: a look-up in place of a test of the name's grammar. */
const ORDINARY_NAMES = [
  'accept', 'accept-encoding', 'accept-language', 'cache-control', 'content-type', 'cookie', 'origin',
  'referer', 'traceparent', 'tracestate', 'user-agent', 'x-forwarded-for', 'x-forwarded-host', 'x-forwarded-proto',
]; // prettier-ignore

export class HeadReader {
  /** Name, value, name, value; an array of its own for each request, because forwarding keeps it. */
  fields: string[] = [];
  authorization = '';
  authorizations = 0;
  host = '';
  requestId = '';
  /** Of the first such field; empty when the head is malformed. */
  correlationId = '';
  /** -1: no Content-Length. */
  contentLength = -1;
  chunked = false;
  upgrade = false;
  /** The caller wants the connection closed behind the answer (RFC 9112 section 9.6), or the driver will do so. */
  close = false;
  /** The driver closes by itself, without a word: it takes any five bytes in the first field for `close`. */
  driverCloses = false;

  readonly #limits: HeadLimits;
  readonly #known: ReadonlyMap<string, number>;
  readonly #onField: (name: string, value: string) => void;
  readonly #plain = new RepeatedValues();
  #bytes = 0;
  #contentLengths = 0;
  #transferCodings = 0;
  #hosts = 0;
  #connections = 0;
  #refusal: Refusal | null = null;

  constructor(limits: HeadLimits) {
    this.#limits = limits;
    this.#known = new Map([
      ...ORDINARY_NAMES.map((name) => [name, ORDINARY] as const),
      ...(limits.correlationIdHeader ? [[limits.correlationIdHeader, CORRELATION_ID] as const] : []),
      [limits.requestIdHeader, REQUEST_ID],
      ['authorization', AUTHORIZATION],
      ['content-length', CONTENT_LENGTH_FIELD],
      ['transfer-encoding', TRANSFER_ENCODING],
      ['host', HOST_FIELD],
      ['connection', CONNECTION],
      ['expect', EXPECT],
      ['upgrade', UPGRADE],
    ]);
    this.#onField = (name, value) => this.#read(name, value);
  }

  /** Reads the whole head. Returns what is wrong with it, or null. */
  read(request: HttpRequest): Refusal | null {
    this.fields = [];
    this.authorization = '';
    this.authorizations = 0;
    this.host = '';
    this.requestId = '';
    this.correlationId = '';
    this.contentLength = -1;
    this.chunked = false;
    this.upgrade = false;
    this.close = false;
    this.driverCloses = false;
    this.#bytes = 0;
    this.#contentLengths = 0;
    this.#transferCodings = 0;
    this.#hosts = 0;
    this.#connections = 0;
    this.#refusal = null;
    request.forEach(this.#onField);
    const refusal = this.#refusal ?? this.#judge();
    if (refusal !== null) this.correlationId = '';
    return refusal;
  }

  /** Does a body follow? `Content-Length: 0` is no body. */
  get hasBody(): boolean {
    return this.chunked || this.contentLength > 0;
  }

  #read(name: string, given: string): void {
    const field = this.#known.get(name);
    if (field === undefined && !FIELD_NAME.test(name)) this.#refusal = refusals.header_invalid;
    const value = this.#isPlain(given) ? given : this.#readOddValue(given);
    this.fields.push(name, value);
    this.#bytes += name.length + value.length + 4;
    switch (field) {
      case undefined:
      case ORDINARY:
        break;
      case AUTHORIZATION:
        this.authorization = value;
        this.authorizations += 1;
        break;
      case CONTENT_LENGTH_FIELD:
        this.#contentLengths += 1;
        if (CONTENT_LENGTH.test(value)) this.contentLength = Number(value);
        else this.#refusal = refusals.framing_invalid;
        break;
      case TRANSFER_ENCODING:
        this.#transferCodings += 1;
        this.chunked = true;
        if (value.toLowerCase() !== 'chunked') this.#refusal = refusals.transfer_coding_unsupported;
        break;
      case HOST_FIELD:
        this.#hosts += 1;
        this.host = value;
        break;
      case CONNECTION:
        this.#connections += 1;
        if (this.#connections === 1 && value.length === 5) this.driverCloses = true;
        if (this.driverCloses || CLOSE_OPTION.test(value)) this.close = true;
        break;
      case EXPECT:
        if (value.toLowerCase() !== '100-continue') this.#refusal = refusals.expectation_failed;
        break;
      case UPGRADE:
        this.upgrade = true;
        break;
      case REQUEST_ID:
        this.requestId = value;
        break;
      case CORRELATION_ID:
        if (this.correlationId === '') this.correlationId = value;
        break;
    }
  }

  #isPlain(value: string): boolean {
    if (this.#plain.has(value)) return true;
    if (!PLAIN_VALUE.test(value)) return false;
    this.#plain.add(value);
    return true;
  }

  #readOddValue(value: string): string {
    if (FORBIDDEN_IN_VALUE.test(value)) this.#refusal = refusals.header_invalid;
    // The driver decoded UTF-8; from here on one char is one byte again, so that bytes are forwarded as they came.
    return Buffer.from(value, 'utf8').toString('latin1');
  }

  #judge(): Refusal | null {
    if (this.#contentLengths > 1 || this.#transferCodings > 1) return refusals.framing_invalid;
    if (this.#contentLengths === 1 && this.chunked) return refusals.framing_invalid;
    if (this.fields.length > 2 * this.#limits.fieldsMax) return refusals.headers_too_large;
    if (this.#bytes > this.#limits.bytesMax) return refusals.headers_too_large;
    if (this.#hosts !== 1 || !HOST.test(this.host)) return refusals.host_invalid;
    return null;
  }
}
