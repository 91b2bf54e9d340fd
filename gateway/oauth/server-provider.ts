/** A provider that is an authorization server: what the flows at one have in common. Each flow is an attempt of its own. */
import {
  type AuthorizationServer,
  type ClientAuth,
  processRefreshTokenResponse,
  refreshTokenGrantRequest,
} from 'oauth4webapi';
import type { ProviderConfig } from '../config/schema.ts';
import { grantOf, type ProviderParts, ServerConnection } from './authorization-server.ts';
import type { GrantedTokens } from './credential.ts';
import type { Attempt, Provider } from './provider.ts';
import { ProviderFault } from './provider-fault.ts';

/** The server as it is known when something begins there. */
export interface Opened {
  readonly server: ServerConnection;
  readonly config: ProviderConfig;
  readonly metadata: AuthorizationServer;
  readonly auth: ClientAuth;
}

/** Begins a login. Errors: `ProviderFault`. */
export type Begin = (opened: Opened, signal: AbortSignal) => Promise<Attempt>;

export class ServerProvider implements Provider {
  readonly name: string;
  readonly flow: ProviderConfig['flow'];
  readonly #config: ProviderConfig;
  readonly #server: ServerConnection;
  readonly #begin: Begin;

  constructor(name: string, config: ProviderConfig, parts: ProviderParts, begin: Begin) {
    this.name = name;
    this.flow = config.flow;
    this.#config = config;
    this.#server = new ServerConnection(config, parts);
    this.#begin = begin;
  }

  async begin(signal: AbortSignal): Promise<Attempt> {
    return this.#begin(await this.#open(), signal);
  }

  /**
   * RFC 6749 section 6. Never aborted from outside: once the request is out, its answer may hold the only refresh token
   * that is still good.
   */
  async refresh(grant: GrantedTokens): Promise<GrantedTokens> {
    const { refreshToken } = grant;
    if (refreshToken === null) throw new ProviderFault('refused', 'there is no refresh token');
    const { server, metadata, auth } = await this.#open();
    const { client } = server;
    return server.step('refresh', async () => {
      const response = await refreshTokenGrantRequest(metadata, client, auth, refreshToken, server.options());
      const answer = await processRefreshTokenResponse(metadata, client, response);
      return grantOf(answer, server.nowMs(), grant);
    });
  }

  async #open(): Promise<Opened> {
    const server = this.#server;
    const metadata = await server.metadata();
    return { server, config: this.#config, metadata, auth: await server.clientAuth() };
  }
}
