/** The main thread's share of opaque tokens: the one issuer that is asked about them, in the configuration in force. */
import { isDeepStrictEqual } from 'node:util';
import type { IssuerConfig } from './config/schema.ts';
import type { Environment } from './config/substitute.ts';
import { systemClock } from './core/clock.ts';
import { readBounded } from './keys/files.ts';
import type { Logger } from './log/logger.ts';
import { RepeatedWarnings } from './log/repeats.ts';
import type { ControlMetrics } from './metrics/control.ts';
import type { Introspector } from './oauth/introspector.ts';
import type { Introspected } from './token/verifier-parts.ts';
import { createOauthFetch } from './upstream/oauth-fetch.ts';

export interface IntrospectionPlaneParts {
  readonly environment: Environment;
  readonly logger: Logger;
  readonly metrics: Pick<ControlMetrics, 'introspectionCalled'>;
}

export class IntrospectionPlane {
  readonly #parts: IntrospectionPlaneParts;
  readonly #warnings: RepeatedWarnings;
  #settings: unknown = null;
  #introspector: Promise<Introspector> | null = null;

  constructor(parts: IntrospectionPlaneParts) {
    this.#parts = parts;
    this.#warnings = new RepeatedWarnings(parts.logger, systemClock);
  }

  /** What is known of tokens is kept where the issuer is asked in the same way. */
  configure(issuers: Readonly<Record<string, IssuerConfig>>): void {
    const found = Object.entries(issuers).find(([, { introspection }]) => introspection !== undefined);
    const settings = found === undefined ? null : [found[0], found[1].issuer, found[1].introspection];
    if (isDeepStrictEqual(settings, this.#settings)) return;
    this.#settings = settings;
    this.#introspector = found === undefined ? null : this.#open(...found);
  }

  /** Never rejects. */
  async introspect(token: string): Promise<Introspected> {
    const introspector = await this.#introspector;
    return introspector === null ? { kind: 'failed' } : introspector.introspect(token);
  }

  async #open(name: string, { issuer, introspection }: IssuerConfig): Promise<Introspector> {
    const { loadClientAuth } = await import('./oauth/client-auth.ts');
    const { Introspector } = await import('./oauth/introspector.ts');
    const { timeoutMs, allowHttp, clientAuth } = introspection!;
    const sources = {
      readFile: readBounded,
      environment: (variable: string) => this.#parts.environment[variable],
    };
    return new Introspector(issuer, introspection!, {
      fetch: createOauthFetch({ timeoutMs, allowHttp }),
      nowMs: systemClock.nowMs,
      clientAuth: () => loadClientAuth({ clientAuth }, sources),
      called: (outcome) => this.#parts.metrics.introspectionCalled(name, outcome),
      failed: (reason) =>
        this.#warnings.warn(reason, { issuer: name, reason }, 'a token could not be checked at its issuer'),
    });
  }
}
