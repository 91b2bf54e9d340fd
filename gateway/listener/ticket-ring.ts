/**
 * What all threads of a process know of tickets: which of the ids given out last has not come back.
 *
 *   Int32: | last id | id | id | ...    an id lies at its remainder; 0 in its place: it came back
 *
 * Who gives out an id writes over the one a whole round before, which is then forgotten. Ids wrap around.
 */

/** Tickets that can be outstanding in the process. */
export const ticketsMax = 16_384;

const LAST_ID = 0;

export class TicketRing {
  readonly #ids: Int32Array;

  constructor(ring: SharedArrayBuffer) {
    this.#ids = new Int32Array(ring);
  }

  static create(): SharedArrayBuffer {
    return new SharedArrayBuffer((1 + ticketsMax) * Int32Array.BYTES_PER_ELEMENT);
  }

  next(): number {
    const id = (Atomics.add(this.#ids, LAST_ID, 1) + 1) | 0;
    if (id === 0) return this.next();
    Atomics.store(this.#ids, placeOf(id), id);
    return id;
  }

  /** True once for an id, on whichever thread asks first. */
  take(id: number): boolean {
    return Atomics.compareExchange(this.#ids, placeOf(id), id, 0) === id;
  }
}

const placeOf = (id: number): number => 1 + ((id >>> 0) % ticketsMax);
