/**
 * The only door to shared memory.
 *
 * Everything the flight table decides goes through this interface, so the same source runs over a real
 * SharedArrayBuffer (`real-cells.ts`), over the simulator's model, and over a gated memory that drives real threads
 * step by step. An address is the index of a 64-bit word; a value is a signed 64-bit bigint. All accesses are
 * sequentially consistent and there is only one view of the memory, so no word can be seen with two widths.
 *
 * Operation sites need no argument here: the name of a site is `<operation>.<cell method>.<word>`, for example
 * `publish.compareExchange.CTL`, where the operation is the key in `operations` (operations.ts), and the word is
 * `nameOf(layout, address)` (layout.ts) without its index. If one operation touches the same word twice with the
 * same method, the occurrence is counted.
 *
 * Rules for the operations above this door, which let a scheduler suspend them by re-executing them: they are
 * deterministic between two calls of these methods, they hold no state of their own, and they never catch.
 */
export interface Cells {
  load(address: number): bigint;
  store(address: number, value: bigint): void;
  /** Returns the value found; equal to `expected` exactly when the exchange took place. */
  compareExchange(address: number, expected: bigint, next: bigint): bigint;
  /** Returns the value before the addition. */
  add(address: number, delta: bigint): bigint;
  /** Wakes everyone who waits on the word. Returns how many there were. */
  notify(address: number): number;
  /** Begins to wait for a notify of the word, provided that it still holds `expected`. Never blocks. */
  waitAsync(address: number, expected: bigint): WaitHandle;
  /** The present, in ticks since the table's epoch, modulo 2^24. Units: one tick is `TICK_MS` milliseconds. */
  tick(): number;
}

/**
 * How a wait began: already answered because the word differs (treat it as a wake), impossible because the platform
 * has no asynchronous wait (the caller's timer is then the only wake), or under way.
 */
export type WaitHandle =
  | { readonly async: false; readonly value: 'not-equal' | 'unsupported' }
  | { readonly async: true; readonly value: Promise<unknown> };

/** The length of one tick of `Cells.tick`, in milliseconds. */
export const TICK_MS = 250;
