/** The refresh of tokens (RFC 6749 section 6), alike for every flow that grants them. */
import { processRefreshTokenResponse, refreshTokenGrantRequest } from 'oauth4webapi';
import { grantOf, type ServerConnection } from './authorization-server.ts';
import type { GrantedTokens } from './credential.ts';
import { ProviderFault } from './provider-fault.ts';

/**
 * Renews the tokens. Never aborted from outside: once the request is out, its answer may hold the only refresh token that
 * is still good. Errors: `ProviderFault`.
 */
export async function refreshTokens(server: ServerConnection, grant: GrantedTokens): Promise<GrantedTokens> {
  const { refreshToken } = grant;
  if (refreshToken === null) throw new ProviderFault('refused', 'there is no refresh token');
  const metadata = await server.metadata();
  const auth = await server.clientAuth();
  return server.step('refresh', async () => {
    const response = await refreshTokenGrantRequest(
      metadata,
      server.client,
      auth,
      refreshToken,
      server.options(),
    );
    const answer = await processRefreshTokenResponse(metadata, server.client, response);
    return grantOf(answer, server.nowMs(), grant);
  });
}
