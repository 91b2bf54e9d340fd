// Schedulers by the names that the command line knows.

import { bounded } from './bounded.ts';
import { exhaustive } from './exhaustive.ts';
import { naive } from './naive.ts';
import { pct } from './pct.ts';
import { random } from './random.ts';
import type { Scheduler } from './scheduler.ts';

export const schedulerNames = ['exhaustive', 'naive', 'bounded:N', 'pct', 'pct:D', 'random'] as const;

/** Errors: an unknown name is a RangeError. */
export function schedulerNamed(name: string, seed: number): Scheduler {
  const [kind, parameter] = name.split(':');
  const number = parameter === undefined ? undefined : Number(parameter);
  if (number !== undefined && !Number.isInteger(number)) throw unknownScheduler(name);
  if (name === 'exhaustive') return exhaustive;
  if (name === 'naive') return naive;
  if (name === 'random') return random(seed);
  if (kind === 'bounded') return bounded(number ?? 2);
  if (kind === 'pct') return pct(seed, number);
  throw unknownScheduler(name);
}

/** Whether a scheduler ends by itself. */
export function isSampling(name: string): boolean {
  return name.startsWith('pct') || name === 'random';
}

function unknownScheduler(name: string): RangeError {
  return new RangeError(`there is no scheduler "${name}"; there are ${schedulerNames.join(', ')}`);
}
