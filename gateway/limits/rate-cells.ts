/**
 * The standing of keys with their rates, in memory that all threads share: one word a key, exchanged as a whole.
 *
 * ```
 *  63                                40 39          24 23        0
 * ┌───────────────────────────────────────────────────┬───────────┐
 * │ when all of it is back: microseconds, modulo 2^40 │  key: 24  │
 * └───────────────────────────────────────────────────┴───────────┘
 * ```
 *
 * A key has a set of four words to be in; the set and the 24 bits are of a keyed digest, so that the memory names nobody and
 * nobody can choose keys that share a word. When others hold all four, the one that is back first is forgotten: with more
 * keys under way than there are words, some get a fresh allowance early. Two keys of one set are alike in one of sixteen
 * million cases and share an allowance then.
 *
 * The time wraps after twelve days. A word that old is read as one of the present only if its own span ago is hit exactly,
 * and then for as long as that span.
 */
import { createHmac } from 'node:crypto';
import { RealCells } from '../flight/real-cells.ts';
import { afterOne, type Pace, remainingAt, waitUs } from './gcra.ts';

/** A quarter of a million keys in all, two megabytes. */
const setsOfRoutes = 65_536;
const ways = 4;
const tagBits = 24n;
const tagMask = (1n << tagBits) - 1n;
const wrapUs = 2 ** 40;
/** How often others may be faster before a request is refused. */
const attemptsMax = 1000;

/** What threads are given to count together. */
export interface RateMemory {
  readonly words: SharedArrayBuffer;
  /** Of this process alone. */
  readonly secret: Uint8Array;
}

/** For four keys in each of so many sets. */
export function createRateWords(sets: number): SharedArrayBuffer {
  return new SharedArrayBuffer(sets * ways * BigInt64Array.BYTES_PER_ELEMENT);
}

export function createRateMemory(secret: Uint8Array): RateMemory {
  return { words: createRateWords(setsOfRoutes), secret };
}

/** How a key stands after a request. */
export interface Standing {
  readonly conforms: boolean;
  /** Requests that would conform at once. */
  readonly remaining: number;
  /** Until all of it is back. */
  readonly resetUs: number;
  /** Until the next one conforms; 0 when it does at once. */
  readonly waitUs: number;
}

interface Place {
  readonly at: number;
  readonly word: bigint;
  /** From now; 0 and less is the past. */
  readonly backInUs: number;
}

export class RateCells {
  readonly #cells: RealCells;
  readonly #sets: number;
  readonly #secret: Uint8Array;
  readonly #nowMs: () => number;

  /** `nowMs` is one clock for all threads. */
  constructor({ words, secret }: RateMemory, nowMs: () => number) {
    this.#cells = new RealCells(words);
    this.#sets = words.byteLength / (ways * BigInt64Array.BYTES_PER_ELEMENT);
    this.#secret = secret;
    this.#nowMs = nowMs;
  }

  /** Would a request of `key` conform? */
  has(key: string, pace: Pace): boolean {
    const { set, tag } = this.#homeOf(key);
    return afterOne(pace, standingUs(pace, this.#find(set, tag, this.#nowUs())), 0) !== null;
  }

  /** Takes one request of `key` at `pace`, if it conforms. A key has always the same pace. */
  take(key: string, pace: Pace): Standing {
    const { set, tag } = this.#homeOf(key);
    for (let attempt = 0; ; attempt += 1) {
      const nowUs = this.#nowUs();
      const place = this.#find(set, tag, nowUs);
      const backInUs = standingUs(pace, place);
      const next = attempt < attemptsMax ? afterOne(pace, backInUs, 0) : null;
      if (next === null) return standing(pace, backInUs, false);
      const word = BigInt.asIntN(64, (BigInt((nowUs + next) % wrapUs) << tagBits) | tag);
      if (this.#cells.compareExchange(place.at, place.word, word) === place.word)
        return standing(pace, next, true);
    }
  }

  /** The word of the key, or else the one that may be forgotten for it. */
  #find(set: number, tag: bigint, nowUs: number): Place {
    let spare: Place | null = null;
    let spareInUs = Infinity;
    for (let at = set * ways; at < (set + 1) * ways; at += 1) {
      const word = this.#cells.load(at);
      const backInUs = untilUs(Number(BigInt.asUintN(64, word) >> tagBits), nowUs);
      if ((word & tagMask) === tag) return { at, word, backInUs };
      // Never used words come first.
      const rankUs = word === 0n ? -Infinity : backInUs;
      if (spare === null || rankUs < spareInUs) {
        spare = { at, word, backInUs: 0 };
        spareInUs = rankUs;
      }
    }
    return spare!;
  }

  #nowUs(): number {
    return Math.floor(this.#nowMs() * 1000) % wrapUs;
  }

  #homeOf(key: string): { readonly set: number; readonly tag: bigint } {
    const digest = createHmac('sha256', this.#secret).update(key).digest();
    // 0 is the tag of a word that nobody has had.
    return { set: digest.readUInt32BE(0) % this.#sets, tag: BigInt(digest.readUIntBE(4, 3) || 1) };
  }
}

/** Until all of it is back; what lies further ahead than the pace allows is of a former turn of the clock. */
function standingUs({ spanUs }: Pace, { backInUs }: Place): number {
  return backInUs > spanUs ? 0 : Math.max(0, backInUs);
}

/** From now to a time of the wrapping clock, which is less than half a turn away. */
function untilUs(us: number, nowUs: number): number {
  const ahead = (us - nowUs + wrapUs) % wrapUs;
  return ahead < wrapUs / 2 ? ahead : ahead - wrapUs;
}

function standing(pace: Pace, backInUs: number, conforms: boolean): Standing {
  return {
    conforms,
    remaining: remainingAt(pace, backInUs, 0),
    resetUs: backInUs,
    waitUs: waitUs(pace, backInUs, 0),
  };
}
