// The gate between a controller and the real threads that it drives: for each thread eight words, in which the thread
// asks to do one operation, is let through, and says what came of it.
//
//   0 STATE   1 KIND   2 ADDRESS   3 X   4 Y   5 RESULT
//
//   thread:      running ─► asking ────────────► (does it) ─► done ───────────► running ...
//   controller:              └ compares ─► granted             └ compares ─► running

const STATE = 0;
const KIND = 1;
const ADDRESS = 2;
const X = 3;
const Y = 4;
const RESULT = 5;
const WORDS = 8;

export const GateState = { running: 0n, asking: 1n, granted: 2n, done: 3n, ended: 4n } as const;
export type GateState = (typeof GateState)[keyof typeof GateState];

/** After a wait or a sleep began, the thread asks for its end under this kind. */
export const RESUME = 100;
/** The result of a wait that began: nothing yet. */
export const ENQUEUED = -1n;

export interface Request {
  readonly kind: number;
  readonly address: number;
  readonly x: bigint;
  readonly y: bigint;
}

/** A thread that does not move for so long has gone astray. */
const MOVE_MS = 10_000;

export function createGates(threads: number): SharedArrayBuffer {
  return new SharedArrayBuffer(threads * WORDS * 8);
}

/** One thread's gate; both sides hold one over the same memory. */
export class Gate {
  readonly #words: BigInt64Array<SharedArrayBuffer>;

  constructor(gates: SharedArrayBuffer, thread: number) {
    this.#words = new BigInt64Array(gates, thread * WORDS * 8, WORDS);
  }

  // The thread's side.

  /** Asks for one operation and blocks until it is granted. Returns what the controller has given. */
  ask(request: Request): bigint {
    Atomics.store(this.#words, KIND, BigInt(request.kind));
    Atomics.store(this.#words, ADDRESS, BigInt(request.address));
    Atomics.store(this.#words, X, request.x);
    Atomics.store(this.#words, Y, request.y);
    this.#move(GateState.asking);
    this.#await(GateState.granted);
    return Atomics.load(this.#words, RESULT);
  }

  /** Says what came of it and blocks until the controller has taken note. */
  tell(result: bigint): void {
    Atomics.store(this.#words, RESULT, result);
    this.#move(GateState.done);
    this.#await(GateState.running);
  }

  end(): void {
    this.#move(GateState.ended);
  }

  // The controller's side.

  /** Blocks until the thread asks, or has ended: then null. */
  asked(): Request | null {
    if (this.#leave(GateState.running) === GateState.ended) return null;
    return {
      kind: Number(Atomics.load(this.#words, KIND)),
      address: Number(Atomics.load(this.#words, ADDRESS)),
      x: Atomics.load(this.#words, X),
      y: Atomics.load(this.#words, Y),
    };
  }

  /** Lets the thread through, with a result to take where the memory decides nothing. Returns the thread's result. */
  grant(given: bigint): bigint {
    Atomics.store(this.#words, RESULT, given);
    this.#move(GateState.granted);
    this.#leave(GateState.granted);
    const result = Atomics.load(this.#words, RESULT);
    this.#move(GateState.running);
    return result;
  }

  reset(): void {
    Atomics.store(this.#words, STATE, GateState.running);
  }

  #move(state: GateState): void {
    Atomics.store(this.#words, STATE, state);
    Atomics.notify(this.#words, STATE);
  }

  #await(state: GateState): void {
    for (let now = Atomics.load(this.#words, STATE); now !== state; now = Atomics.load(this.#words, STATE)) {
      this.#sleep(now);
    }
  }

  #leave(state: GateState): bigint {
    let now = Atomics.load(this.#words, STATE);
    for (; now === state; now = Atomics.load(this.#words, STATE)) this.#sleep(now);
    return now;
  }

  #sleep(now: bigint): void {
    if (Atomics.wait(this.#words, STATE, now, MOVE_MS) === 'timed-out') {
      throw new Error(`gate: nothing moved for ${MOVE_MS} ms in state ${now}`);
    }
  }
}
