/** Issuers as the configuration has them, and key sets of few lines. */
import type { IssuerConfig, KeysConfig } from '../../gateway/config/schema.ts';
import type { Signer } from '../token/tokens.ts';

export function issuerConfig(keys: Partial<KeysConfig>, more: Partial<IssuerConfig> = {}): IssuerConfig {
  return {
    issuer: 'https://issuer.example',
    audiences: [],
    algorithms: ['EdDSA'],
    leewaySeconds: 10,
    requiredClaims: [],
    scopeClaims: ['scope', 'scp'],
    subjectClaim: 'sub',
    subjectFormat: 'any',
    maxTokenBytes: 8192,
    requireKid: false,
    certificateBound: false,
    ...more,
    keys: {
      secretEncoding: 'utf8',
      allowHttp: false,
      refreshSeconds: 300,
      maxStaleSeconds: 3600,
      unknownKidIntervalSeconds: 10,
      timeoutMs: 5000,
      maxBytes: 262_144,
      ...keys,
    },
  };
}

export function keySet(...signers: readonly Signer[]): string {
  return JSON.stringify({
    keys: signers.map(({ key, kid }) => Object.assign(key.export({ format: 'jwk' }), { kid })),
  });
}
