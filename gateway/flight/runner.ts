/** Runs a script of the driver in production: operations in one go, everything else awaited. */
import type { Cells } from './cells.ts';
import { counterAddress } from './counters.ts';
import type { Effect, Script } from './effects.ts';
import type { Waiters } from './waiters.ts';

/** The effects that are neither memory nor waiting: the provider, the store, the poller. */
export type StageEffect = Exclude<Effect, { type: 'operate' | 'count' | 'waitSlot' }>;

/** Performs them. Total: an effect that fails is an answer, never a rejection. */
export interface Stage {
  perform(effect: StageEffect): Promise<unknown>;
}

/**
 * Runs the script to its end. `ended` is called with the outcome before anything else can run on this thread: what it
 * says still holds for everyone who asked before.
 */
export async function run<T>(
  script: Script<T>,
  cells: Cells,
  waiters: Waiters,
  stage: Stage,
  ended: (outcome: T) => void = () => {},
): Promise<T> {
  let step = script.next();
  while (!step.done) {
    const effect = step.value;
    let answer: unknown;
    switch (effect.type) {
      case 'operate':
        answer = effect.run(cells);
        break;
      case 'count':
        cells.add(counterAddress(effect.counter), BigInt(effect.by));
        break;
      case 'waitSlot':
        answer = await waiters.wait(effect.address, effect.word, effect.timeoutMs);
        break;
      case 'create':
      case 'discard':
      case 'spawn':
      case 'poll':
      case 'persist':
        answer = await stage.perform(effect);
    }
    step = script.next(answer);
  }
  ended(step.value);
  return step.value;
}
