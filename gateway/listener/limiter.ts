/**
 * Counts requests against the rates of their routes, together with all other threads (`limits/rate-cells.ts`).
 *
 * What answers tell of it: `RateLimit-Policy` and `RateLimit` (draft-ietf-httpapi-ratelimit-headers-11), and `Retry-After`
 * (RFC 9110 section 10.2.3) with a refusal.
 */
import { assert } from '../core/assert.ts';
import type { Clock } from '../core/clock.ts';
import type { Facts } from '../core/facts.ts';
import { type Pace, paceOf } from '../limits/gcra.ts';
import { RateCells, type RateMemory } from '../limits/rate-cells.ts';
import type { Policy, RateLimit, Route } from '../route/policy.ts';
import { network } from './peers.ts';

/** What the answer to a counted request tells of its rate: name, value, name, value. */
export interface Counted {
  readonly conforms: boolean;
  readonly fields: readonly string[];
}

interface Compiled {
  readonly limit: RateLimit;
  readonly pace: Pace;
  /** Of every key: with another setting a rate begins anew. */
  readonly prefix: string;
  readonly policyField: string;
}

export class Limiter {
  /** By route index. */
  readonly #rates: readonly (Compiled | null)[];
  readonly #issuers: readonly string[];
  readonly #cells: RateCells | null;

  constructor({ routes, vocabulary }: Policy, memory: RateMemory | null, clock: Clock) {
    this.#rates = routes.map(({ rate }) => (rate === null ? null : compile(rate)));
    this.#issuers = vocabulary.issuers;
    this.#cells = memory === null ? null : new RateCells(memory, clock.monotonicMs);
  }

  /** Takes one request of a route that has a rate. `address` is looked at only where addresses are counted. */
  take(route: Route, facts: Facts | null, address: string): Counted {
    const rate = this.#rates[route.index];
    assert(rate !== null && rate !== undefined && this.#cells !== null, 'a route with a rate is counted');
    const standing = this.#cells.take(rate.prefix + this.#whoOf(rate.limit, facts, address), rate.pace);
    const remaining = `"default";r=${standing.remaining};t=${secondsUp(standing.resetUs)}`;
    const fields = ['RateLimit-Policy', rate.policyField, 'RateLimit', remaining];
    if (!standing.conforms) fields.push('Retry-After', secondsUp(standing.waitUs));
    return { conforms: standing.conforms, fields };
  }

  /** Subjects are an issuer's own. Tokens that do not say who they are for are counted together. */
  #whoOf({ by }: RateLimit, facts: Facts | null, address: string): string {
    const issuer = facts === null ? '' : this.#issuers[facts.issuer];
    switch (by.kind) {
      case 'route':
        return '';
      case 'address':
        return network(address);
      case 'subject':
        return JSON.stringify([issuer, facts?.subject ?? null]);
      case 'claim':
        return JSON.stringify([issuer, facts?.claims[by.projection] ?? null]);
    }
  }
}

function compile(limit: RateLimit): Compiled {
  const { name, requests, perSeconds, burst, by } = limit;
  return {
    limit,
    pace: paceOf(requests, perSeconds, burst),
    prefix: `${JSON.stringify([name, requests, perSeconds, burst, by.kind])} `,
    policyField: `"default";q=${requests};w=${perSeconds}`,
  };
}

const secondsUp = (us: number): string => String(Math.ceil(us / 1_000_000));
