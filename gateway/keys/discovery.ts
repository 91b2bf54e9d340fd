/**
 * OpenID Connect Discovery, for the one thing that is needed: where an issuer publishes its keys.
 *
 * Source: OpenID Connect Discovery 1.0 sections 4 and 4.3: the document's `issuer` equals the one asked for, byte for byte.
 */
import { SourceError } from './source.ts';

/** Where the document of an issuer is. */
export function discoveryUrl(issuer: string): string {
  return `${issuer.endsWith('/') ? issuer.slice(0, -1) : issuer}/.well-known/openid-configuration`;
}

/** `jwks_uri` of a discovery document. Whether that may be fetched is judged where it is fetched. */
export function readDiscovery(body: Buffer, issuer: string): string {
  let document: unknown;
  try {
    document = JSON.parse(body.toString('utf8'));
  } catch (error) {
    throw new SourceError('the discovery document is not JSON', { cause: error });
  }
  if (typeof document !== 'object' || document === null || Array.isArray(document)) {
    throw new SourceError('the discovery document is not an object');
  }
  const { issuer: named, jwks_uri: jwksUri } = document as Record<string, unknown>;
  if (named !== issuer) throw new SourceError('the discovery document is of another issuer');
  if (typeof jwksUri !== 'string') throw new SourceError('the discovery document names no jwks_uri');
  return jwksUri;
}
