/** What an account has at a provider: the stored login, without its secrets. */
import { type CredentialId, type CredentialStore, type GrantedTokens } from './credential.ts';
import type { Flow } from './flow.ts';
import type { Provider } from './provider.ts';

export type CredentialState =
  /** No login was stored. */
  | 'none'
  /** It can be used; an expired access token is renewed on use. */
  | 'valid'
  /** It has expired and cannot be renewed, or the provider refused to: log in again. */
  | 'ended'
  /** The store could not say. */
  | 'unknown';

export interface LoginListing {
  readonly provider: string;
  readonly kind: Provider['flow'];
  readonly credential: CredentialState;
  /** Of the access token, which is renewed before; null when there is none or it was not said. */
  readonly expiresAtMs: number | null;
  /** The flow that this account has, under way or ended a short while ago; null when there is none. */
  readonly flow: Flow | null;
}

export type StoredLogin = Pick<LoginListing, 'credential' | 'expiresAtMs'>;

/** Longest name of an account, in UTF-16 units. */
const accountLengthMax = 256;

/** Null for an account that is no name: empty, too long, or with characters that do not show. */
export function credentialIdOf(provider: Provider, account: string): CredentialId | null {
  const canonical = account.normalize('NFC');
  const isName = canonical.length > 0 && canonical.length <= accountLengthMax && !/\p{C}/u.test(canonical);
  return isName ? { provider: provider.name, account: canonical } : null;
}

/** The key under which logins of a credential are one flight; refreshes have a key of their own. */
export const loginKey = ({ provider, account }: CredentialId): CredentialId => ({
  provider: `login ${provider}`,
  account,
});

/** Reads what is stored. Errors: those of the store. */
export async function storedLogin(
  store: CredentialStore,
  provider: Provider,
  id: CredentialId,
  nowMs: number,
): Promise<StoredLogin> {
  const stored = await store.read(id);
  if (stored === null) return { credential: 'none', expiresAtMs: null };
  const { grant } = stored.credential;
  const tokens = grant.kind === 'tokens' ? grant : ((await provider.linked?.tokens()) ?? null);
  if (tokens === null) return { credential: 'ended', expiresAtMs: null };
  return { credential: stateOf(tokens, nowMs), expiresAtMs: tokens.expiresAtMs };
}

function stateOf({ expiresAtMs, refreshToken, refusal }: GrantedTokens, nowMs: number): CredentialState {
  const isFresh = expiresAtMs === null || expiresAtMs > nowMs;
  return isFresh || (refreshToken !== null && refusal === null) ? 'valid' : 'ended';
}
