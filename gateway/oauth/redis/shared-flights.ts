/** Flights of one key over all processes: what `scripts.ts` says, with types. Errors of all: `SharedFault`. */
import type { FlightKey } from '../../flight/digest.ts';
import type { ScriptName } from './scripts.ts';

/** What a leader holds. */
export interface SharedHold {
  readonly key: FlightKey;
  readonly owner: string;
  /** Of Redis: a decimal number. */
  readonly fence: string;
}

export type SharedClaim =
  | { readonly kind: 'won'; readonly fence: string }
  /** Another process is starting it. */
  | { readonly kind: 'wait'; readonly fence: string }
  /** Another process leads it. */
  | {
      readonly kind: 'joined';
      readonly fence: string;
      readonly payload: Uint8Array | null;
      readonly leftMs: number;
    }
  /** It has ended, and its end answers this start too. */
  | {
      readonly kind: 'ended';
      readonly state: string;
      readonly code: number;
      readonly leftMs: number;
    };

/** How the caller's flight stands after what it asked for: still its own, cancelled, or not its own any more. */
export type SharedStanding = 'held' | 'cancelled' | 'lost';

type RunScript = (name: ScriptName, key: FlightKey, ...args: readonly string[]) => Promise<readonly string[]>;

export class SharedFlights {
  readonly leaseMs: number;
  readonly #run: RunScript;

  constructor(run: RunScript, leaseMs: number) {
    this.#run = run;
    this.leaseMs = leaseMs;
  }

  /** Claims or joins the flight of a key. `awaited`: the fence of the flight that the caller has waited for. */
  async claim(key: FlightKey, owner: string, awaited: string | null): Promise<SharedClaim> {
    const [kind = '', fence = '', ...rest] = await this.#run('claim', key, owner, awaited ?? '', this.#lease);
    switch (kind) {
      case 'won':
      case 'wait':
        return { kind, fence };
      case 'joined': {
        const [payload = '', leftMs = '0'] = rest;
        const bytes = payload === '' ? null : new Uint8Array(Buffer.from(payload, 'base64'));
        return { kind, fence, payload: bytes, leftMs: Number(leftMs) };
      }
      default: {
        const [state = '', code = '0', leftMs = '0'] = rest;
        return { kind: 'ended', state, code: Number(code), leftMs: Number(leftMs) };
      }
    }
  }

  publish(hold: SharedHold, payload: Uint8Array | null, flowMs: number): Promise<SharedStanding> {
    const text = payload === null ? '' : Buffer.from(payload).toString('base64');
    return this.#held('publish', hold, this.#lease, text, String(Math.ceil(flowMs)));
  }

  extend(hold: SharedHold): Promise<SharedStanding> {
    return this.#held('extend', hold, this.#lease);
  }

  commit(hold: SharedHold): Promise<SharedStanding> {
    return this.#held('commit', hold, this.#lease);
  }

  finish(hold: SharedHold): Promise<SharedStanding> {
    return this.#held('finish', hold);
  }

  fail(hold: SharedHold, code: number, coolDownMs: number): Promise<SharedStanding> {
    return this.#held('fail', hold, String(code), String(Math.ceil(coolDownMs)));
  }

  /** By whoever joined it, too. */
  async cancel(key: FlightKey, fence: string): Promise<void> {
    await this.#run('cancel', key, '', fence);
  }

  /** The state of a flight and the code of its failure; `lost` when its leader is, or its end was kept long enough. */
  async look(key: FlightKey, fence: string): Promise<{ readonly state: string; readonly code: number }> {
    const [state = 'lost', code = '0'] = await this.#run('look', key, '', fence);
    return { state, code: Number(code) };
  }

  get #lease(): string {
    return String(this.leaseMs);
  }

  async #held(
    name: ScriptName,
    { key, owner, fence }: SharedHold,
    ...args: readonly string[]
  ): Promise<SharedStanding> {
    const [standing] = await this.#run(name, key, owner, fence, ...args);
    return standing as SharedStanding;
  }
}
