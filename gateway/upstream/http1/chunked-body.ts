/**
 * The chunked coding, taken off as it comes in (RFC 9112 section 7.1). Extensions and trailers are read by the rules and dropped.
 *
 * Strict: lines end in CRLF; a size is 1 to 16 hexadecimal digits without a space behind it; no trailer frames a message.
 */
import { FieldSection, INCOMPLETE, INVALID } from './field-section.ts';
import { CR, LF, SEMICOLON, TEXT, TOKEN, classOf, digitOf } from './octets.ts';

/** Octets of one chunk's extensions. Nobody uses any; a limit keeps a peer from sending nothing but extensions. */
export const extensionBytesMax = 256;
/** Octets of the trailers. */
export const trailerBytesMax = 8192;

const SIZE = 0;
const EXTENSION = 1;
const SIZE_LF = 2;
const DATA = 3;
const DATA_CR = 4;
const DATA_LF = 5;
const TRAILERS = 6;
const COMPLETE = 7;

const digitsMax = 16;

/** Takes pieces of content. They are parts of what was pushed, and good until the call returns. */
export interface ContentSink {
  /** `last`: the message is complete with this piece. A message may also be complete without such a piece. */
  onContent(piece: Buffer, last: boolean): void;
}

export class ChunkedBody {
  #state = SIZE;
  #digits = 0;
  #extension = 0;
  /** Octets of the present chunk that are still to come. */
  #left = 0;
  readonly #trailers = new FieldSection();
  /** Where the content of the present push lies. */
  #from = 0;
  #to = 0;

  reset(): void {
    this.#state = SIZE;
    this.#digits = 0;
    this.#left = 0;
  }

  /**
   * Returns the place behind the body, or INCOMPLETE, or INVALID. Moves the content of all chunks in `bytes` together, so that
   * it is one piece, however small the chunks are.
   */
  push(bytes: Buffer, start: number, end: number, sink: ContentSink): number {
    this.#from = 0;
    this.#to = 0;
    const behind = this.#read(bytes, start, end);
    if (this.#to > this.#from) sink.onContent(bytes.subarray(this.#from, this.#to), behind >= 0);
    return behind;
  }

  #read(bytes: Buffer, start: number, end: number): number {
    let at = start;
    while (at < end) {
      const octet = bytes[at]!;
      switch (this.#state) {
        case SIZE: {
          const digit = digitOf[octet]!;
          if (digit !== -1) {
            this.#digits += 1;
            this.#left = this.#left * 16 + digit;
            if (this.#digits > digitsMax || this.#left > Number.MAX_SAFE_INTEGER) return INVALID;
          } else {
            if (this.#digits === 0) return INVALID;
            this.#extension = 0;
            if (octet === CR) this.#state = SIZE_LF;
            else if (octet === SEMICOLON) this.#state = EXTENSION;
            else return INVALID;
          }
          at += 1;
          break;
        }
        case EXTENSION:
          this.#extension += 1;
          if (octet === CR && this.#extension > 1) this.#state = SIZE_LF;
          else if ((classOf[octet]! & (this.#extension === 1 ? TOKEN : TEXT)) === 0) return INVALID;
          else if (this.#extension > extensionBytesMax) return INVALID;
          at += 1;
          break;
        case SIZE_LF:
          if (octet !== LF) return INVALID;
          at += 1;
          this.#digits = 0;
          this.#state = this.#left === 0 ? TRAILERS : DATA;
          if (this.#left === 0) this.#trailers.reset(trailerBytesMax);
          break;
        case DATA: {
          const to = Math.min(end, at + this.#left);
          this.#left -= to - at;
          if (this.#left === 0) this.#state = DATA_CR;
          this.#gather(bytes, at, to);
          at = to;
          break;
        }
        case DATA_CR:
          if (octet !== CR) return INVALID;
          this.#state = DATA_LF;
          at += 1;
          break;
        case DATA_LF:
          if (octet !== LF) return INVALID;
          this.#state = SIZE;
          at += 1;
          break;
        case TRAILERS: {
          const behind = this.#trailers.push(bytes, at, end);
          if (behind < 0) return behind;
          this.#state = COMPLETE;
          return framesMessage(this.#trailers.fields()) ? INVALID : behind;
        }
        default:
          return INVALID;
      }
    }
    return INCOMPLETE;
  }

  #gather(bytes: Buffer, at: number, to: number): void {
    if (this.#to === 0) this.#from = at;
    else bytes.copyWithin(this.#to, at, to);
    this.#to = this.#to === 0 ? to : this.#to + to - at;
  }
}

/** RFC 9110 section 6.5.1: a sender must not put framing into trailers; who does it has something else in mind. */
function framesMessage(trailers: readonly string[]): boolean {
  for (let i = 0; i < trailers.length; i += 2)
    if (trailers[i] === 'content-length' || trailers[i] === 'transfer-encoding') return true;
  return false;
}
