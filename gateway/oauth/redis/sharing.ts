/** Whether work is done once for this process, or once for all that share a Redis. */
import { randomUUID } from 'node:crypto';
import type { FlightKey } from '../../flight/digest.ts';
import type { Timers } from '../../flight/timers.ts';
import type { Work } from '../../flight/work.ts';
import type { CredentialId } from '../credential.ts';
import type { Led } from '../login.ts';
import type { SharedFlights } from './shared-flights.ts';
import { SharedWork } from './shared-work.ts';

export interface Sharing {
  /** `make` is handed what tells whether another process has cancelled the work. */
  share(
    key: FlightKey,
    id: CredentialId,
    make: (isCancelledElsewhere: () => Promise<boolean>) => Work & Partial<Led>,
  ): Work;
}

export const notShared: Sharing = {
  share: (_key, _id, make) => make(() => Promise.resolve(false)),
};

export interface SharingParts {
  readonly timers: Timers;
  readonly led: Map<string, Led>;
  readonly changed: (id: CredentialId) => void;
  readonly failed: (what: string, provider: string, error: unknown) => void;
}

export class SharedBetweenProcesses implements Sharing {
  readonly #flights: SharedFlights;
  readonly #parts: SharingParts;
  /** What tells this thread from all others in the world. */
  readonly #instance = randomUUID();

  constructor(flights: SharedFlights, parts: SharingParts) {
    this.#flights = flights;
    this.#parts = parts;
  }

  share(key: FlightKey, id: CredentialId, make: Parameters<Sharing['share']>[2]): Work {
    const { timers, led, changed, failed } = this.#parts;
    let isCancelledElsewhere = (): Promise<boolean> => Promise.resolve(false);
    const work = new SharedWork({
      flights: this.#flights,
      key,
      instance: this.#instance,
      timers,
      work: make(() => isCancelledElsewhere()),
      led,
      changed: () => changed(id),
      failed: (error) => failed('sharing a flight', id.provider, error),
    });
    isCancelledElsewhere = () => work.isCancelled();
    return work;
  }
}
