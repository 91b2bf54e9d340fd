/**
 * Work that is done once for several processes. The flight table has made one caller of this process its leader; that one
 * asks Redis. Whoever wins there does the work, under the fence of Redis, and is heard of regularly; the leaders of other
 * processes follow its flight as if they had started it.
 */
import type { Completion } from '../../flight/completion.ts';
import type { FlightKey } from '../../flight/digest.ts';
import type { Polled } from '../../flight/effects.ts';
import type { Timers } from '../../flight/timers.ts';
import { type Call, type Creation, FlightFailure, type Work } from '../../flight/work.ts';
import { codeOf, type FlightReason, flightFailure } from '../failure.ts';
import type { Led } from '../login.ts';
import type { SharedFlights, SharedHold, SharedStanding } from './shared-flights.ts';

export interface SharedWorkParts {
  readonly flights: SharedFlights;
  readonly key: FlightKey;
  /** Of this thread, and of nobody else in the world. */
  readonly instance: string;
  readonly timers: Timers;
  readonly work: Work & Partial<Led>;
  /** The logins that can be spoken to on this thread, by the table's id. */
  readonly led: Map<string, Led>;
  /** A flight that another process led has stored something. */
  readonly changed: () => void;
  /** For operators. The error tells no secret. */
  readonly failed: (error: unknown) => void;
}

/** How often a start looks whether another process has begun the flow, and a follower whether it has ended. */
const waitMs = 100;
const followMs = 500;
/** Life of a followed flight of which no more than its end is awaited. */
const followedMs = 60_000;
/** How long a cancel may come after the end that it made on this thread. */
const lateMs = 5000;

type Role =
  | { readonly kind: 'none' | 'done' }
  | { readonly kind: 'leads'; readonly hold: SharedHold }
  | { readonly kind: 'follows'; readonly fence: string };

export class SharedWork implements Work, Led {
  readonly #parts: SharedWorkParts;
  #role: Role = { kind: 'none' };
  #flowId = '';
  #stopBeating = (): void => {};
  #standing: SharedStanding = 'held';

  constructor(parts: SharedWorkParts) {
    this.#parts = parts;
  }

  async create(call: Call): Promise<Creation> {
    const { flights, key, instance, timers, led } = this.#parts;
    const owner = `${instance}:${call.flowId}`;
    this.#role = { kind: 'none' };
    this.#flowId = call.flowId;
    let awaited: string | null = null;
    // Bounded by the leases of the flight table: then the call is aborted.
    while (!call.signal.aborted) {
      const claim = await this.#ask(() => flights.claim(key, owner, awaited));
      switch (claim.kind) {
        case 'won':
          return this.#lead({ key, owner, fence: claim.fence }, call);
        case 'joined':
          this.#role = { kind: 'follows', fence: claim.fence };
          led.set(call.flowId, this);
          return {
            payload: claim.payload,
            flowMs: Math.max(1, claim.payload === null ? followedMs : claim.leftMs),
            pollMs: followMs,
          };
        case 'ended':
          if (claim.state === 'success') {
            this.#role = { kind: 'done' };
            this.#parts.changed();
            return { payload: null, flowMs: followedMs, pollMs: 0 };
          }
          if (claim.state === 'failed') throw new FlightFailure(claim.code, claim.leftMs, 'shared');
          throw flightFailure(claim.state === 'cancelled' ? 'cancelled' : 'interrupted', 0);
        case 'wait':
          awaited = claim.fence;
          await new Promise<void>((resolve) => void timers.once(waitMs, resolve));
      }
    }
    throw flightFailure('provider_timeout');
  }

