/** An upstream, a plan and a caller put together as the listener does it; what happened is kept. */
import type { Facts } from '../../gateway/core/facts.ts';
import type { UpstreamConfig } from '../../gateway/config/schema.ts';
import type { Permit } from '../../gateway/core/verdict.ts';
import type { Clock } from '../../gateway/core/clock.ts';
import type { Forwarding } from '../../gateway/route/policy.ts';
import { forward } from '../../gateway/upstream/forward.ts';
import { HeaderPlan, type HeaderSettings } from '../../gateway/upstream/headers.ts';
import type { OpenConnection } from '../../gateway/upstream/connection.ts';
import type { UpstreamObserver } from '../../gateway/upstream/observer.ts';
import { openConnection } from '../../gateway/upstream/open-connection.ts';
import { Upstream, type Random } from '../../gateway/upstream/upstream.ts';
import { Backend, type Behaviour } from '../support/backend.ts';
import { FakeExchange, type FakeRequest } from '../support/fake-exchange.ts';

export const plainForwarding: Forwarding = {
  claims: [],
  set: [],
  remove: [],
  authorization: false,
  host: 'upstream',
};

export const plainSettings: HeaderSettings = {
  identityHeaders: new Set(),
  requestIdHeader: 'x-request-id',
  keepsTrace: true,
};

export function planOf(
  forwarding: Partial<Forwarding> = {},
  settings: Partial<HeaderSettings> = {},
): HeaderPlan {
  return new HeaderPlan({ ...plainForwarding, ...forwarding }, { ...plainSettings, ...settings });
}

export const permitFor = (facts: Facts | null): Permit => ({ facts }) as unknown as Permit;

export function configOf(urls: readonly string[], more: Partial<UpstreamConfig> = {}): UpstreamConfig {
  return {
    urls: [...urls],
    connections: 8,
    queueMax: 16,
    connectTimeoutMs: 2000,
    headTimeoutMs: 5000,
    idleTimeoutMs: 5000,
    keepAliveMs: 4000,
    retries: 1,
    maxResponseHeaderBytes: 16_384,
    health: { failures: 3, retryAfterMs: 2000 },
    ...more,
  };
}

/** Real time that a test can move forward. */
export class TestClock implements Clock {
  aheadMs = 0;
  readonly nowMs = (): number => Date.now() + this.aheadMs;
  readonly monotonicMs = (): number => performance.now() + this.aheadMs;
}

/** Writes down what it is told, as words. */
export class Notes implements UpstreamObserver {
  readonly all: string[] = [];
  answered(status: number): void {
    this.all.push(`answered ${status}`);
  }
  failed(failure: string): void {
    this.all.push(`failed ${failure}`);
  }
  retried(): void {
    this.all.push('retried');
  }
  abandoned(): void {
    this.all.push('abandoned');
  }
}

/** Which client the tests of this file are about. */
let open: OpenConnection = openConnection;

export function useClient(client: OpenConnection): void {
  open = client;
}

const backends: Backend[] = [];
const harnesses: Harness[] = [];

export class Harness {
  readonly clock = new TestClock();
  readonly notes = new Notes();
  readonly upstream: Upstream;
  plan = planOf();

  constructor(urls: readonly string[], more: Partial<UpstreamConfig> = {}, random: Random = Math.random) {
    harnesses.push(this);
    this.upstream = new Upstream('orders', configOf(urls, more), {
      clock: this.clock,
      random,
      observer: this.notes,
      open,
    });
  }

  /** Forwards without waiting for anything. */
  begin(request: FakeRequest = {}, facts: Facts | null = null): FakeExchange {
    const exchange = new FakeExchange(request);
    this.forward(exchange, facts);
    return exchange;
  }

  forward(exchange: FakeExchange, facts: Facts | null = null): void {
    forward(permitFor(facts), this.plan, exchange, this.upstream, (refused, refusal) => {
      (refused as FakeExchange).refuse(refusal);
    });
  }

  /** Forwards and waits for the end. */
  async run(request: FakeRequest = {}, facts: Facts | null = null): Promise<FakeExchange> {
    const exchange = this.begin(request, facts);
    await exchange.over;
    return exchange;
  }

  /** As if so much time had passed, for every deadline. */
  pass(ms: number): void {
    this.clock.aheadMs += ms;
    this.upstream.sweep();
  }
}

/** A backend and an upstream for it, until `clear`. */
export async function serve(
  behaviour: Behaviour = {},
  more: Partial<UpstreamConfig> = {},
): Promise<{ backend: Backend; harness: Harness }> {
  const backend = await startBackend(behaviour);
  return { backend, harness: new Harness([backend.url], more) };
}

export async function startBackend(behaviour: Behaviour = {}): Promise<Backend> {
  const backend = await Backend.start(behaviour);
  backends.push(backend);
  return backend;
}

/** Ends what a test began. Errors: when a backend was sent something ungrammatical. */
export async function clear(): Promise<void> {
  await Promise.all(harnesses.splice(0).map((harness) => harness.upstream.destroy()));
  const all = backends.splice(0);
  await Promise.all(all.map((backend) => backend.close()));
  const faults = all.flatMap((backend) => backend.faults);
  if (faults.length > 0) throw new Error(`sent upstream: ${faults.join('; ')}`);
}
