/**
 * The flight table as one thread sees it: exactly one flow for a key, however many callers on however many threads.
 *
 * The main thread creates it; each other thread gets a seat from its spawner, is handed the seat's handle, and opens
 * the table with it. The spawner watches the thread: when it ends, so do its flights.
 */
import { assert, Defect } from '../core/assert.ts';
import { answersOf, standing } from './answer.ts';
import type { Answer, Answers, Standing, StartOptions } from './answer.ts';
import { find, FULL } from './binding.ts';
import type { Cells } from './cells.ts';
import { count } from './census.ts';
import type { Census } from './census.ts';
import { complete } from './completion.ts';
import { checkTerms, TERM_TICKS_MAX } from './context.ts';
import type { Context, Terms } from './context.ts';
import { generationOf, IDLE, isLive, RESERVED, stateOf } from './control-word.ts';
import { counterAddress, readCounters } from './counters.ts';
import type { Counter } from './counters.ts';
import { createSecret, Digester } from './digest.ts';
import type { FlightKey } from './digest.ts';
import type { Hold, Script } from './effects.ts';
import { abort, sweep, view } from './expiry.ts';
import { controlAddress, EPOCH } from './layout.ts';
import type { Layout, Shape } from './layout.ts';
import { list } from './listing.ts';
import type { FlightListing } from './listing.ts';
import { operations } from './operations.ts';
import type { Outcome } from './outcome.ts';
import { decodePayload } from './payload.ts';
import { NO_PARENT } from './reaper.ts';
import type { Enrolment } from './reaper.ts';
import { createBuffer, layoutOfBuffer, RealCells } from './real-cells.ts';
import { run } from './runner.ts';
import type { Stage } from './runner.ts';
import { WorkStage } from './stage.ts';
import type { StageTable } from './stage.ts';
import { start } from './start.ts';
import { realTimers } from './timers.ts';
import type { Timers } from './timers.ts';
import { Waiters } from './waiters.ts';
import type { Work } from './work.ts';

/** Everything that a thread needs to open the table: structured-cloneable, handed over as `workerData`. */
export interface Handle {
  readonly buffer: SharedArrayBuffer;
  /** Never lies in the buffer. */
  readonly secret: Uint8Array;
  readonly terms: Terms;
  readonly seat: Enrolment;
}

/** A record taken for a thread that is about to be made. */
export interface Seat {
  readonly handle: Handle;
  /** Reaps the thread when it ends. Call it right after making the thread. */
  watch(thread: { once(event: 'exit', listener: () => void): unknown }): void;
  /** Gives the record back: the thread could not be made. */
  leave(): void;
}

/** A shared start waits for this many full-length calls: its own leader's, and those of leaders that were lost. */
const LEADERS_AWAITED = 4;

export class FlightTable implements StageTable {
  readonly terms: Terms;
  readonly timers: Timers;
  readonly layout: Layout;
  readonly waiters: Waiters;
  readonly #handle: Handle;
  readonly #cells: Cells;
  readonly #digester: Digester;
  readonly #context: Context;
  /** The starts under way on this thread, by key. */
  readonly #starting = new Map<string, Promise<Answers>>();
  /** The flows that this thread follows to their end. */
  readonly #following = new Set<Promise<void>>();
  #closed = false;

  constructor(handle: Handle, timers: Timers = realTimers, cells: Cells = new RealCells(handle.buffer)) {
    this.terms = checkTerms(handle.terms);
    this.timers = timers;
    this.layout = layoutOfBuffer(handle.buffer);
    this.waiters = new Waiters(cells, timers);
    this.#handle = handle;
    this.#cells = cells;
    this.#digester = new Digester(handle.secret);
    this.#context = { layout: this.layout, operations, me: handle.seat.thread, terms: this.terms };
  }

