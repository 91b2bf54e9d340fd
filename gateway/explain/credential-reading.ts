/** Looks up the stored credential that a request would be served with, for `explain`. Tells no secret of it. */
import type { OauthConfig } from '../config/schema.ts';
import type { Environment } from '../config/substitute.ts';
import { systemClock } from '../core/clock.ts';
import type { RefusalCode } from '../core/errors.ts';
import { type CredentialStore, type StoredCredential, StoreFault } from '../oauth/credential.ts';
import { DirectoryStore } from '../oauth/store/directory-store.ts';
import { systemFiles } from '../oauth/store/files.ts';
import { keyRingReader } from '../oauth/store/open.ts';
import type { Step } from './explanation.ts';

/** The account, as the route and the token name it; null when they do not. */
export async function readCredential(
  { store: config }: OauthConfig,
  provider: string,
  account: string | null,
  nowMs: number,
  env: Environment,
): Promise<Step> {
  if (account === null) return failing('claim_unforwardable', `${provider}: the token names no account`);
  const whose = `${provider} of ${account}`;
  const failed = (code: RefusalCode, detail: string): Step => failing(code, `${whose}: ${detail}`);
  let stored: StoredCredential | null;
  let store: CredentialStore | null = null;
  try {
    store = await DirectoryStore.open({
      directory: config.file,
      readKeyRing: keyRingReader(config, env, systemFiles),
      files: systemFiles,
      clock: systemClock,
      warn: () => {},
      mustExist: true,
    });
    stored = await store.read({ provider, account });
  } catch (error) {
    if (!(error instanceof StoreFault)) throw error;
    return failed('oauth_store_unavailable', error.message);
  } finally {
    await store?.close();
  }
  if (stored === null) return failed('credential_absent', 'no login is stored');
  const { grant } = stored.credential;
  if (grant.kind === 'linked') return passing(`${whose}: linked; it lies with the program that keeps it`);
  const { expiresAtMs, refreshToken, refusal } = grant;
  const isFresh = expiresAtMs === null || expiresAtMs > nowMs;
  const expiry = expiresAtMs === null ? 'without a known expiry' : expiryOf(expiresAtMs - nowMs);
  if (refusal !== null) {
    const detail = `stored, ${expiry}; the provider refused to renew it (${refusal.code})`;
    return isFresh ? passing(`${whose}: ${detail}`) : failed('credential_refused', detail);
  }
  const renewal = refreshToken === null ? 'it cannot be renewed' : 'it is renewed in time';
  const detail = `stored, ${expiry}; ${renewal}`;
  return isFresh || refreshToken !== null
    ? passing(`${whose}: ${detail}`)
    : failed('credential_refused', detail);
}

function expiryOf(leftMs: number): string {
  const seconds = Math.abs(Math.round(leftMs / 1000));
  return leftMs > 0 ? `expires ${seconds} s from now` : `expired ${seconds} s ago`;
}

const check = 'credential';
const passing = (detail: string): Step => ({ check, passed: true, code: null, detail });
const failing = (code: RefusalCode, detail: string): Step => ({ check, passed: false, code, detail });
