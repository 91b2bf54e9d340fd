// A deliberate bug: one operation replaced. Each names the scenario and the invariant that must kill it, because a
// mutant that dies of something else shows a hole in the checks just as one that survives.

import type { Layout } from '../../gateway/flight/layout.ts';
import type { Effect } from '../../gateway/flight/effects.ts';
import { operations, type Operations } from '../../gateway/flight/operations.ts';
import type { InvariantId } from '../invariants/ids.ts';
import type { Protocols } from '../world/vault.ts';
import type { Variant } from '../world/world.ts';

export interface Mutant {
  readonly name: string;
  /** The mistake, as its author would have justified it. */
  readonly title: string;
  readonly scenario: string;
  readonly kills: InvariantId;
  readonly operations?: Partial<Operations>;
  readonly tamper?: (effect: Effect, layout: Layout) => Effect;
  readonly without?: readonly InvariantId[];
  readonly protocols?: Protocols;
}

export function variantOf(mutant: Mutant): Variant {
  const { name, tamper, without, protocols } = mutant;
  return {
    name,
    operations: { ...operations, ...mutant.operations },
    ...(tamper === undefined ? {} : { tamper }),
    ...(without === undefined ? {} : { without }),
    ...(protocols === undefined ? {} : { protocols }),
  };
}
