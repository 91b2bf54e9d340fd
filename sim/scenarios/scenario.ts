// A named situation, as data.

import type { Plan, StartPlan } from '../world/plan.ts';

export interface Scenario {
  readonly name: string;
  /** What is going on, in one sentence. */
  readonly title: string;
  readonly plan: Plan;
  /** Run the plan once for each step at which this thread can die. */
  readonly crashEverywhere?: number;
  /** Long ones are left out of the short suite, never out of `npm run sim`. */
  readonly long?: boolean;
  /** Too wide to enumerate: so many executions are sampled, by priorities. Never called complete. */
  readonly sampled?: number;
  /** So many plans are drawn from the seed instead of the one above. */
  readonly swarm?: number;
}

export const start: StartPlan = { does: 'start', key: 0 };
export const startPayload: StartPlan = { does: 'start', key: 0, payload: true };

export function starts(count: number, plan: StartPlan = start): StartPlan[] {
  return Array.from({ length: count }, () => plan);
}