  /**
   * Starts the flow of a key with this work, or joins the one under way. What the work throws is an answer. Callers of
   * one thread share one start and one answer, the bytes of its payload included: read them only.
   */
  start(key: FlightKey, work: Work, options: StartOptions): Promise<Answer> {
    if (this.#closed) return Promise.resolve(CLOSED);
    const name = `${options.until} ${key.provider.length} ${key.provider}${key.account}`;
    const known = this.#starting.get(name);
    const shared = known ?? this.#start(name, key, work, options);
    return this.#within(shared, options.waitMs, known === undefined ? 'first' : 'others');
  }

  /** How a flow stands; null when the id is not ours or the flow was kept long enough. */
  async view(flowId: string): Promise<Standing | null> {
    const flow = this.#digester.parseFlowId(flowId, this.layout.slots);
    if (flow === null) return null;
    const seen = await this.#run(view(this.#context, flow.slot, flow.generation));
    return seen.kind === 'seen' ? standing(seen.word, seen.now) : null;
  }

  /** The same with the payload; null when that was given away, or the key was claimed again. */
  async read(flowId: string): Promise<(Standing & { readonly payload: Uint8Array | null }) | null> {
    const flow = this.#digester.parseFlowId(flowId, this.layout.slots);
    if (flow === null) return null;
    const { slot } = flow;
    const seen = await this.#run(view(this.#context, slot, flow.generation));
    if (seen.kind !== 'seen') return null;
    const read = operations.readPayload(this.#cells, this.layout, slot, seen.word);
    const payload = read.kind === 'read' ? decodePayload(read.payload) : null;
    return { ...standing(seen.word, seen.now), payload };
  }

  /** The id of the flow that a key has, live or kept; null when there is none. Binds nothing. */
  find(key: FlightKey): string | null {
    const slot = find(this.#cells, this.layout, this.#digester.digest(key));
    if (slot === FULL) return null;
    const word = this.#cells.load(controlAddress(this.layout, slot));
    const state = stateOf(word);
    return state === IDLE || state === RESERVED ? null : this.flowId({ slot, word });
  }

  /** Cancels a flow. Returns how it stands then: what it was, if it had ended or is being stored. */
  async cancel(flowId: string): Promise<Standing | null> {
    const flow = this.#digester.parseFlowId(flowId, this.layout.slots);
    if (flow === null) return null;
    const answer = await this.#run(abort(this.#context, flow.slot, flow.generation));
    return answer.kind === 'unknown' ? null : standing(answer.word, this.#cells.tick());
  }

  /** Sleeps until the flow may stand differently, at most `timeoutMs`. For long polls. */
  async changed(flowId: string, timeoutMs: number): Promise<void> {
    const flow = this.#digester.parseFlowId(flowId, this.layout.slots);
    if (flow === null) return;
    const { slot, generation } = flow;
    const seen = operations.look(this.#cells, this.layout, slot, generation, this.terms.retentionTicks);
    if (seen.kind === 'seen' && isLive(stateOf(seen.word))) {
      await this.waiters.wait(controlAddress(this.layout, slot), seen.word, timeoutMs);
    }
  }

  /** Expires and purges what is due. Returns how many slots are in use. */
  sweep(): Promise<number> {
    return this.#run(sweep(this.#context));
  }

  /** Sweeps regularly; for one thread of the table. Returns how to stop. */
  keepSwept(everyMs: number): () => void {
    return this.timers.every(everyMs, () => void this.sweep());
  }

  /** Takes a record for a thread about to be made; null when the table has no more. */
  seat(): Seat | null {
    const seat = operations.enrol(this.#cells, this.layout, this.#context.me);
    if (seat === null) return null;
    const leave = (): void => this.#reap(seat);
    return {
      handle: { ...this.#handle, seat },
      watch: (thread) => void thread.once('exit', leave),
      leave,
    };
  }

  /** What all threads together have counted. */
  counters(): Record<Counter, bigint> {
    return readCounters(this.#cells);
  }

  /** Counts keys and flights, a slice of the table at a time: run it to its end. */
  census(): Generator<void, Census> {
    return count(this.#cells, this.layout);
  }

  /** Lists flights, a slice of the table at a time: run it to its end. */
  list(rowsMax: number): Generator<void, FlightListing> {
    return list(this.#cells, this.layout, rowsMax);
  }

  /**
   * Ends this thread's flights, so that others need not wait for it to end. Its record stays taken until its spawner
   * sees the end. Resolves when the flows that it followed have let go of their work.
   */
  async close(): Promise<void> {
    if (this.#closed) return;
    this.#closed = true;
    const flights = operations.endFlights(this.#cells, this.layout, this.#context.me);
    this.#cells.add(counterAddress('orphans'), BigInt(flights));
    await Promise.all(this.#following);
  }

  /** The memory of the table, for those who look at it from outside. */
  get buffer(): SharedArrayBuffer {
    return this.#handle.buffer;
  }

  flowId(hold: Hold): string {
    return this.#digester.flowId({ slot: hold.slot, generation: generationOf(hold.word) });
  }

  /** The table's epoch, then the generation: a later process has larger ones. */
  fence(hold: Hold): bigint {
    return (this.#cells.load(EPOCH) << 25n) | BigInt(generationOf(hold.word));
  }

  follow(stage: WorkStage, hold: Hold, firstWaitMs: number): boolean {
    if (this.#closed) return false;
    const script = complete(this.#context, hold, firstWaitMs);
    const following = run(script, this.#cells, this.waiters, stage).then((completion) => {
      this.#following.delete(following);
      stage.ended(completion);
    });
    this.#following.add(following);
    return true;
  }

  #start(name: string, key: FlightKey, work: Work, options: StartOptions): Promise<Answers> {
    const { until, payload, leases } = options;
    // The shared start outlives a caller that gives up: others wait for it, here and on other threads.
    const waitTicks = Math.min(TERM_TICKS_MAX, this.terms.reserveTicks * leases * LEADERS_AWAITED);
    const digest = this.#digester.digest(key);
    const script = start(this.#context, { digest, payload, until, waitTicks, leases });
    let over = false;
    const starting = run(script, this.#cells, this.waiters, new WorkStage(this, work), () => {
      over = true;
      this.#starting.delete(name);
    }).then((outcome) => answersOf(this.#answer(outcome)));
    if (!over) this.#starting.set(name, starting);
    return starting;
  }

  #reap(seat: Enrolment): void {
    const { threads, flights } = operations.reap(this.#cells, this.layout, seat);
    this.#cells.add(counterAddress('reaps'), BigInt(threads));
    this.#cells.add(counterAddress('orphans'), BigInt(flights));
  }

  #run<T>(script: Script<T>): Promise<T> {
    return run(script, this.#cells, this.waiters, NO_STAGE);
  }

  #within(shared: Promise<Answers>, waitMs: number, caller: keyof Answers): Promise<Answer> {
    // One promise for each caller, because thousands may wait for the same start.
    return new Promise((resolve, reject) => {
      const callOff = this.timers.once(waitMs, () => resolve(TOO_LATE));
      shared.then(
        (answers) => {
          callOff();
          resolve(answers[caller]);
        },
        (defect: Error) => {
          callOff();
          reject(defect);
        },
      );
    });
  }

  #answer(outcome: Outcome): Answer {
    switch (outcome.kind) {
      case 'led':
      case 'joined': {
        const { state, expiresInMs } = standing(outcome.hold.word, this.#cells.tick());
        const payload = outcome.payload === null ? null : decodePayload(outcome.payload);
        const led = outcome.kind === 'led';
        return { kind: 'flow', led, flowId: this.flowId(outcome.hold), state, payload, expiresInMs };
      }
      case 'failed':
        return { kind: 'failed', code: outcome.code, shared: outcome.shared };
      case 'full':
      case 'waited-out':
      case 'contended':
        return outcome;
    }
  }
}

const TOO_LATE: Answer = { kind: 'waited-out' };
const CLOSED: Answer = { kind: 'closed' };

/** Views, cancels and sweeps have nothing to do but operations. */
const NO_STAGE: Stage = {
  perform: (effect) => Promise.reject(new Defect(`a script without work asked for ${effect.type}`)),
};

/** Makes a table, with the calling thread in its first seat. */
export function createTable(shape: Shape, terms: Terms): FlightTable {
  const buffer = createBuffer(shape);
  const seat = operations.enrol(new RealCells(buffer), layoutOfBuffer(buffer), NO_PARENT);
  assert(seat !== null, 'a fresh table has a free seat');
  return new FlightTable({ buffer, secret: createSecret(), terms, seat });
}
