/**
 * Performs a leader's effects with the caller's work: one object for each start. Every answer is a value: what the work
 * throws becomes a failure code, and what takes too long is aborted before the lease ends.
 */
import { TICK_MS } from './cells.ts';
import type { Completion } from './completion.ts';
import type { Terms } from './context.ts';
import type { Created, Hold, Persisted, Polled } from './effects.ts';
import { FAILURES } from './failure.ts';
import { encodePayload } from './payload.ts';
import type { Stage, StageEffect } from './runner.ts';
import type { Timers } from './timers.ts';
import { FlightFailure } from './work.ts';
import type { Call, Work } from './work.ts';

/** What a stage needs of its table. */
export interface StageTable {
  readonly terms: Terms;
  readonly timers: Timers;
  flowId(hold: Hold): string;
  fence(hold: Hold): bigint;
  /** Runs the script that follows the flow, in the background. False when this thread is closing. */
  follow(stage: WorkStage, hold: Hold, firstWaitMs: number): boolean;
}

/** Half of what a deadline can express, less a day. */
const FLOW_TICKS_MAX = 0x700000;

export class WorkStage implements Stage {
  readonly #table: StageTable;
  readonly #work: Work;
  #creating: Promise<Created> | null = null;
  #created = false;
  #unwanted = false;
  #pollMs = 0;
  #abort = new AbortController();

  constructor(table: StageTable, work: Work) {
    this.#table = table;
    this.#work = work;
  }

  perform(effect: StageEffect): Promise<unknown> {
    switch (effect.type) {
      case 'create':
        return this.#create(effect.hold, effect.slice === 0, effect.last, effect.timeoutMs);
      case 'discard':
        return Promise.resolve(this.#discard(effect.hold));
      case 'spawn':
        return Promise.resolve(this.#table.follow(this, effect.hold, this.#pollMs));
      case 'poll':
        return this.#poll(effect.hold, effect.timeoutMs);
      case 'persist':
        return this.#persist(effect.hold, effect.timeoutMs);
    }
  }

  /** Tells the work how its flow ended. */
  ended(completion: Completion): void {
    this.#abort.abort();
    this.#work.ended?.(completion);
  }

  async #create(hold: Hold, first: boolean, last: boolean, timeoutMs: number): Promise<Created> {
    if (first || this.#creating === null) this.#creating = this.#call(hold);
    const created = await this.#within(timeoutMs, this.#creating);
    if (created !== null) return created;
    if (!last) return { kind: 'running' };
    this.#discard(hold);
    return this.#failed(FAILURES['provider-timeout']);
  }

  async #call(hold: Hold): Promise<Created> {
    // A lease taken over and won again is a new call: nothing of the former one may leak into it.
    this.#abort = new AbortController();
    this.#created = this.#unwanted = false;
    const call = this.#callOf(hold, this.#abort.signal);
    try {
      const creation = await this.#work.create(call);
      if (call.signal.aborted) this.#work.discard?.(call);
      else {
        this.#created = true;
        this.#pollMs = creation.pollMs;
      }
      return {
        kind: 'created',
        payload: creation.payload === null ? null : encodePayload(creation.payload),
        flowTicks: Math.min(FLOW_TICKS_MAX, Math.max(1, Math.ceil(creation.flowMs / TICK_MS))),
      };
    } catch (error) {
      return this.#failed(FAILURES['provider-failed'], error);
    }
  }

  #discard(hold: Hold): void {
    if (this.#unwanted) return;
    this.#unwanted = true;
    this.#abort.abort();
    this.#creating = null;
    if (this.#created) this.#work.discard?.(this.#callOf(hold, this.#abort.signal));
  }

  async #poll(hold: Hold, timeoutMs: number): Promise<Polled> {
    if (this.#work.poll === undefined) return { kind: 'approved' };
    const abort = new AbortController();
    try {
      const polled = await this.#within(timeoutMs, this.#work.poll(this.#callOf(hold, abort.signal)));
      return polled ?? { kind: 'pending', waitMs: this.#pollMs };
    } catch (error) {
      return this.#failed(FAILURES['provider-failed'], error);
    } finally {
      abort.abort();
    }
  }

  async #persist(hold: Hold, timeoutMs: number): Promise<Persisted> {
    if (this.#work.persist === undefined) return { kind: 'persisted' };
    const abort = new AbortController();
    const done: Persisted = { kind: 'persisted' };
    try {
      const stored = this.#work.persist(this.#callOf(hold, abort.signal)).then(() => done);
      // Nobody can say whether an aborted write took place.
      return (await this.#within(timeoutMs, stored)) ?? this.#failed(FAILURES['commit-unknown']);
    } catch (error) {
      return this.#failed(FAILURES['persist-failed'], error);
    } finally {
      abort.abort();
    }
  }

  #callOf(hold: Hold, signal: AbortSignal): Call {
    return { flowId: this.#table.flowId(hold), fence: this.#table.fence(hold), signal };
  }

  #failed(code: number, error?: unknown): { kind: 'failed'; code: number; coolDownTicks: number } {
    if (error instanceof FlightFailure) {
      const coolDownTicks = Math.min(FLOW_TICKS_MAX, Math.ceil(error.coolDownMs / TICK_MS));
      return { kind: 'failed', code: error.flightCode, coolDownTicks };
    }
    return { kind: 'failed', code, coolDownTicks: this.#table.terms.coolDownTicks };
  }

  /** The promise's value, or null when it takes longer. */
  #within<T>(timeoutMs: number, promise: Promise<T>): Promise<T | null> {
    return new Promise((resolve, reject) => {
      const callOff = this.#table.timers.once(timeoutMs, () => resolve(null));
      promise.then(resolve, reject).finally(callOff);
    });
  }
}
