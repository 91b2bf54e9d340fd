/** Puts a verifier profile together: the issuers of a configuration, the vocabulary of its policy, the keys of the moment. */
import type { IssuerConfig } from '../config/schema.ts';
import type { Vocabulary } from '../route/policy.ts';
import type { IssuerProfile, VerificationKey, VerifierProfile } from '../../workers/messages.ts';
import { normalTyp } from './header.ts';

function issuerProfile(config: IssuerConfig, keys: readonly VerificationKey[] | null): IssuerProfile {
  return {
    issuer: config.issuer ?? null,
    algorithms: config.algorithms,
    keys,
    requireKid: config.requireKid,
    introspects: config.introspection !== undefined,
    tokenBytesMax: config.maxTokenBytes,
    typ: config.typ?.map((typ) => normalTyp(typ)) ?? null,
    requiredClaims: config.requiredClaims,
    scopeClaims: config.scopeClaims.map((path) => (typeof path === 'string' ? [path] : path)),
    subjectClaim: config.subjectClaim,
    subjectFormat: config.subjectFormat,
    tokenTypes: config.tokenTypes ?? null,
  };
}

/**
 * A new profile. `issuers` and `keys` are in the order of `vocabulary.issuers`; `keys[i]` null: none to be had, 503.
 * `version` must be higher than that of every profile before.
 */
export function buildProfile(
  version: number,
  issuers: readonly IssuerConfig[],
  vocabulary: Vocabulary,
  keys: readonly (readonly VerificationKey[] | null)[],
): VerifierProfile {
  return {
    version,
    issuers: issuers.map((config, i) => issuerProfile(config, keys[i] ?? null)),
    scopes: vocabulary.scopes,
    implied: vocabulary.implied,
    audiences: vocabulary.audiences,
    projections: vocabulary.projections,
  };
}
