/** How we prove who we are at a token endpoint (RFC 6749 section 2.3, RFC 7523), from the files and variables it is in. */
import { webcrypto } from 'node:crypto';
import { type ClientAuth, ClientSecretBasic, ClientSecretPost, None, PrivateKeyJwt } from 'oauth4webapi';
import type { ProviderConfig } from '../config/schema.ts';
import { ProviderFault } from './provider-fault.ts';

export interface SecretSources {
  readonly readFile: (path: string, bytesMax: number) => Promise<Buffer>;
  readonly environment: (name: string) => string | undefined;
}

const secretBytesMax = 16_384;

const keyAlgorithms = {
  RS256: { name: 'RSASSA-PKCS1-v1_5', hash: 'SHA-256' },
  PS256: { name: 'RSA-PSS', hash: 'SHA-256' },
  ES256: { name: 'ECDSA', namedCurve: 'P-256' },
  EdDSA: { name: 'Ed25519' },
} as const;

/** Errors: `ProviderFault` of kind `refused`, when what the configuration names cannot be read. */
export async function loadClientAuth(
  { clientAuth }: Pick<ProviderConfig, 'clientAuth'>,
  sources: SecretSources,
): Promise<ClientAuth> {
  const { method } = clientAuth;
  try {
    switch (method) {
      case 'none':
        return None();
      case 'client_secret_basic':
        return ClientSecretBasic(await secretOf(clientAuth, sources));
      case 'client_secret_post':
        return ClientSecretPost(await secretOf(clientAuth, sources));
      case 'private_key_jwt': {
        const key = await privateKeyOf(clientAuth, sources);
        return PrivateKeyJwt(clientAuth.keyId === undefined ? key : { key, kid: clientAuth.keyId });
      }
    }
  } catch (error) {
    throw new ProviderFault('refused', `the secret for ${method} cannot be used`, { cause: error });
  }
}

type ClientAuthConfig = ProviderConfig['clientAuth'];

async function secretOf(
  { secretFile, secretEnv }: ClientAuthConfig,
  sources: SecretSources,
): Promise<string> {
  const text =
    secretFile === undefined
      ? (sources.environment(secretEnv!) ?? '')
      : (await sources.readFile(secretFile, secretBytesMax)).toString('utf8');
  // Editors and shells end a file with a line end, which no secret has.
  const secret = text.replace(/\r?\n$/, '');
  if (secret === '') throw new RangeError('the secret is empty');
  return secret;
}

async function privateKeyOf(
  { keyFile, algorithm }: ClientAuthConfig,
  sources: SecretSources,
): Promise<webcrypto.CryptoKey> {
  const pem = (await sources.readFile(keyFile!, secretBytesMax)).toString('latin1');
  const base64 = /-----BEGIN PRIVATE KEY-----([A-Za-z0-9+/=\s]+)-----END PRIVATE KEY-----/.exec(pem)?.[1];
  if (base64 === undefined) throw new RangeError('the key is not PKCS #8 in PEM');
  return webcrypto.subtle.importKey('pkcs8', Buffer.from(base64, 'base64'), keyAlgorithms[algorithm], false, [
    'sign',
  ]);
}
