// Counters that real threads share, and a barrier that lets them go at the same moment. Separate memory from the table
// under test, so that observing it changes nothing in it.

/** Words of a tally, by name. */
export const TALLY = [
  'arrived',
  'round',
  'claims',
  'creations',
  'answers',
  'led',
  'joined',
  'failed',
  'refused',
  'mismatches',
  'secondLive',
  'waiting',
  'latencyMaxMs',
  'stop',
] as const;
export type TallyName = (typeof TALLY)[number];

const INDEX = Object.fromEntries(TALLY.map((name, index) => [name, index])) as Record<TallyName, number>;
/** A barrier that nobody reaches in this time is a failure of the test, not a reason to hang. */
const BARRIER_MS = 20_000;
const SPINS = 200;

export class Tally {
  readonly buffer: SharedArrayBuffer;
  readonly #words: Int32Array<SharedArrayBuffer>;

  constructor(buffer = new SharedArrayBuffer(TALLY.length * 4)) {
    this.buffer = buffer;
    this.#words = new Int32Array(buffer);
  }

  add(name: TallyName, by = 1): number {
    return Atomics.add(this.#words, INDEX[name], by) + by;
  }

  get(name: TallyName): number {
    return Atomics.load(this.#words, INDEX[name]);
  }

  set(name: TallyName, value: number): void {
    Atomics.store(this.#words, INDEX[name], value);
  }

  max(name: TallyName, value: number): void {
    for (let seen = this.get(name); value > seen;) {
      const found = Atomics.compareExchange(this.#words, INDEX[name], seen, value);
      if (found === seen) return;
      seen = found;
    }
  }

  /** Blocks until all `threads` threads have come here as often as this one. Not for the main thread. */
  meet(threads: number, round: number): void {
    if (this.add('arrived') === threads * (round + 1)) {
      this.set('round', round + 1);
      Atomics.notify(this.#words, INDEX.round);
      return;
    }
    for (let spin = 0; spin < SPINS; spin++) if (this.get('round') > round) return;
    while (this.get('round') <= round) {
      if (Atomics.wait(this.#words, INDEX.round, round, BARRIER_MS) === 'timed-out') {
        throw new Error(`barrier ${round}: only ${this.get('arrived') - threads * round} of ${threads} came`);
      }
    }
  }

  all(): Record<TallyName, number> {
    return Object.fromEntries(TALLY.map((name) => [name, this.get(name)])) as Record<TallyName, number>;
  }
}
