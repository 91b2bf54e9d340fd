/** What a verifier profile amounts to when keys come and go: which profiles speak the same language, which keys live. */
import type { VerifierProfile } from '../../workers/messages.ts';

/** Profiles that differ in keys alone; the latest stands for all. Facts of one lineage mean nothing in another. */
export interface Lineage {
  profile: VerifierProfile;
}

/** All of a profile that facts depend on, keys aside, as text: equal texts are one lineage. */
export function lineageText(profile: VerifierProfile): string {
  return JSON.stringify({
    ...profile,
    version: 0,
    issuers: profile.issuers.map((issuer) => ({ ...issuer, keys: null })),
  });
}

/** Stands for the key of tokens whose issuer was asked. Keys proper count from 1. */
export const introspectedKeyId = 0;

/** By key id: 1 while the key is in its set. */
export function liveKeysOf(profile: VerifierProfile): Uint8Array {
  const ids = profile.issuers.flatMap(({ keys }) => (keys ?? []).map(({ keyId }) => keyId));
  if (profile.issuers.some(({ introspects }) => introspects)) ids.push(introspectedKeyId);
  const live = new Uint8Array(Math.max(-1, ...ids) + 1);
  for (const id of ids) live[id] = 1;
  return live;
}
