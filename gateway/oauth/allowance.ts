/**
 * How many logins a caller or an account may start: so many in a row, and so many a minute (GCRA), counted in memory that
 * all threads of the process share. One word for each key, exchanged as a whole:
 *
 * ```
 *  63                          24 23        0
 * ┌──────────────────────────────┬───────────┐
 * │ when all of it is back: ms   │ key: 24   │
 * └──────────────────────────────┴───────────┘
 * ```
 *
 * A key has a set of four words to be in; the set and the 24 bits are of a keyed digest. When others hold all four, the
 * one whose allowance is back soonest is forgotten, which loses nothing once it is back. Two keys of one set are alike in
 * one of sixteen million cases: they share an allowance then.
 */
import { createHmac } from 'node:crypto';
import type { OauthConfig } from '../config/schema.ts';
import type { Clock } from '../core/clock.ts';
import { RealCells } from '../flight/real-cells.ts';

/** Sixteen thousand keys in all. */
const setsMax = 4096;
const ways = 4;
const tagBits = 24n;
const tagMask = (1n << tagBits) - 1n;
/** How often others may be faster before a take is refused. */
const attemptsMax = 64;

export const createAllowanceMemory = (): SharedArrayBuffer => new SharedArrayBuffer(setsMax * ways * 8);

export interface AllowanceSettings {
  readonly memory: SharedArrayBuffer;
  /** Known to all threads of the process, and to nobody else: nobody can choose keys that share a word. */
  readonly secret: Uint8Array;
  readonly burst: number;
  readonly perMinute: number;
  /** Monotonic, one clock for all threads. */
  readonly nowMs: () => number;
}

interface Place {
  readonly at: number;
  readonly word: bigint;
  readonly backMs: number;
}

export class Allowance {
  readonly #cells: RealCells;
  readonly #secret: Uint8Array;
  readonly #spacingMs: number;
  readonly #burstMs: number;
  readonly #nowMs: () => number;

  constructor({ memory, secret, burst, perMinute, nowMs }: AllowanceSettings) {
    this.#cells = new RealCells(memory);
    this.#secret = secret;
    this.#spacingMs = Math.round(60_000 / perMinute);
    this.#burstMs = this.#spacingMs * burst;
    this.#nowMs = nowMs;
  }

  /** Would `take` be granted? */
  has(key: string): boolean {
    const { set, tag } = this.#homeOf(key);
    const nowMs = Math.floor(this.#nowMs());
    return this.#after(this.#find(set, tag), nowMs) !== null;
  }

  /** Takes one, if there is one. */
  take(key: string): boolean {
    const { set, tag } = this.#homeOf(key);
    for (let attempt = 0; attempt < attemptsMax; attempt++) {
      const nowMs = Math.floor(this.#nowMs());
      const place = this.#find(set, tag);
      const backMs = this.#after(place, nowMs);
      if (backMs === null) return false;
      const next = (BigInt(backMs) << tagBits) | tag;
      if (this.#cells.compareExchange(place.at, place.word, next) === place.word) return true;
    }
    return false;
  }

  /** When all of it would be back after one more; null when there is none to take. */
  #after({ backMs }: Place, nowMs: number): number | null {
    const nextMs = Math.max(nowMs, backMs) + this.#spacingMs;
    return nextMs <= nowMs + this.#burstMs ? nextMs : null;
  }

  /** The word of the key, or else the one that may be forgotten for it. */
  #find(set: number, tag: bigint): Place {
    let spare: Place | null = null;
    for (let at = set * ways; at < (set + 1) * ways; at++) {
      const word = this.#cells.load(at);
      const backMs = Number(word >> tagBits);
      if ((word & tagMask) === tag) return { at, word, backMs };
      if (spare === null || backMs < Number(spare.word >> tagBits)) spare = { at, word, backMs: 0 };
    }
    return spare!;
  }

  #homeOf(key: string): { readonly set: number; readonly tag: bigint } {
    const digest = createHmac('sha256', this.#secret).update(key).digest();
    // 0 is a word that nobody has had.
    const tag = BigInt(digest.readUIntBE(4, 3)) || 1n;
    return { set: digest.readUInt32BE(0) % setsMax, tag };
  }
}

export function allowanceOf(
  { limits }: OauthConfig,
  clock: Clock,
  memory: SharedArrayBuffer,
  secret: Uint8Array,
): Allowance {
  return new Allowance({
    memory,
    secret,
    burst: limits.starts,
    perMinute: limits.startsPerMinute,
    nowMs: () => clock.monotonicMs(),
  });
}