  async poll(call: Call): Promise<Polled> {
    const role = this.#role;
    switch (role.kind) {
      case 'leads':
        if (this.#standing !== 'held')
          return ended(this.#standing === 'cancelled' ? 'cancelled' : 'interrupted');
        return this.#parts.work.poll?.({ ...call, fence: fenceOf(role.hold) }) ?? { kind: 'approved' };
      case 'follows':
        return this.#follow(role.fence);
      case 'none':
      case 'done':
        return { kind: 'approved' };
    }
  }

  async persist(call: Call): Promise<void> {
    const role = this.#role;
    if (role.kind !== 'leads') return this.#parts.changed();
    const { flights, work } = this.#parts;
    const { hold } = role;
    const standing = await this.#ask(() => flights.commit(hold));
    if (standing !== 'held') throw flightFailure(standing === 'cancelled' ? 'cancelled' : 'interrupted', 0);
    await work.persist?.({ ...call, fence: fenceOf(hold) });
    // What Redis does not hear of now, others learn when the lease is over: that it is stored is what counts.
    await flights.finish(hold).catch(this.#parts.failed);
  }

  /** Whether a cancel came from another process while the credential was being stored. Ends the flight there. */
  async isCancelled(): Promise<boolean> {
    const role = this.#role;
    if (role.kind !== 'leads') return false;
    const standing = await this.#parts.flights.finish(role.hold).catch((error: unknown) => {
      this.#parts.failed(error);
      return 'held';
    });
    return standing === 'cancelled';
  }

  /** A flight that is shared has no browser that comes back. */
  answer(): void {}

  /** The user of this process has cancelled: so it is for all. */
  cancel(): void {
    const { work } = this.#parts;
    if (this.#role.kind === 'follows') this.#cancel(this.#role.fence);
    if (this.#role.kind === 'leads') this.#cancel(this.#role.hold.fence);
    work.cancel?.();
  }

  discard(call: Call): void {
    const role = this.#role;
    this.#role = { kind: 'none' };
    this.#stopBeating();
    if (role.kind !== 'leads') return;
    this.#parts.work.discard?.({ ...call, fence: fenceOf(role.hold) });
    this.#fail(role.hold, codeOf('interrupted'), 0);
  }

  ended(completion: Completion): void {
    const { work, led, timers } = this.#parts;
    const role = this.#role;
    const flowId = this.#flowId;
    if (role.kind !== 'leads') {
      timers.once(lateMs, () => led.delete(flowId));
      return;
    }
    led.delete(flowId);
    this.#role = { kind: 'none' };
    this.#stopBeating();
    work.ended?.(completion);
    if (completion.kind === 'failed') this.#fail(role.hold, completion.code, 0);
    if (completion.kind === 'stopped') this.#cancel(role.hold.fence);
  }

  async #lead(hold: SharedHold, call: Call): Promise<Creation> {
    const { flights, work, led } = this.#parts;
    this.#role = { kind: 'leads', hold };
    this.#standing = 'held';
    this.#beat(hold);
    try {
      const creation = await work.create({ ...call, fence: fenceOf(hold) });
      const standing = await this.#ask(() => flights.publish(hold, creation.payload, creation.flowMs));
      if (standing === 'held') {
        led.set(call.flowId, this);
        return creation;
      }
      work.discard?.({ ...call, fence: fenceOf(hold) });
      throw flightFailure('interrupted', 0);
    } catch (error) {
      this.#role = { kind: 'none' };
      this.#stopBeating();
      const isOurs = error instanceof FlightFailure;
      this.#fail(hold, isOurs ? error.flightCode : codeOf('internal'), isOurs ? error.coolDownMs : 0);
      throw error;
    }
  }

  async #follow(fence: string): Promise<Polled> {
    const { flights, key } = this.#parts;
    let seen: { readonly state: string; readonly code: number };
    try {
      seen = await flights.look(key, fence);
    } catch (error) {
      // It goes on without us.
      this.#parts.failed(error);
      return { kind: 'pending', waitMs: followMs };
    }
    switch (seen.state) {
      case 'pending':
      case 'committing':
        return { kind: 'pending', waitMs: followMs };
      case 'success':
        return { kind: 'approved' };
      case 'failed':
        return { kind: 'failed', code: seen.code, coolDownTicks: 1 };
      case 'cancelled':
      case 'expired':
        return ended(seen.state);
      default:
        return ended('interrupted');
    }
  }

  /** A third of the lease between two signs of life. */
  #beat(hold: SharedHold): void {
    const { flights, timers, failed } = this.#parts;
    const stop = timers.every(flights.leaseMs / 3, () => {
      flights.extend(hold).then((standing) => {
        this.#standing = standing;
      }, failed);
    });
    this.#stopBeating = () => {
      stop();
      this.#stopBeating = () => {};
    };
  }

  #cancel(fence: string): void {
    const { flights, key, failed } = this.#parts;
    flights.cancel(key, fence).catch(failed);
  }

  #fail(hold: SharedHold, code: number, coolDownMs: number): void {
    this.#parts.flights.fail(hold, code, coolDownMs).catch(this.#parts.failed);
  }

  async #ask<T>(call: () => Promise<T>): Promise<T> {
    try {
      return await call();
    } catch (error) {
      this.#parts.failed(error);
      throw flightFailure('shared_unavailable', undefined, error);
    }
  }
}

/** Microseconds of Redis on the scale of the flight table's fences, which are milliseconds and 25 bits: as ordered as they. */
export function fenceOf({ fence }: SharedHold): bigint {
  return (BigInt(fence) << 25n) / 1000n;
}

const ended = (reason: FlightReason): Polled => ({ kind: 'failed', code: codeOf(reason), coolDownTicks: 1 });
