/**
 * The series table: which series with a route label exist, shared by all threads.
 *
 * A key is claimed by one compareExchange and never changes or leaves; its slot is the address of its cell in every region.
 * So threads agree without a message, a restarted listener finds everything in place, and the budget is exact. A key holds
 * the *ordinal* of the route in a dictionary that only grows (`names.ts`), so it means the same after a reload.
 *
 *   directory (Int32):  | claimed | reserved | key | key | ...   slots, a power of two; 0 = free
 *   key:                | route ordinal 18 | family 1 | rest 12 |
 *   rest, requests:     | method 3 | status 9 |         rest, decisions: refusal index + 1, 0 = allowed
 */
import { Defect } from '../core/assert.ts';

export const routeOrdinalMax = (1 << 18) - 1;
/** Method index of every method that no route can name. */
export const otherMethod = 7;
/** A status outside of 100..599, as far as keys go. */
export const otherStatus = 0;

const headerWords = 2;
const CLAIMED = 0;
const RESERVED = 1;

/** Both reserved routes, every method with every status and every decision: what the table must hold beyond its budget. */
const exemptKeys = 2 * (8 * 501 + 256);

/** At most half full, so that probes stay short. */
export function slotsFor(budget: number): number {
  return 2 ** Math.ceil(Math.log2(2 * (budget + exemptKeys)));
}

export function directoryBytes(slots: number): number {
  return (headerWords + slots) * Int32Array.BYTES_PER_ELEMENT;
}

export function requestKey(route: number, method: number, status: number): number {
  // 511 stands for "no status": 0 would make the first key 0, which means free.
  const code = status >= 100 && status <= 599 ? status - 99 : 511;
  return (route << 13) | ((method < 0 ? otherMethod : method) << 9) | code;
}

/** `refusal` is an index of the catalogue of refusals, -1 for a permit. */
export function decisionKey(route: number, refusal: number): number {
  return (route << 13) | (1 << 12) | (refusal + 1);
}

export type SeriesKey =
  | { readonly kind: 'request'; readonly route: number; readonly method: number; readonly status: number }
  | { readonly kind: 'decision'; readonly route: number; readonly refusal: number };

export function routeOf(key: number): number {
  return key >>> 13;
}

export function isDecision(key: number): boolean {
  return (key & (1 << 12)) !== 0;
}

export function decodeKey(key: number): SeriesKey {
  const route = routeOf(key);
  if (isDecision(key)) return { kind: 'decision', route, refusal: (key & 0xfff) - 1 };
  const code = key & 0x1ff;
  return { kind: 'request', route, method: (key >>> 9) & 7, status: code === 511 ? otherStatus : code + 99 };
}

export class SeriesTable {
  readonly #header: Int32Array;
  readonly #keys: Int32Array;
  readonly #mask: number;
  readonly #shift: number;
  readonly #budget: number;

  constructor(directory: SharedArrayBuffer, slots: number, budget: number) {
    this.#header = new Int32Array(directory, 0, headerWords);
    this.#keys = new Int32Array(directory, headerWords * Int32Array.BYTES_PER_ELEMENT, slots);
    this.#mask = slots - 1;
    this.#shift = 32 - Math.log2(slots);
    this.#budget = budget;
  }

  /** Keys in the table. */
  get size(): number {
    return Atomics.load(this.#header, CLAIMED);
  }

  /**
   * The slot of a key that is there, else -1.
   * Threads: a plain read may miss a key that another thread claims now; `claim` then finds it.
   */
  find(key: number): number {
    const keys = this.#keys;
    let slot = Math.imul(key, 0x9e3779b1) >>> this.#shift;
    // Bounded: the table is never more than half full.
    for (;;) {
      const found = keys[slot]!;
      if (found === key) return slot;
      if (found === 0) return -1;
      slot = (slot + 1) & this.#mask;
    }
  }

  /** The slot of a key, claimed if need be; -1 when the budget is spent. `exempt` keys are bounded by `exemptKeys` instead. */
  claim(key: number, exempt: boolean): number {
    const present = this.find(key);
    if (present >= 0) return present;
    if (!exempt && !this.#reserve()) return -1;
    let slot = Math.imul(key, 0x9e3779b1) >>> this.#shift;
    for (let probe = 0; probe <= this.#mask; probe++) {
      const found = Atomics.compareExchange(this.#keys, slot, 0, key);
      if (found === 0) {
        Atomics.add(this.#header, CLAIMED, 1);
        return slot;
      }
      if (found === key) {
        if (!exempt) Atomics.sub(this.#header, RESERVED, 1);
        return slot;
      }
      slot = (slot + 1) & this.#mask;
    }
    throw new Defect('the series table is full');
  }

  /** Keys that are claimed, ascending: routes in order of declaration. */
  keys(): Int32Array {
    const keys = new Int32Array(this.#mask + 1);
    let count = 0;
    for (let slot = 0; slot <= this.#mask; slot++) {
      const key = Atomics.load(this.#keys, slot);
      if (key !== 0) keys[count++] = key;
    }
    return keys.slice(0, count).sort();
  }

  /** Free series of the budget, for the zeros that main writes at start. */
  get free(): number {
    return Math.max(0, this.#budget - Atomics.load(this.#header, RESERVED));
  }

  #reserve(): boolean {
    // The load keeps a spent budget from becoming a contended cell of all threads.
    if (Atomics.load(this.#header, RESERVED) >= this.#budget) return false;
    if (Atomics.add(this.#header, RESERVED, 1) < this.#budget) return true;
    Atomics.sub(this.#header, RESERVED, 1);
    return false;
  }
}
