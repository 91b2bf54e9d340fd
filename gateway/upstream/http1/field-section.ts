/**
 * A section of fields, of a head or of trailers, read as it comes in: every octet is looked at once, however the section is cut
 * into pieces, and strings are made when all of it is there.
 *
 * Strict (RFC 9112 sections 2.2 and 5): lines end in CRLF, no space before a colon, no folded line, no control but HTAB.
 */
import { CR, COLON, HTAB, LF, SP, TEXT, TOKEN, UPPER, classOf } from './octets.ts';

/** More would cost far more memory than they have bytes. */
export const fieldsMax = 256;

const LINE = 0;
const NAME = 1;
const BEFORE_VALUE = 2;
const VALUE = 3;
const VALUE_LF = 4;
const LAST_LF = 5;
const COMPLETE = 6;

/** `push` when the section goes on behind the piece. */
export const INCOMPLETE = -1;
/** `push` when it breaks a rule or a limit. */
export const INVALID = -2;

/** Numbers kept of a field: where its name and its value begin and end, and whether its name has capitals. */
const MARKS = 5;

export class FieldSection {
  #bytesMax = 0;
  #state = LINE;
  /** Octets read so far. */
  #size = 0;
  #capitals = 0;
  readonly #marks: number[] = [];
  #count = 0;
  /** What came in earlier pieces, or the last piece itself with the place at which the section begins in it. */
  #earlier: Buffer | null = null;
  #bytes: Buffer | null = null;
  #start = 0;

  /** Begins a section of at most so many bytes. */
  reset(bytesMax: number): void {
    this.#bytesMax = bytesMax;
    this.#state = LINE;
    this.#size = 0;
    this.#count = 0;
    this.#earlier = null;
    this.#bytes = null;
  }

  /** Returns the place behind the section, or INCOMPLETE, or INVALID. `bytes` may be used for something else afterwards. */
  push(bytes: Buffer, start: number, end: number): number {
    const stop = Math.min(end, start + this.#bytesMax - this.#size);
    const at = this.#scan(bytes, start, stop);
    if (at === INVALID) return INVALID;
    this.#size += at - start;
    if (this.#state !== COMPLETE) {
      if (stop < end || this.#size === this.#bytesMax) return INVALID;
      this.#keep(bytes, start, end);
      return INCOMPLETE;
    }
    if (this.#earlier === null) {
      this.#bytes = bytes;
      this.#start = start;
    } else {
      this.#keep(bytes, start, at);
      this.#bytes = this.#earlier;
      this.#start = 0;
    }
    return at;
  }

  /**
   * The fields of a complete section; to be called before the piece that completed it is used for something else.
   *
   * Shape: name, value, name, value; names in lower case, one char is one byte.
   */
  fields(): string[] {
    const text = this.#bytes!.toString('latin1', this.#start, this.#start + this.#size);
    const marks = this.#marks;
    const fields: string[] = [];
    for (let mark = 0; mark < this.#count * MARKS; mark += MARKS) {
      const name = text.substring(marks[mark]!, marks[mark + 1]);
      const from = marks[mark + 2]!;
      let to = marks[mark + 3]!;
      while (to > from && isBlank(text.charCodeAt(to - 1))) to -= 1;
      fields.push(marks[mark + 4] === 0 ? name : name.toLowerCase(), text.substring(from, to));
    }
    return fields;
  }

  #scan(bytes: Buffer, start: number, stop: number): number {
    const marks = this.#marks;
    const before = this.#size - start;
    let state = this.#state;
    let mark = this.#count * MARKS;
    let at = start;
    while (at < stop) {
      const octet = bytes[at]!;
      switch (state) {
        case LINE:
          if (octet === CR) {
            state = LAST_LF;
            at += 1;
            break;
          }
          if ((classOf[octet]! & TOKEN) === 0 || this.#count === fieldsMax) return INVALID;
          marks[mark] = before + at;
          this.#capitals = 0;
          state = NAME;
          break;
        case NAME: {
          let kind = 0;
          while (at < stop && ((kind = classOf[bytes[at]!]!) & TOKEN) !== 0) {
            this.#capitals |= kind & UPPER;
            at += 1;
          }
          if (at === stop) break;
          if (bytes[at] !== COLON) return INVALID;
          marks[mark + 1] = before + at;
          marks[mark + 4] = this.#capitals;
          state = BEFORE_VALUE;
          at += 1;
          break;
        }
        case BEFORE_VALUE:
          if (isBlank(octet)) {
            at += 1;
            break;
          }
          marks[mark + 2] = before + at;
          state = VALUE;
          break;
        case VALUE:
          while (at < stop && (classOf[bytes[at]!]! & TEXT) !== 0) at += 1;
          if (at === stop) break;
          if (bytes[at] !== CR) return INVALID;
          marks[mark + 3] = before + at;
          state = VALUE_LF;
          at += 1;
          break;
        case VALUE_LF:
          if (octet !== LF) return INVALID;
          state = LINE;
          this.#count += 1;
          mark += MARKS;
          at += 1;
          break;
        case LAST_LF:
          if (octet !== LF) return INVALID;
          this.#state = COMPLETE;
          return at + 1;
        default:
          return INVALID;
      }
    }
    this.#state = state;
    return at;
  }

  /** Copies a part of the section; the copy grows by doubling, so that pieces of one byte cost no more than a few copies. */
  #keep(bytes: Buffer, from: number, to: number): void {
    const filled = this.#size - (to - from);
    let earlier = this.#earlier;
    if (earlier === null || earlier.length < this.#size) {
      const larger = Buffer.allocUnsafe(Math.min(Math.max(2 * this.#size, 1024), this.#bytesMax));
      earlier?.copy(larger, 0, 0, filled);
      earlier = larger;
      this.#earlier = larger;
    }
    bytes.copy(earlier, filled, from, to);
  }
}

const isBlank = (octet: number): boolean => octet === SP || octet === HTAB;
