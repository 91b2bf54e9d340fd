/**
 * Logins on a listener thread, put together: the broker with its seat in the flight table, its store and its pen for metrics,
 * and the endpoints before it.
 */
import { createHash } from 'node:crypto';
import { systemClock } from '../core/clock.ts';
import type { OauthConfig } from '../config/schema.ts';
import { FlightTable } from '../flight/table.ts';
import { realTimers } from '../flight/timers.ts';
import { readBounded } from '../keys/files.ts';
import type { RepeatedWarnings } from '../log/repeats.ts';
import { observeBroker } from '../metrics/broker-observer.ts';
import type { Recorder } from '../metrics/recorder.ts';
import { Broker } from '../oauth/broker.ts';
import { Endpoints } from '../oauth/http/endpoints.ts';
import { LazyStore } from '../oauth/lazy-store.ts';
import { openRelay } from '../oauth/relay.ts';
import { openCredentialStore } from '../oauth/store/open.ts';
import type { SharedFlights } from '../oauth/redis/shared-flights.ts';
import { createOauthFetch } from '../upstream/oauth-fetch.ts';
import type { LoginsMemory } from './messages.ts';

export interface LoginsParts {
  readonly memory: LoginsMemory;
  readonly config: OauthConfig;
  readonly recorder: Recorder;
  readonly warnings: RepeatedWarnings;
  /** The ordinal of a provider's name in the configuration in force. */
  readonly ordinalOf: (provider: string) => number;
  /** The thread drains. */
  readonly isEnding: () => boolean;
  /** An endpoint failed where it must not. */
  readonly failed: (error: unknown) => void;
}

export interface Logins {
  readonly broker: Broker;
  readonly endpoints: Endpoints;
}

export async function open(parts: LoginsParts): Promise<Logins> {
  const { isEnding, failed } = parts;
  const broker = await openBroker(parts);
  return { broker, endpoints: new Endpoints({ broker, nowMs: systemClock.nowMs, isEnding, failed }) };
}

async function openBroker({ memory, config, recorder, warnings, ordinalOf }: LoginsParts): Promise<Broker> {
  const { flights, starts } = memory;
  const environment = process.env;
  const store = new LazyStore(() =>
    openCredentialStore(config.store, {
      env: environment,
      clock: systemClock,
      warn: (message) => warnings.warn(message, {}, message),
    }),
  );
  return new Broker({
    config,
    table: new FlightTable(flights),
    secret: flights.secret,
    starts,
    store,
    // Named after the table, so that two gateways in one process do not hear each other.
    relay: openRelay(`sallyport logins ${createHash('sha256').update(flights.secret).digest('hex')}`),
    observer: observeBroker(recorder, ordinalOf),
    clock: systemClock,
    random: Math.random,
    shared: await sharedFlights(config, environment, warnings),
    timers: realTimers,
    createFetch: createOauthFetch,
    readFile: readBounded,
    environment: (name) => environment[name],
    failed: (what, provider, error) =>
      warnings.warn(`${provider} ${what}`, { provider, err: error }, `${what} failed`),
  });
}

/** Null where processes share nothing. */
async function sharedFlights(
  { shared }: OauthConfig,
  environment: NodeJS.ProcessEnv,
  warnings: RepeatedWarnings,
): Promise<SharedFlights | null> {
  if (shared === undefined) return null;
  const { RedisScripts } = await import('../oauth/redis/connection.ts');
  const { SharedFlights } = await import('../oauth/redis/shared-flights.ts');
  const { redis: url, username, passwordEnv, prefix, timeoutMs, leaseMs } = shared;
  const scripts = new RedisScripts({
    url,
    username,
    password: passwordEnv === undefined ? undefined : environment[passwordEnv],
    prefix,
    timeoutMs,
    failed: (error) => warnings.warn('redis', { err: error }, 'Redis cannot be reached'),
  });
  return new SharedFlights((name, key, ...args) => scripts.run(name, key, ...args), leaseMs);
}
