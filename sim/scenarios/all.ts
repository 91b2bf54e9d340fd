// Every scenario, in the order of the summary.

import { bursts } from './bursts.ts';
import { credentials } from './credentials.ts';
import { death } from './death.ts';
import { driver } from './driver.ts';
import type { Scenario } from './scenario.ts';
import { swarm } from './swarm.ts';
import { time } from './time.ts';

export const scenarios: readonly Scenario[] = [
  ...bursts,
  ...time,
  ...death,
  ...driver,
  ...credentials,
  ...swarm,
];

/** Errors: an unknown name is a RangeError. */
export function scenarioNamed(name: string): Scenario {
  const found = scenarios.find((scenario) => scenario.name === name);
  if (found === undefined) throw new RangeError(`there is no scenario "${name}"`);
  return found;
}
