/**
 * The outcome of authorization. Forwarding asks for a `Permit` as an argument, and only `route/decide.ts` makes one:
 * to forget the check does not compile.
 */
import type { Refusal } from './errors.ts';
import type { Facts } from './facts.ts';

declare const brand: unique symbol;

/** Leave to serve one request on one route. `facts` is null on a public route. */
export interface Permit {
  readonly [brand]: 'Permit';
  readonly facts: Facts | null;
}

/** A refusal from the catalogue; frozen and shared, so that denying allocates nothing. */
export type Denial = Refusal;

export type Verdict = Permit | Denial;

/** Called by `route/decide.ts` alone (a house test holds this). */
export function grant(facts: Facts | null): Permit {
  return { facts } as Permit;
}

/** Tells a denial from what would have come in its place. */
export function isDenial<T extends object>(outcome: T | Denial): outcome is Denial {
  return 'code' in outcome;
}
