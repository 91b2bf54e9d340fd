/**
 * What a script of the driver asks of the world. A script is a generator that yields effects and is resumed with their
 * answers; in production a runner performs them (runner.ts), in the simulator the scheduler does.
 *
 * `operate` runs a synchronous operation against the shared memory: in production in one go, in the simulator one
 * access at a time. `count` is bookkeeping without an answer. All others are asynchronous.
 */
import type { Cells } from './cells.ts';
import type { Counter } from './counters.ts';
import type { Operations } from './operations.ts';
import type { Payload } from './payload.ts';

export type OperationName = keyof Operations;

/** A generation of a slot, as its leader holds it: the exact control word is the licence to change it. */
export interface Hold {
  readonly slot: number;
  readonly word: bigint;
}

export type Effect =
  | { readonly type: 'operate'; readonly name: OperationName; readonly run: (cells: Cells) => unknown }
  | { readonly type: 'count'; readonly counter: Counter; readonly by: number }
  /** Sleep until the word at the address differs from `word` and its notify arrives, or the time is over. */
  | { readonly type: 'waitSlot'; readonly address: number; readonly word: bigint; readonly timeoutMs: number }
  /**
   * Call the provider (slice 0), or go on waiting for the call (later slices), for `timeoutMs`. At the end of the last
   * slice the call is aborted and answered as failed; at the end of an earlier one the answer is `running`.
   */
  | {
      readonly type: 'create';
      readonly hold: Hold;
      readonly slice: number;
      readonly last: boolean;
      readonly timeoutMs: number;
    }
  /** The lease was lost, or the flow cannot be told of: abort the call, and drop what it returned or will return. */
  | { readonly type: 'discard'; readonly hold: Hold }
  /** Begin to run `complete` for this published flow, on the thread that leads it. Answers whether it began. */
  | { readonly type: 'spawn'; readonly hold: Hold }
  /** Ask the provider once how the flow stands; no answer within `timeoutMs` is "still pending". */
  | { readonly type: 'poll'; readonly hold: Hold; readonly timeoutMs: number }
  /** Store the credentials, with the generation as the fence, within `timeoutMs`. */
  | { readonly type: 'persist'; readonly hold: Hold; readonly timeoutMs: number };

/** Answer to `create`. A payload of null is a flow whose joiners need no more than its end. */
export type Created =
  | { readonly kind: 'created'; readonly payload: Payload | null; readonly flowTicks: number }
  | { readonly kind: 'failed'; readonly code: number; readonly coolDownTicks: number }
  | { readonly kind: 'running' };

/** Answer to `waitSlot`. Either way the caller looks again: a wake is a hint. */
export type Woken = 'woken' | 'timed-out';

/** Answer to `poll`. */
export type Polled =
  | { readonly kind: 'pending'; readonly waitMs: number }
  | { readonly kind: 'approved' }
  | { readonly kind: 'failed'; readonly code: number; readonly coolDownTicks: number };

/** Answer to `persist`. */
export type Persisted =
  | { readonly kind: 'persisted' }
  | { readonly kind: 'failed'; readonly code: number; readonly coolDownTicks: number };

/** A script: it yields effects, is resumed with their answers, and returns its outcome. */
export type Script<T> = Generator<Effect, T, unknown>;

/** Runs an operation and gives its result its type back. */
export function* operate<T>(name: OperationName, run: (cells: Cells) => T): Script<T> {
  return (yield { type: 'operate', name, run }) as T;
}

/** Performs an asynchronous effect and gives its answer its type back. */
export function* perform<T>(effect: Effect): Script<T> {
  return (yield effect) as T;
}

export function count(counter: Counter, by = 1): Effect {
  return { type: 'count', counter, by };
}
