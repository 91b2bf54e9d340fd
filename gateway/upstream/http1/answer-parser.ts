/**
 * An answer of HTTP/1.1, read as it comes in: octets in, events out; no socket, no time. What the fields mean is the reader's
 * to say, who also tells how the body is framed.
 *
 * One parser reads the answers of one connection, one after the other; `begin` says that a request was sent. Nothing is kept
 * of what is pushed, except for heads that come in several pieces.
 *
 * Source: RFC 9112 sections 4 (status line), 5 (fields), 6 and 7 (body).
 */
import { ChunkedBody, type ContentSink } from './chunked-body.ts';
import { FieldSection, INCOMPLETE, INVALID } from './field-section.ts';
import { CR, LF, SP, TEXT, classOf } from './octets.ts';

/** How the end of a body is found (RFC 9112 section 6.3). */
export type Framing = 'none' | 'sized' | 'chunked' | 'to-end';

export interface Body {
  readonly framing: Framing;
  /** Bytes of a sized body. */
  readonly length: number | null;
}

/** What a parser reports to. */
export interface AnswerReader extends ContentSink {
  /** An interim answer came (1xx but 101). False: it will not do. */
  onInterim(): boolean;
  /** The head of the final answer. `fields` as `FieldSection.fields` makes them. Null: it will not do. */
  onHead(status: number, minor: number, fields: string[]): Body | null;
}

const IDLE = 0;
const STATUS_LINE = 1;
const AFTER_STATUS = 2;
const REASON = 3;
const REASON_LF = 4;
const FIELDS = 5;
const SIZED = 6;
const CHUNKED = 7;
const TO_END = 8;
const BROKEN = 9;

/** The status line up to its status; the octets that differ are not looked at here. */
const pattern = Buffer.from('HTTP/1.m sss', 'latin1');
const MINOR_AT = 7;
const STATUS_AT = 9;
const ZERO = 0x30;

/** What became of a push. */
export type Progress = 'incomplete' | 'complete' | 'invalid';

export class AnswerParser {
  readonly #reader: AnswerReader;
  readonly #headBytesMax: number;
  readonly #section = new FieldSection();
  readonly #chunked = new ChunkedBody();
  #state = IDLE;
  /** Octets of the status line so far. */
  #line = 0;
  #minor = 0;
  #status = 0;
  /** Octets of a sized body that are still to come. */
  #left = 0;

  /** `headBytesMax`: the size of a head, from its first octet to its empty line. */
  constructor(reader: AnswerReader, headBytesMax: number) {
    this.#reader = reader;
    this.#headBytesMax = headBytesMax;
  }

  /** A request was sent: an answer may come. Until this is called, any octet is one too many. */
  begin(): void {
    this.#state = STATUS_LINE;
    this.#line = 0;
    this.#status = 0;
  }

  /**
   * Reads the first `size` octets of `bytes`. 'complete' comes once, with the end of the answer; see `broken` for octets behind
   * it. Octets that nobody asked for are 'invalid'. What was read may be moved about in `bytes`.
   */
  push(bytes: Buffer, size: number): Progress {
    const behind = this.#state === IDLE ? INVALID : this.#read(bytes, size);
    if (behind === INCOMPLETE) return 'incomplete';
    if (behind === INVALID) {
      this.#state = BROKEN;
      return 'invalid';
    }
    this.#state = behind < size ? BROKEN : IDLE;
    return 'complete';
  }

  /** Octets came behind a complete answer: it stands, but nothing more may be read from its connection. */
  get broken(): boolean {
    return this.#state === BROKEN;
  }

  /** The peer sends no more. True when that completes the answer. */
  finish(): boolean {
    const complete = this.#state === TO_END;
    this.#state = BROKEN;
    return complete;
  }

  /** Returns the place behind the answer, or INCOMPLETE, or INVALID. */
  #read(bytes: Buffer, end: number): number {
    let at = 0;
    while (at < end) {
      const octet = bytes[at]!;
      switch (this.#state) {
        case STATUS_LINE:
          if (!this.#takeStatus(octet)) return INVALID;
          at += 1;
          break;
        case AFTER_STATUS:
          // The space before an absent reason is left out by many.
          if (octet === SP) this.#state = REASON;
          else if (octet === CR) this.#state = REASON_LF;
          else return INVALID;
          this.#line += 1;
          at += 1;
          break;
        case REASON:
          if (octet === CR) this.#state = REASON_LF;
          else if ((classOf[octet]! & TEXT) === 0) return INVALID;
          this.#line += 1;
          if (this.#line >= this.#headBytesMax) return INVALID;
          at += 1;
          break;
        case REASON_LF:
          if (octet !== LF) return INVALID;
          this.#state = FIELDS;
          this.#section.reset(this.#headBytesMax - this.#line - 1);
          at += 1;
          break;
        case FIELDS: {
          const behind = this.#section.push(bytes, at, end);
          if (behind < 0) return behind;
          at = behind;
          const next = this.#judge();
          this.#state = next;
          if (next === BROKEN) return INVALID;
          if (next === IDLE) return at;
          break;
        }
        case SIZED: {
          const to = Math.min(end, at + this.#left);
          this.#left -= to - at;
          this.#reader.onContent(bytes.subarray(at, to), this.#left === 0);
          if (this.#left === 0) return to;
          at = to;
          break;
        }
        case CHUNKED:
          return this.#chunked.push(bytes, at, end, this.#reader);
        case TO_END:
          this.#reader.onContent(bytes.subarray(at, end), false);
          at = end;
          break;
        default:
          return INVALID;
      }
    }
    return INCOMPLETE;
  }

  #takeStatus(octet: number): boolean {
    const place = this.#line;
    this.#line += 1;
    if (place === MINOR_AT) {
      this.#minor = octet - ZERO;
      return this.#minor === 0 || this.#minor === 1;
    }
    if (place < STATUS_AT) return octet === pattern[place];
    const digit = octet - ZERO;
    if (digit < 0 || digit > 9 || (place === STATUS_AT && (digit === 0 || digit > 5))) return false;
    this.#status = this.#status * 10 + digit;
    if (this.#line === pattern.length) this.#state = AFTER_STATUS;
    return true;
  }

  /** A head is complete. Returns the state for what follows it; IDLE where nothing does. */
  #judge(): number {
    if (this.#status < 200) {
      if (this.#status === 101 || !this.#reader.onInterim()) return BROKEN;
      this.begin();
      return STATUS_LINE;
    }
    const body = this.#reader.onHead(this.#status, this.#minor, this.#section.fields());
    switch (body?.framing) {
      case undefined:
        return BROKEN;
      case 'none':
        return IDLE;
      case 'sized':
        this.#left = body.length!;
        return this.#left === 0 ? IDLE : SIZED;
      case 'chunked':
        this.#chunked.reset();
        return CHUNKED;
      case 'to-end':
        return TO_END;
    }
  }
}
