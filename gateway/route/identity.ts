/** The fields that a route makes itself, for an upstream or for a proxy that asked for a decision. */
import { type Refusal, refusals } from '../core/errors.ts';
import type { Facts } from '../core/facts.ts';
import type { Forwarding } from './policy.ts';

/**
 * Adds constant fields and those made of claims to `out`: name, value, name, value.
 *
 * Errors: `claim_unforwardable`, when a claim cannot be a field or a required one is absent.
 */
export function addIdentity({ set, claims }: Forwarding, facts: Facts | null, out: string[]): Refusal | null {
  for (const text of set) out.push(text);
  if (facts === null) return null;
  for (const claim of claims) {
    const value = facts.claims[claim.projection] ?? null;
    if (value === false || (value === null && claim.required)) return refusals.claim_unforwardable;
    if (value !== null) out.push(claim.name, value);
  }
  return null;
}
