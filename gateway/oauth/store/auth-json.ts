/**
 * The `auth.json` that other programs of a host read: a plain copy of some credentials, in a file for each account. This is
 * its shape, as texts; `auth-json-writer.ts` has the files.
 *
 * ```json
 * { "version": 1, "updated_at": "...", "credential_pool": { "<pool>": [ { "id": "...", "source": "...", ... } ] } }
 * ```
 *
 * Other programs write the file too: what we do not know in it stays as it is.
 */
import { randomBytes } from 'node:crypto';
import type { Credential } from '../credential.ts';

/** A provider's place in the file. */
export interface AuthJsonPool {
  /** The name of our provider. */
  readonly provider: string;
  readonly name: string;
  readonly baseUrl: string | null;
}

const sources = { tokens: 'manual:device_code', linked: 'claude_code_linked' } as const;
/** Entries of ours, the older spelling among them. */
const ownSources = new Set<unknown>([...Object.values(sources), 'oauth_device']);

type Entry = Readonly<Record<string, unknown>>;

/** The file's text is not of this shape: it is left alone. */
export class ForeignAuthJson extends Error {
  override readonly name = 'ForeignAuthJson';
}

/**
 * Puts credentials into the text of a file; null for one that is not there, in either place. Null as the result: the file
 * says so already. Errors: `ForeignAuthJson`.
 */
export function mergeAuthJson(
  text: string | null,
  credentials: ReadonlyMap<AuthJsonPool, Credential | null>,
  nowMs: number,
): string | null {
  const now = new Date(nowMs).toISOString();
  const document = text === null ? { version: 1 } : parseDocument(text);
  const pools: Record<string, unknown> = { ...poolsOf(document) };
  let isChanged = false;
  for (const [pool, credential] of credentials) {
    const entries = Object.hasOwn(pools, pool.name) ? entriesOf(pools[pool.name]) : [];
    const merged = mergeEntries(entries, pool, credential, now);
    if (merged === null) continue;
    isChanged = true;
    if (merged.length === 0) delete pools[pool.name];
    else pools[pool.name] = merged;
  }
  if (!isChanged) return null;
  return `${JSON.stringify({ ...document, updated_at: now, credential_pool: pools }, null, 2)}\n`;
}

/** Null: nothing changes. */
function mergeEntries(
  entries: readonly Entry[],
  pool: AuthJsonPool,
  credential: Credential | null,
  now: string,
): readonly Entry[] | null {
  const index = entries.findIndex(({ source }) => ownSources.has(source));
  const old = entries[index];
  if (credential === null) return old === undefined ? null : entries.filter((entry) => entry !== old);
  const fields = fieldsOf(pool, credential);
  if (old === undefined) return [{ ...identityOf(pool, now), ...fields, updated_at: now }, ...entries];
  const isSame = Object.entries(fields).every(([key, value]) => old[key] === value);
  return isSame ? null : entries.with(index, { ...old, ...fields, updated_at: now });
}

function identityOf({ provider }: AuthJsonPool, now: string): Entry {
  return {
    id: `${provider}-oauth-${randomBytes(6).toString('hex')}`,
    label: provider,
    auth_type: 'oauth',
    priority: 0,
    created_at: now,
  };
}

/** A linked credential leaves a mark without secrets. */
function fieldsOf({ baseUrl }: AuthJsonPool, { grant }: Credential): Entry {
  if (grant.kind === 'linked') return { source: sources.linked };
  return {
    source: sources.tokens,
    access_token: grant.accessToken,
    refresh_token: grant.refreshToken,
    ...(baseUrl === null ? {} : { base_url: baseUrl }),
    last_refresh: new Date(grant.obtainedAtMs).toISOString(),
  };
}

function parseDocument(text: string): Entry {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    // The reason would quote the text.
    throw new ForeignAuthJson('it is not JSON');
  }
  if (!isObject(value) || value['version'] !== 1)
    throw new ForeignAuthJson('it is not version 1 of this format');
  return value;
}

function poolsOf(document: Entry): Entry {
  const pools = document['credential_pool'] ?? {};
  if (!isObject(pools)) throw new ForeignAuthJson('its credential_pool is not an object');
  return pools;
}

function entriesOf(value: unknown): readonly Entry[] {
  if (Array.isArray(value) && value.every(isObject)) return value;
  throw new ForeignAuthJson('a pool of it is not a list of objects');
}

function isObject(value: unknown): value is Entry {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
