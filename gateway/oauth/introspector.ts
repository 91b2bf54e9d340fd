/**
 * Asks an issuer about opaque tokens (RFC 7662), on the main thread for all listeners: one question for a token however many
 * requests bring it, and its answer kept for a while.
 *
 * Tokens are known here by their digest. What the answer to a question means for a request is said by `token/opaque.ts`.
 */
import { createHash } from 'node:crypto';
import {
  type AuthorizationServer,
  type ClientAuth,
  discoveryRequest,
  introspectionRequest,
  processDiscoveryResponse,
  processIntrospectionResponse,
} from 'oauth4webapi';
import type { IntrospectionConfig } from '../config/schema.ts';
import { GenerationMap } from '../token/generations.ts';
import type { Introspected } from '../token/verifier-parts.ts';
import type { OauthFetch } from '../upstream/oauth-fetch.ts';
import { callOptions } from './authorization-server.ts';
import { providerFault } from './provider-fault.ts';

export type IntrospectionOutcome = 'active' | 'inactive' | 'failed';

export interface IntrospectorParts {
  readonly fetch: OauthFetch;
  readonly nowMs: () => number;
  readonly clientAuth: () => Promise<ClientAuth>;
  /** A question was asked and answered, or not. */
  readonly called: (outcome: IntrospectionOutcome) => void;
  /** It failed; the reason is for operators and holds nothing of the token. */
  readonly failed: (reason: string) => void;
}

type Answer = Exclude<Introspected, { kind: 'failed' }>;

/** Larger answers are used and not kept. */
const keptCharsMax = 16_384;
const metadataMs = 600_000;
const failure: Introspected = { kind: 'failed' };

export class Introspector {
  readonly #issuer: string | undefined;
  readonly #config: IntrospectionConfig;
  readonly #parts: IntrospectorParts;
  readonly #answers: GenerationMap<Answer>;
  readonly #inFlight = new Map<string, Promise<Introspected>>();
  /** Questions that wait for one of the `maxConcurrent` places, oldest first. */
  readonly #queue: (() => void)[] = [];
  #asking = 0;
  #server: Promise<AuthorizationServer> | null = null;
  #serverUntilMs = 0;

  /** `issuer` is where the endpoint is discovered, unless it is given. */
  constructor(issuer: string | undefined, config: IntrospectionConfig, parts: IntrospectorParts) {
    this.#issuer = issuer;
    this.#config = config;
    this.#parts = parts;
    this.#answers = new GenerationMap(config.cacheEntries);
  }

  /** Never rejects. */
  introspect(token: string): Promise<Introspected> {
    const digest = createHash('sha256').update(token).digest('base64');
    const known = this.#answers.get(digest);
    if (known !== undefined && known.untilMs > this.#parts.nowMs()) return Promise.resolve(known);
    let flight = this.#inFlight.get(digest);
    if (flight === undefined) {
      flight = this.#ask(token, digest).finally(() => this.#inFlight.delete(digest));
      this.#inFlight.set(digest, flight);
    }
    return flight;
  }

  async #ask(token: string, digest: string): Promise<Introspected> {
    if (!(await this.#place())) return failure;
    try {
      const answer = await this.#call(token);
      this.#parts.called(answer.kind);
      if (answer.kind === 'inactive' || JSON.stringify(answer.claims).length <= keptCharsMax)
        this.#answers.set(digest, answer);
      return answer;
    } catch (error) {
      this.#parts.called('failed');
      this.#parts.failed(providerFault(error).message);
      return failure;
    } finally {
      this.#asking -= 1;
      this.#queue.shift()?.();
    }
  }

  /** Waits for a place among those that ask; false when too many wait, or it took too long. */
  async #place(): Promise<boolean> {
    const { maxConcurrent, queueMax, timeoutMs } = this.#config;
    if (this.#asking >= maxConcurrent) {
      if (this.#queue.length >= queueMax) return false;
      const sinceMs = this.#parts.nowMs();
      await new Promise<void>((resolve) => this.#queue.push(resolve));
      if (this.#parts.nowMs() - sinceMs > timeoutMs) {
        // Whoever is behind has waited less.
        this.#queue.shift()?.();
        return false;
      }
    }
    this.#asking += 1;
    return true;
  }

  async #call(token: string): Promise<Answer> {
    const server = await this.#metadata();
    const client = { client_id: this.#config.clientId };
    const auth = await this.#parts.clientAuth();
    const options = callOptions(this.#parts.fetch);
    const response = await introspectionRequest(server, client, auth, token, {
      ...options,
      additionalParameters: { token_type_hint: 'access_token' },
    });
    const claims = await processIntrospectionResponse(server, client, response);
    const { ttlSeconds, negativeTtlSeconds } = this.#config;
    const nowMs = this.#parts.nowMs();
    if (!claims.active) return { kind: 'inactive', untilMs: nowMs + negativeTtlSeconds * 1000 };
    const ttlMs = nowMs + ttlSeconds * 1000;
    const { exp } = claims;
    return { kind: 'active', claims, untilMs: exp === undefined ? ttlMs : Math.min(ttlMs, exp * 1000) };
  }

  /** The endpoint: that of the configuration, or the one that the issuer publishes. */
  #metadata(): Promise<AuthorizationServer> {
    const { endpoint } = this.#config;
    if (endpoint !== undefined)
      return Promise.resolve({
        issuer: this.#issuer ?? new URL(endpoint).origin,
        introspection_endpoint: endpoint,
      });
    const nowMs = this.#parts.nowMs();
    if (this.#server === null || nowMs >= this.#serverUntilMs) {
      const server = this.#discover(new URL(this.#issuer!));
      this.#server = server;
      this.#serverUntilMs = nowMs + metadataMs;
      server.catch(() => {
        if (this.#server === server) this.#server = null;
      });
    }
    return this.#server;
  }

  async #discover(issuer: URL): Promise<AuthorizationServer> {
    const options = callOptions(this.#parts.fetch);
    let response = await discoveryRequest(issuer, { ...options, algorithm: 'oidc' });
    if (response.status === 404)
      response = await discoveryRequest(issuer, { ...options, algorithm: 'oauth2' });
    return processDiscoveryResponse(issuer, response);
  }
}
