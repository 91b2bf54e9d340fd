/** What a broker is made of. */
import type { OauthConfig } from '../config/schema.ts';
import type { FlightTable } from '../flight/table.ts';
import type { Timers } from '../flight/timers.ts';
import type { CredentialStore } from './credential.ts';
import type { BrokerObserver } from './observer.ts';
import type { Surroundings } from './providers.ts';
import type { Relay } from './relay.ts';
import type { SharedFlights } from './redis/shared-flights.ts';

export interface BrokerParts extends Omit<Surroundings, 'observer'> {
  readonly config: OauthConfig;
  readonly table: FlightTable;
  /** Known to all threads of the process, and to nobody else. */
  readonly secret: Uint8Array;
  /** Counts the starts of callers and accounts on all threads (`allowance.ts`). */
  readonly starts: SharedArrayBuffer;
  readonly store: CredentialStore;
  readonly relay: Relay;
  readonly observer: BrokerObserver;
  readonly random: () => number;
  /** Between processes. Null: this one is alone. */
  readonly shared: SharedFlights | null;
  /** Of waits for other processes. */
  readonly timers: Timers;
  /** For operators: `what` failed at a provider. The error tells no secret. */
  readonly failed: (what: string, provider: string, error: unknown) => void;
}
