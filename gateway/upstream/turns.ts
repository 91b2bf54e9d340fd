/**
 * Puts off what is to be written to kept sockets until they were looked at: at least once between the end of an answer and the
 * next request, the event loop must have polled. Bytes that nobody asked for, and the end of the connection, are seen then;
 * else they would be the answer to that request (undici had to learn that: GHSA-35p6-xmwp-9g52).
 *
 * Costs one immediate for each turn of the event loop, not one for each request.
 */

/** Something that waits for its turn to write. */
export interface Turned {
  /** `Turns.now` at the end of its last answer. */
  readonly restedTurn: number;
  takeTurn(): void;
}

export class Turns {
  /** Counts turns in which something waited or came to rest. */
  now = 0;

  readonly #onTurn = (): void => this.#turn();
  #waiting: Turned[] = [];
  #scheduled = false;

  /** Calls `takeTurn` when this turn has read what there is to read; a turn later for who came to rest in this one. */
  await(each: Turned): void {
    this.#waiting.push(each);
    this.mark();
  }

  /** Somebody came to rest: the count must go on. */
  mark(): void {
    if (this.#scheduled) return;
    this.#scheduled = true;
    setImmediate(this.#onTurn);
  }

  #turn(): void {
    const ended = this.now;
    const waiting = this.#waiting;
    this.now += 1;
    this.#scheduled = false;
    this.#waiting = [];
    for (const each of waiting) {
      if (each.restedTurn === ended) this.await(each);
      else each.takeTurn();
    }
  }
}
