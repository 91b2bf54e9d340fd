/**
 * A real OpenID provider that knows one grant: client credentials, answered with access tokens in the form of RFC 9068.
 * `oidc-provider` does the work; here is what it has to be told. Used by the demo and by the tests of the gateway.
 */
import { generateKeyPairSync } from 'node:crypto';
import { type JWK, Provider } from 'oidc-provider';

export type SigningAlgorithm = 'RS256' | 'ES256' | 'EdDSA';

export interface SigningKey extends JWK {
  readonly kid: string;
  readonly alg: SigningAlgorithm;
}

export interface ProviderOptions {
  /** The issuer identifier; tokens carry it as `iss`. */
  readonly issuer: string;
  /** All of them are published; the one named by `signWith` signs. */
  readonly keys: readonly SigningKey[];
  readonly signWith: string;
  readonly audience: string;
  /** Client id and the scopes it may ask for. Its secret is `<id>-secret`; its tokens carry the id as `sub`. */
  readonly clients: Readonly<Record<string, readonly string[]>>;
  readonly tokenSeconds: number;
  /** Tokens say nothing by themselves; the provider answers what they are (RFC 7662). */
  readonly opaque?: boolean;
}

/** RFC 8707: what tokens are for. The provider wants it to be a URI; `aud` need not be one. */
const resource = 'urn:orders';

export function createProvider(options: ProviderOptions): Provider {
  const { issuer, keys, signWith, audience, clients, tokenSeconds, opaque = false } = options;
  const scopes = [...new Set(Object.values(clients).flat())];
  const signer = keys.find((key) => key.kid === signWith);
  if (signer === undefined) throw new Error(`no key ${signWith} to sign with`);
  return new Provider(issuer, {
    jwks: { keys },
    clients: Object.entries(clients).map(([id, allowed]) => ({
      client_id: id,
      client_secret: `${id}-secret`,
      grant_types: ['client_credentials'],
      redirect_uris: [],
      response_types: [],
      id_token_signed_response_alg: signer.alg,
      scope: allowed.join(' '),
    })),
    scopes,
    ttl: { ClientCredentials: tokenSeconds },
    features: {
      devInteractions: { enabled: false },
      clientCredentials: { enabled: true },
      introspection: { enabled: opaque },
      revocation: { enabled: opaque },
      // RFC 8707. Every token here is for the one resource, asked for or not.
      resourceIndicators: {
        enabled: true,
        defaultResource: () => resource,
        getResourceServerInfo: () => ({
          scope: scopes.join(' '),
          audience,
          accessTokenTTL: tokenSeconds,
          accessTokenFormat: opaque ? 'opaque' : 'jwt',
          jwt: { sign: { alg: signer.alg, kid: signer.kid } },
        }),
      },
    },
  });
}

/** Makes a private key as a JWK. Cost: tens of milliseconds for RS256, one for the others. */
export function generateKey(kid: string, alg: SigningAlgorithm): SigningKey {
  return { ...privateKey(alg).export({ format: 'jwk' }), kid, alg, use: 'sig' };
}

function privateKey(alg: SigningAlgorithm) {
  switch (alg) {
    case 'RS256':
      return generateKeyPairSync('rsa', { modulusLength: 2048 }).privateKey;
    case 'ES256':
      return generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey;
    case 'EdDSA':
      return generateKeyPairSync('ed25519').privateKey;
  }
}
