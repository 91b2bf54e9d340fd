/** What a record says once it is decrypted: a credential, or that it was deleted; and under which fence. */
import type { Credential, CredentialId, GrantedTokens } from '../credential.ts';
import type { Fence } from '../protocol/fence.ts';

export type RecordContent =
  | { readonly kind: 'live'; readonly fence: Fence; readonly credential: Credential }
  /** Deleted; the fence stays, so that a late writer is refused. */
  | { readonly kind: 'deleted'; readonly fence: Fence; readonly id: CredentialId; readonly atMs: number };

const fenceBits = 160n;
const fencePattern = /^(?:0|[1-9][0-9]{0,48})$/;

export function encodeContent(content: RecordContent): string {
  const fence = content.fence.toString();
  return content.kind === 'live'
    ? JSON.stringify({ fence, ...content.credential })
    : JSON.stringify({ fence, id: content.id, deletedAtMs: content.atMs });
}

/**
 * Reads a decrypted record. It was written under our key, so null is no attack: another version of this program wrote a
 * shape of its own.
 */
export function decodeContent(plaintext: string): RecordContent | null {
  let value: unknown;
  try {
    value = JSON.parse(plaintext);
  } catch {
    return null;
  }
  if (!isObject(value)) return null;
  const { fence: digits, id, grant, deletedAtMs } = value;
  if (!isId(id) || typeof digits !== 'string' || !fencePattern.test(digits)) return null;
  const fence = BigInt(digits);
  if (!isFence(fence)) return null;
  if (typeof deletedAtMs === 'number') return { kind: 'deleted', fence, id, atMs: deletedAtMs };
  return isGrant(grant) ? { kind: 'live', fence, credential: { id, grant } } : null;
}

export function isFence(fence: bigint): boolean {
  return fence >= 0n && fence < 1n << fenceBits;
}

/** The id of either kind. */
export function idOf(content: RecordContent): CredentialId {
  return content.kind === 'live' ? content.credential.id : content.id;
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function isId(value: unknown): value is CredentialId {
  return isObject(value) && typeof value['provider'] === 'string' && typeof value['account'] === 'string';
}

const isText = (value: unknown): boolean => typeof value === 'string';
const isTime = (value: unknown): boolean => typeof value === 'number' && Number.isFinite(value);
const orNull =
  (is: (value: unknown) => boolean) =>
  (value: unknown): boolean =>
    value === null || is(value);

const tokenFields: { readonly [K in Exclude<keyof GrantedTokens, 'kind'>]: (value: unknown) => boolean } = {
  accessToken: isText,
  tokenType: isText,
  refreshToken: orNull(isText),
  scope: orNull(isText),
  subject: orNull(isText),
  obtainedAtMs: isTime,
  expiresAtMs: orNull(isTime),
  refusal: orNull((value) => isObject(value) && isText(value['code']) && isTime(value['atMs'])),
};

function isGrant(value: unknown): value is Credential['grant'] {
  if (!isObject(value)) return false;
  if (value['kind'] === 'linked') return isTime(value['linkedAtMs']);
  return (
    value['kind'] === 'tokens' && Object.entries(tokenFields).every(([field, holds]) => holds(value[field]))
  );
}
