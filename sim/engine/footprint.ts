// What each step read and wrote, as locations. With S words of memory and T threads:
//
//   0 .. S-1    the words                      S .. 2S-1   the queue of waiters of each word
//   2S + t      the wake of thread t           2S+T + t    the death of thread t
//   2S+2T + t   the calls of thread t          2S+3T + t   the replies of thread t
//
// A call writes its own thread's calls and reads all replies; a reply the other way round. So a call conflicts with
// every reply and with no other call, which keeps the real-time order of calls and no more.

const ENTRIES_MAX = 16_384;
const STEPS_MAX = 2_048;

export class Footprints {
  /** location * 2 + (1 for a write); those of step d are at start[d] .. start[d + 1]. */
  readonly items = new Int32Array(ENTRIES_MAX);
  readonly start = new Int32Array(STEPS_MAX + 1);
  readonly locations: number;
  readonly #words: number;
  readonly #threads: number;

  constructor(words: number, threads: number) {
    this.#words = words;
    this.#threads = threads;
    this.locations = 2 * words + 4 * threads;
  }

  begin(d: number): void {
    this.start[d + 1] = this.start[d] as number;
  }

  read(d: number, location: number): void {
    this.#add(d, location * 2);
  }

  write(d: number, location: number): void {
    this.#add(d, location * 2 + 1);
  }

  #add(d: number, item: number): void {
    const at = this.start[d + 1] as number;
    if (at >= ENTRIES_MAX)
      throw new RangeError(`the footprints of an execution have at most ${ENTRIES_MAX} entries`);
    this.items[at] = item;
    this.start[d + 1] = at + 1;
  }

  queueOf(address: number): number {
    return this.#words + address;
  }

  wakeOf(thread: number): number {
    return 2 * this.#words + thread;
  }

  deathOf(thread: number): number {
    return 2 * this.#words + this.#threads + thread;
  }

  callOf(thread: number): number {
    return 2 * this.#words + 2 * this.#threads + thread;
  }

  replyOf(thread: number): number {
    return 2 * this.#words + 3 * this.#threads + thread;
  }
}

/** Whether two sets of entries touch a location in common, and one of them writes it. */
export function conflict(one: readonly number[], items: Int32Array, from: number, to: number): boolean {
  for (let i = from; i < to; i++) {
    const mine = items[i] as number;
    for (let j = 0; j < one.length; j++) {
      const other = one[j] as number;
      if (mine >> 1 === other >> 1 && ((mine | other) & 1) === 1) return true;
    }
  }
  return false;
}
