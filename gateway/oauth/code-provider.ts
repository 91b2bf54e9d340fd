/**
 * Logins in the browser: authorization code with PKCE (RFC 6749 section 4.1, RFC 7636, RFC 9700). The `state` is not made
 * here: it names the flow and the browser (`tickets.ts`), and was judged before an answer comes here.
 */
import {
  type AuthorizationServer,
  authorizationCodeGrantRequest,
  calculatePKCECodeChallenge,
  type ClientAuth,
  generateRandomCodeVerifier,
  generateRandomNonce,
  processAuthorizationCodeResponse,
  skipStateCheck,
  validateAuthResponse,
} from 'oauth4webapi';
import type { ProviderConfig } from '../config/schema.ts';
import { grantOf, ServerConnection, type ProviderParts } from './authorization-server.ts';
import type { GrantedTokens } from './credential.ts';
import { outcomeOfPoll } from './device-provider.ts';
import type { Attempt, AttemptPoll, Provider } from './provider.ts';
import { ProviderFault, providerFault } from './provider-fault.ts';
import { refreshTokens } from './refresh.ts';

/** How soon an answer that a browser brought is noticed; nothing is asked of the provider before. */
const lookMs = 250;

export class CodeProvider implements Provider {
  readonly name: string;
  readonly flow = 'code';
  readonly #config: ProviderConfig;
  readonly #server: ServerConnection;

  constructor(name: string, config: ProviderConfig, parts: ProviderParts) {
    this.name = name;
    this.#config = config;
    this.#server = new ServerConnection(config, parts);
  }

  async begin(): Promise<Attempt> {
    const metadata = await this.#server.metadata();
    const auth = await this.#server.clientAuth();
    const endpoint = metadata.authorization_endpoint ?? '';
    if (!URL.canParse(endpoint))
      throw new ProviderFault('invalid', 'the provider has no authorization endpoint');
    return CodeAttempt.begin(this.#server, metadata, auth, this.#config, new URL(endpoint));
  }

  refresh(grant: GrantedTokens): Promise<GrantedTokens> {
    return refreshTokens(this.#server, grant);
  }
}

/** What proves, at the exchange, that we are the ones who began. */
interface Secrets {
  readonly verifier: string;
  /** Null when no ID token is asked for. */
  readonly nonce: string | null;
}

class CodeAttempt implements Attempt {
  readonly step: Attempt['step'];
  readonly lifetimeMs: number;
  readonly firstPollMs = lookMs;
  readonly intervalMs = lookMs;
  readonly #server: ServerConnection;
  readonly #metadata: AuthorizationServer;
  readonly #auth: ClientAuth;
  readonly #redirectUri: string;
  readonly #secrets: Secrets;
  #answer: URLSearchParams | null = null;

  /** RFC 6749 section 4.1.1, RFC 7636 section 4.3, OpenID Connect Core section 3.1.2.1. */
  static async begin(
    server: ServerConnection,
    metadata: AuthorizationServer,
    auth: ClientAuth,
    config: ProviderConfig,
    address: URL,
  ): Promise<CodeAttempt> {
    const verifier = generateRandomCodeVerifier();
    const nonce = config.scopes.includes('openid') ? generateRandomNonce() : null;
    const redirectUri = config.redirectUri ?? '';
    const { searchParams } = address;
    for (const [key, value] of Object.entries(config.parameters)) searchParams.set(key, value);
    if (config.scopes.length > 0) searchParams.set('scope', config.scopes.join(' '));
    searchParams.set('response_type', 'code');
    searchParams.set('client_id', server.client.client_id);
    searchParams.set('redirect_uri', redirectUri);
    searchParams.set('code_challenge', await calculatePKCECodeChallenge(verifier));
    searchParams.set('code_challenge_method', 'S256');
    if (nonce !== null) searchParams.set('nonce', nonce);
    return new CodeAttempt(server, metadata, auth, config, address.href, { verifier, nonce });
  }

  private constructor(
    server: ServerConnection,
    metadata: AuthorizationServer,
    auth: ClientAuth,
    config: ProviderConfig,
    authorizationUri: string,
    secrets: Secrets,
  ) {
    this.#server = server;
    this.#metadata = metadata;
    this.#auth = auth;
    this.#redirectUri = config.redirectUri ?? '';
    this.#secrets = secrets;
    this.step = { kind: 'code', authorizationUri };
    this.lifetimeMs = config.lifetimeSeconds * 1000;
  }

  /** The first answer counts: a code is good for one exchange (RFC 9700 section 2.1.1). */
  answer(parameters: URLSearchParams): void {
    this.#answer ??= parameters;
  }

  poll(signal: AbortSignal): Promise<AttemptPoll> {
    const answer = this.#answer;
    if (answer === null) return Promise.resolve({ kind: 'pending' });
    return this.#server.step('code_exchange', () => this.#exchange(answer, signal), outcomeOfPoll);
  }

  /** RFC 6749 section 4.1.3, with the issuer checked first (RFC 9207 section 2.4). */
  async #exchange(answer: URLSearchParams, signal: AbortSignal): Promise<AttemptPoll> {
    const { client } = this.#server;
    let parameters: URLSearchParams;
    try {
      parameters = validateAuthResponse(this.#metadata, client, answer, skipStateCheck);
    } catch (error) {
      const fault = providerFault(error);
      if (fault.oauthCode === 'access_denied') return { kind: 'denied' };
      if (fault.oauthCode !== null) throw fault;
      // Without its cause, which holds the code.
      throw new ProviderFault('callback', fault.message);
    }
    if (!parameters.has('code')) throw new ProviderFault('callback', 'the answer has no code');
    const { verifier, nonce } = this.#secrets;
    const response = await authorizationCodeGrantRequest(
      this.#metadata,
      client,
      this.#auth,
      parameters,
      this.#redirectUri,
      verifier,
      this.#server.options(signal),
    );
    const expected = nonce === null ? {} : { expectedNonce: nonce, requireIdToken: true };
    const granted = await processAuthorizationCodeResponse(this.#metadata, client, response, expected);
    return { kind: 'granted', grant: grantOf(granted, this.#server.nowMs()) };
  }
}
