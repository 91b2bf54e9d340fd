/**
 * Ends what outlives its token: WebSockets, event streams and other long answers. Each of them is decided anew, several times
 * a second, by the very checks that let it in; one timer serves all of a thread (20,000 decisions cost it some 2 ms).
 */
import type { Clock } from '../core/clock.ts';
import { type Refusal, refusals } from '../core/errors.ts';
import type { Facts } from '../core/facts.ts';
import { isDenial } from '../core/verdict.ts';
import { decide, type LiveKeys } from '../route/decide.ts';
import type { Route } from '../route/policy.ts';

/** Something that may go on as long as its token is good. */
export interface Lease {
  readonly route: Route;
  readonly path: string;
  /** Null on a public route, where nothing ends. */
  readonly facts: Facts | null;
  /** As in `Arrival`. */
  readonly certificate: string | null;
  /** From `leaseEnd`. Units: seconds since the epoch. */
  readonly endSeconds: number;
  /** Called once at most, and then no more. */
  expire(refusal: Refusal): void;
}

const lookMs = 250;

/**
 * When a token's leave ends by itself: at `exp`, by our clock. The leeway forgives a caller whose clock is late when it comes;
 * it adds nothing to the life of what is open already, unless the token came within it.
 */
export function leaseEnd(facts: Facts, route: Route, nowSeconds: number): number {
  if (facts.expSeconds > nowSeconds) return facts.expSeconds;
  return facts.expSeconds + (route.access?.leewaySeconds[facts.issuer] ?? 0);
}

export class ExpiryWatch {
  readonly clock: Clock;
  readonly #liveKeys: () => LiveKeys;
  readonly #leases = new Set<Lease>();
  #timer: NodeJS.Timeout | null = null;

  constructor(clock: Clock, liveKeys: () => LiveKeys) {
    this.clock = clock;
    this.#liveKeys = liveKeys;
  }

  add(lease: Lease): void {
    this.#leases.add(lease);
    this.#timer ??= setInterval(() => this.look(), lookMs).unref();
  }

  delete(lease: Lease): void {
    this.#leases.delete(lease);
  }

  /** Runs by itself; public so that a test can run it at a time of its own. */
  look(): void {
    const nowSeconds = this.clock.nowMs() / 1000;
    const live = this.#liveKeys();
    for (const lease of this.#leases) {
      const { route, path, facts, certificate, endSeconds } = lease;
      const verdict = decide(route, path, facts, live, nowSeconds, certificate);
      const refusal = isDenial(verdict) ? verdict : nowSeconds >= endSeconds ? refusals.token_expired : null;
      if (refusal === null) continue;
      this.#leases.delete(lease);
      lease.expire(refusal);
    }
    if (this.#leases.size > 0 || this.#timer === null) return;
    clearInterval(this.#timer);
    this.#timer = null;
  }
}
