// Every mutant.

import { claims } from './claims.ts';
import { credentials } from './credentials.ts';
import { deaths } from './deaths.ts';
import { endings } from './endings.ts';
import type { Mutant } from './mutant.ts';
import { payloads } from './payloads.ts';

export const mutants: readonly Mutant[] = [...claims, ...endings, ...payloads, ...deaths, ...credentials];

/** Errors: an unknown name is a RangeError. */
export function mutantNamed(name: string): Mutant {
  const found = mutants.find((mutant) => mutant.name === name);
  if (found === undefined) throw new RangeError(`there is no mutant "${name}"`);
  return found;
}
