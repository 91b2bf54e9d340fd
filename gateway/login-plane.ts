/** The main thread's share of logins: the memory that all listeners share, and a look at the store before they start. */
import type { LoginFigures } from './admin/console/source.ts';
import type { OauthConfig } from './config/schema.ts';
import type { Environment } from './config/substitute.ts';
import { systemClock } from './core/clock.ts';
import { inSlices } from './core/slices.ts';
import type { FlightTable, Seat } from './flight/table.ts';
import type { LoginsMemory } from './listener/messages.ts';
import type { Logger } from './log/logger.ts';
import { createAllowanceMemory } from './oauth/allowance.ts';
import { decodeDetails } from './oauth/details.ts';
import { createFlights } from './oauth/flights.ts';
import { openCredentialStore } from './oauth/store/open.ts';

/** How often flights that lapsed are ended, and those kept long enough are purged. */
const sweepMs = 2000;

const flightsListedMax = 100;

type LoginsListing = Pick<LoginFigures, 'census' | 'flights' | 'furtherFlights'>;

export interface LoginsSeat {
  readonly memory: LoginsMemory;
  /** Call it right after making the thread. */
  readonly watch: Seat['watch'];
}

export class LoginPlane {
  /** The flights of all threads. */
  readonly flights: FlightTable;
  readonly #config: OauthConfig;
  readonly #starts = createAllowanceMemory();

  constructor(config: OauthConfig, listeners: number) {
    this.#config = config;
    this.flights = createFlights(config, listeners);
    this.flights.keepSwept(sweepMs);
  }

  /** What a thread about to be made needs; null when the flight table has no place, which ends with a thread. */
  seat(): LoginsSeat | null {
    const seat = this.flights.seat();
    if (seat === null) return null;
    return { memory: { flights: seat.handle, starts: this.#starts }, watch: (thread) => seat.watch(thread) };
  }

  /** Opens the credential store once, so that a start fails where it cannot be had. Errors: `StoreFault`. */
  async check(env: Environment, logger: Logger): Promise<void> {
    const warn = (message: string): void => logger.warn({}, message);
    const opened = await openCredentialStore(this.#config.store, { env, clock: systemClock, warn });
    await opened.close();
  }

  /** How full the flight table is and what is in it. The event loop is let through in between. */
  async listing(): Promise<LoginsListing> {
    const census = await inSlices(this.flights.census());
    const { rows, leftOut } = await inSlices(this.flights.list(flightsListedMax));
    const flights = rows.flatMap(({ key, state, expiresInMs, payload }) => {
      if (state === 'idle') return [];
      return [
        { key, state, expiresInMs, provider: payload === null ? null : decodeDetails(payload).provider },
      ];
    });
    return { census, flights, furtherFlights: leftOut };
  }

  /** Order: after the listeners have ended. */
  async close(): Promise<void> {
    await this.flights.close();
  }
}
