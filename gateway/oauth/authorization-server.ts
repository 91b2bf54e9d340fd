/**
 * One provider's authorization server as the OAuth library wants it: its metadata, our registration there, and the way to
 * call it. Metadata is fetched when it is first needed and kept for a while; concurrent calls share the fetch.
 */
import {
  allowInsecureRequests,
  type AuthorizationServer,
  type Client,
  type ClientAuth,
  customFetch,
  discoveryRequest,
  processDiscoveryResponse,
  type TokenEndpointResponse,
  getValidatedIdTokenClaims,
} from 'oauth4webapi';
import type { ProviderConfig } from '../config/schema.ts';
import type { OauthFetch } from '../upstream/oauth-fetch.ts';
import type { GrantedTokens } from './credential.ts';
import type { ProviderOutcome, ProviderStep } from './observer.ts';
import { ProviderFault, providerFault } from './provider-fault.ts';

/** What a provider needs of the world. */
export interface ProviderParts {
  readonly fetch: OauthFetch;
  readonly nowMs: () => number;
  /** Our proof of identity at the token endpoint; loaded once it is needed. */
  readonly clientAuth: () => Promise<ClientAuth>;
  readonly called: (step: ProviderStep, outcome: ProviderOutcome) => void;
}

// oxlint-disable-next-line typescript/no-deprecated -- marked so by its author only to make it stand out
const anyScheme: typeof allowInsecureRequests = allowInsecureRequests;

/** What each request of the library is given. Whether http:// is fine is our fetch's to say, not the library's. */
export interface CallOptions {
  readonly [customFetch]: OauthFetch;
  readonly [anyScheme]: true;
  readonly signal?: AbortSignal;
}

export function callOptions(fetch: OauthFetch, signal?: AbortSignal): CallOptions {
  const options = { [customFetch]: fetch, [anyScheme]: true } as const;
  return signal === undefined ? options : { ...options, signal };
}

/** How long metadata is believed. */
const metadataMs = 600_000;

export class ServerConnection {
  readonly client: Client;
  readonly fetch: OauthFetch;
  readonly nowMs: () => number;
  readonly #config: ProviderConfig;
  readonly #parts: ProviderParts;
  #metadata: Promise<AuthorizationServer> | null = null;
  #metadataUntilMs = 0;

  constructor(config: ProviderConfig, parts: ProviderParts) {
    this.#config = config;
    this.#parts = parts;
    this.client = { client_id: config.clientId ?? '' };
    this.fetch = parts.fetch;
    this.nowMs = parts.nowMs;
  }

  options(signal?: AbortSignal): CallOptions {
    return callOptions(this.fetch, signal);
  }

  clientAuth(): Promise<ClientAuth> {
    return this.#parts.clientAuth();
  }

  /** The endpoints: those of the configuration, and those that its issuer publishes for the rest. */
  metadata(): Promise<AuthorizationServer> {
    const nowMs = this.nowMs();
    if (this.#metadata === null || nowMs >= this.#metadataUntilMs) {
      const metadata = this.#discover();
      this.#metadata = metadata;
      this.#metadataUntilMs = nowMs + metadataMs;
      // Shared with those who wait for it now, not kept.
      metadata.catch(() => {
        if (this.#metadata === metadata) this.#metadata = null;
      });
    }
    return this.#metadata;
  }

  /** Makes a call to the provider count: `run` answers with its outcome, or throws. Errors: `ProviderFault`. */
  async step<T>(
    step: ProviderStep,
    run: () => Promise<T>,
    outcomeOf?: (value: T) => ProviderOutcome,
  ): Promise<T> {
    try {
      const value = await run();
      this.#parts.called(step, outcomeOf === undefined ? 'ok' : outcomeOf(value));
      return value;
    } catch (error) {
      const fault = providerFault(error);
      this.#parts.called(step, outcomeOfFault(fault));
      throw fault;
    }
  }

  async #discover(): Promise<AuthorizationServer> {
    const { issuer, endpoints, flow } = this.#config;
    const given = {
      ...(endpoints.authorization === undefined ? {} : { authorization_endpoint: endpoints.authorization }),
      ...(endpoints.deviceAuthorization === undefined
        ? {}
        : { device_authorization_endpoint: endpoints.deviceAuthorization }),
      ...(endpoints.token === undefined ? {} : { token_endpoint: endpoints.token }),
    };
    const own = flow === 'code' ? endpoints.authorization : endpoints.deviceAuthorization;
    if (issuer === undefined || (own !== undefined && endpoints.token !== undefined)) {
      return { issuer: issuer ?? new URL(endpoints.token!).origin, ...given };
    }
    const url = new URL(issuer);
    return this.step('discovery', async () => {
      let response = await discoveryRequest(url, { ...this.options(), algorithm: 'oidc' });
      if (response.status === 404) {
        response = await discoveryRequest(url, { ...this.options(), algorithm: 'oauth2' });
      }
      return { ...(await processDiscoveryResponse(url, response)), ...given };
    });
  }
}

function outcomeOfFault(fault: ProviderFault): ProviderOutcome {
  switch (fault.kind) {
    case 'unreachable':
    case 'refused':
    case 'invalid':
      return fault.kind;
    case 'callback':
      return 'invalid';
  }
}

/** Longest access token that is sent on: longer ones do not fit the head of a request. */
const accessTokenLengthMax = 8192;

/** Can it be sent as a bearer token? RFC 6749 appendix A.12, and a bound. */
export function isSendable(accessToken: string): boolean {
  return accessToken.length <= accessTokenLengthMax && /^[\x21-\x7e]+$/.test(accessToken);
}

/** The tokens of an answer, in our words. `before`: the grant that was renewed, whose rest stays. Errors: `ProviderFault`. */
export function grantOf(
  answer: TokenEndpointResponse,
  nowMs: number,
  before: GrantedTokens | null = null,
): GrantedTokens {
  if (answer.token_type !== 'bearer') throw new ProviderFault('invalid', 'the token is no bearer token');
  if (!isSendable(answer.access_token)) throw new ProviderFault('invalid', 'the token cannot be sent');
  return {
    kind: 'tokens',
    accessToken: answer.access_token,
    tokenType: answer.token_type,
    refreshToken: answer.refresh_token ?? before?.refreshToken ?? null,
    scope: answer.scope ?? before?.scope ?? null,
    subject: getValidatedIdTokenClaims(answer)?.sub ?? before?.subject ?? null,
    obtainedAtMs: nowMs,
    expiresAtMs: answer.expires_in === undefined ? null : nowMs + answer.expires_in * 1000,
    refusal: null,
  };
}
