/**
 * Tokens whose key is not known, while their issuer's key set is fetched. However many there are, an issuer is asked for
 * once at a time; whether that leads to a fetch is decided where the keys are (`keys/`).
 */
import { refusals } from '../core/errors.ts';
import type { Refusal } from '../core/errors.ts';
import type { Pending } from './pending.ts';

/** For one issuer. Suspects get a quarter, so that forged kids do not keep out tokens of a new key. */
const parkedMax = 1024;
const suspectsMax = parkedMax / 4;

export interface ParkingOwner {
  /** The profile has changed: the token is to be judged again. */
  again(pending: Pending): void;
  giveUp(pending: Pending, refusal: Refusal): void;
}

interface Place {
  readonly pending: Pending;
  readonly version: number;
}

export class Parking {
  readonly #requestKeys: (issuer: number) => Promise<void>;
  readonly #owner: ParkingOwner;
  readonly #parked = new Map<number, Place[]>();

  constructor(requestKeys: (issuer: number) => Promise<void>, owner: ParkingOwner) {
    this.#requestKeys = requestKeys;
    this.#owner = owner;
  }

  /** Parks a token until its issuer's keys were asked for; false when there is no place. */
  park(pending: Pending, issuer: number): boolean {
    const places = this.#parked.get(issuer) ?? [];
    if (places.length >= (pending.lane === 'suspect' ? suspectsMax : parkedMax)) return false;
    pending.state = 'parked';
    places.push({ pending, version: pending.lineage.profile.version });
    if (places.length === 1) {
      this.#parked.set(issuer, places);
      this.#requestKeys(issuer).then(
        () => this.#leave(issuer, refusals.token_key_unknown),
        () => this.#leave(issuer, refusals.verifier_failed),
      );
    }
    return true;
  }

  #leave(issuer: number, refusal: Refusal): void {
    const places = this.#parked.get(issuer) ?? [];
    this.#parked.delete(issuer);
    for (const { pending, version } of places) {
      // Some have timed out meanwhile, or nobody waits for them any more.
      if (pending.state !== 'parked') continue;
      if (pending.lineage.profile.version > version) this.#owner.again(pending);
      else this.#owner.giveUp(pending, refusal);
    }
  }
}
