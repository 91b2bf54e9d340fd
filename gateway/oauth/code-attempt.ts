/**
 * Logins in the browser: authorization code with PKCE (RFC 6749 section 4.1, RFC 7636, RFC 9700). The `state` is not made
 * here: it names the flow and the browser (`tickets.ts`), and was judged before an answer comes here.
 */
import {
  authorizationCodeGrantRequest,
  calculatePKCECodeChallenge,
  generateRandomCodeVerifier,
  generateRandomNonce,
  processAuthorizationCodeResponse,
  skipStateCheck,
  validateAuthResponse,
} from 'oauth4webapi';
import { grantOf } from './authorization-server.ts';
import { outcomeOfPoll } from './device-attempt.ts';
import type { Attempt, AttemptPoll } from './provider.ts';
import { ProviderFault, providerFault } from './provider-fault.ts';
import type { Opened } from './server-provider.ts';

/** How soon an answer that a browser brought is noticed; nothing is asked of the provider before. */
const lookMs = 250;

/** RFC 6749 section 4.1.1, RFC 7636 section 4.3, OpenID Connect Core section 3.1.2.1. */
export async function beginCode(opened: Opened): Promise<Attempt> {
  const { server, config, metadata } = opened;
  const endpoint = metadata.authorization_endpoint ?? '';
  if (!URL.canParse(endpoint))
    throw new ProviderFault('invalid', 'the provider has no authorization endpoint');
  const address = new URL(endpoint);
  const { searchParams } = address;
  const verifier = generateRandomCodeVerifier();
  const nonce = config.scopes.includes('openid') ? generateRandomNonce() : null;
  for (const [key, value] of Object.entries(config.parameters)) searchParams.set(key, value);
  if (config.scopes.length > 0) searchParams.set('scope', config.scopes.join(' '));
  searchParams.set('response_type', 'code');
  searchParams.set('client_id', server.client.client_id);
  searchParams.set('redirect_uri', redirectUriOf(opened));
  searchParams.set('code_challenge', await calculatePKCECodeChallenge(verifier));
  searchParams.set('code_challenge_method', 'S256');
  if (nonce !== null) searchParams.set('nonce', nonce);
  return new CodeAttempt(opened, address.href, { verifier, nonce });
}

const redirectUriOf = ({ config }: Opened): string => config.redirectUri ?? '';

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
  readonly #opened: Opened;
  readonly #secrets: Secrets;
  #answer: URLSearchParams | null = null;

  constructor(opened: Opened, authorizationUri: string, secrets: Secrets) {
    this.#opened = opened;
    this.#secrets = secrets;
    this.step = { kind: 'code', authorizationUri };
    this.lifetimeMs = opened.config.lifetimeSeconds * 1000;
  }

  /** The first answer counts: a code is good for one exchange (RFC 9700 section 2.1.1). */
  answer(parameters: URLSearchParams): void {
    this.#answer ??= parameters;
  }

  poll(signal: AbortSignal): Promise<AttemptPoll> {
    const answer = this.#answer;
    if (answer === null) return Promise.resolve({ kind: 'pending' });
    return this.#opened.server.step('code_exchange', () => this.#exchange(answer, signal), outcomeOfPoll);
  }

  /** RFC 6749 section 4.1.3, with the issuer checked first (RFC 9207 section 2.4). */
  async #exchange(answer: URLSearchParams, signal: AbortSignal): Promise<AttemptPoll> {
    const { server, metadata, auth } = this.#opened;
    const { client } = server;
    let parameters: URLSearchParams;
    try {
      parameters = validateAuthResponse(metadata, client, answer, skipStateCheck);
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
      metadata,
      client,
      auth,
      parameters,
      redirectUriOf(this.#opened),
      verifier,
      server.options(signal),
    );
    const expected = nonce === null ? {} : { expectedNonce: nonce, requireIdToken: true };
    const granted = await processAuthorizationCodeResponse(metadata, client, response, expected);
    return { kind: 'granted', grant: grantOf(granted, server.nowMs()) };
  }
}
