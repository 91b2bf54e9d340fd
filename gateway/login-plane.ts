/** The main thread's share of logins: the memory that all listeners share, and a look at the store before they start. */
import type { OauthConfig } from './config/schema.ts';
import type { Environment } from './config/substitute.ts';
import { systemClock } from './core/clock.ts';
import type { FlightTable, Seat } from './flight/table.ts';
import type { Logger } from './log/logger.ts';
import { createFlights } from './oauth/flights.ts';
import { openCredentialStore } from './oauth/store/open.ts';

/** How often flights that lapsed are ended, and those kept long enough are purged. */
const sweepMs = 2000;

export class LoginPlane {
  readonly #config: OauthConfig;
  readonly #flights: FlightTable;

  constructor(config: OauthConfig, listeners: number) {
    this.#config = config;
    this.#flights = createFlights(config, listeners);
    this.#flights.keepSwept(sweepMs);
  }

  /** A place in the flight table for a thread about to be made; null when all are taken, which ends with a thread. */
  seat(): Seat | null {
    return this.#flights.seat();
  }

  /** Opens the credential store once, so that a start fails where it cannot be had. Errors: `StoreFault`. */
  async check(env: Environment, logger: Logger): Promise<void> {
    const warn = (message: string): void => logger.warn({}, message);
    const opened = await openCredentialStore(this.#config.store, { env, clock: systemClock, warn });
    await opened.close();
  }

  /** Order: after the listeners have ended. */
  async close(): Promise<void> {
    await this.#flights.close();
  }
}
