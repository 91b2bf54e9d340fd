/** Reads a token for an explanation: by the gateway's own judge and key sources, with keys as far as they are to be had. */
import { refusals } from '../core/errors.ts';
import { systemClock } from '../core/clock.ts';
import { systemTimers } from '../core/timers.ts';
import type { Config } from '../config/schema.ts';
import { readBounded } from '../keys/files.ts';
import { Keyring, type IssuerKeysStatus } from '../keys/keyring.ts';
import type { Policy } from '../route/policy.ts';
import { readClaims } from '../token/claims.ts';
import { compiledOf } from '../token/compiled.ts';
import { isRejection, judge } from '../token/judge.ts';
import { parseObject } from '../token/json.ts';
import { liveKeysOf } from '../token/lineage.ts';
import { buildProfile } from '../token/profile.ts';
import { fetchDocument } from '../upstream/fetch.ts';
import type { VerificationKey, VerifierProfile } from '../../workers/messages.ts';
import type { TokenReading } from './explanation.ts';

/** The keys that a token is judged by, and how their sources stand. Both in the order of the policy's issuers. */
export interface KnownKeys {
  readonly keys: readonly (readonly VerificationKey[] | null)[];
  readonly status: readonly IssuerKeysStatus[];
  /** Were key sets fetched? If not, a token of an issuer that publishes its keys can be read all the same. */
  readonly online: boolean;
}

export function readToken(config: Config, policy: Policy, token: string, known: KnownKeys): TokenReading {
  const { keys, status, online } = known;
  const profile = buildProfile(1, Object.values(config.issuers), policy.vocabulary, keys);
  const outcome = judge(profile, token);
  if (!isRejection(outcome)) {
    const detail = `the signature holds, issuer ${policy.vocabulary.issuers[outcome.issuer]}`;
    return { kind: 'read', facts: outcome, live: liveKeysOf(profile), verified: true, detail };
  }
  const { code, issuer } = outcome;
  if (code === 'keys_unavailable' && !online && isRemote(config, policy, issuer)) {
    return readUnverified(profile, issuer, token) ?? refused(code, status[issuer]);
  }
  return refused(code, status[issuer]);
}

function refused(code: keyof typeof refusals, status: IssuerKeysStatus | undefined): TokenReading {
  const about = status === undefined ? '' : ` (issuer ${status.issuer})`;
  const lastError = status?.lastError ?? null;
  const reason = code === 'keys_unavailable' && lastError !== null ? `: ${lastError}` : '';
  return { kind: 'refused', code, detail: `${refusals[code].title}${about}${reason}` };
}

/** The keys as a start would find them now. `online`: key sets may be fetched. */
export async function keysAtStart(
  { issuers }: Config,
  env: Readonly<Record<string, string | undefined>>,
  online: boolean,
): Promise<KnownKeys> {
  const keyring = new Keyring({
    fetch: online
      ? fetchDocument
      : () => Promise.reject(new Error('key sets are fetched with --online only')),
    clock: systemClock,
    timers: systemTimers,
    random: Math.random,
    readFile: readBounded,
    watchFolder: () => () => {},
    observer: { keysFetched: () => {}, unknownKid: () => {} },
    environment: (name) => env[name],
  });
  try {
    // In the order of the vocabulary: both are that of the configuration.
    await keyring.configure(issuers);
    return { keys: keyring.keys(), status: keyring.status(), online };
  } finally {
    keyring.close();
  }
}

function isRemote(config: Config, policy: Policy, issuer: number): boolean {
  const keys = config.issuers[policy.vocabulary.issuers[issuer] ?? '']?.keys;
  return keys?.jwksUri !== undefined || keys?.discovery !== undefined;
}

/** What the token says of itself, for a person who knows it is theirs. No request is ever decided on this. */
function readUnverified(profile: VerifierProfile, issuerIndex: number, token: string): TokenReading | null {
  const compiled = compiledOf(profile);
  const issuer = compiled.issuers[issuerIndex];
  const claims = parseObject(Buffer.from(token.split('.')[1] ?? '', 'base64url'));
  if (issuer === undefined || claims === null) return null;
  const facts = readClaims(compiled, issuer, 0, claims);
  if (typeof facts === 'string') return { kind: 'refused', code: facts, detail: refusals[facts].title };
  const detail = 'the signature was NOT checked: key sets are fetched with --online only';
  return { kind: 'read', facts, live: [1], verified: false, detail };
}
