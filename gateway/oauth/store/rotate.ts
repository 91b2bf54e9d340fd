/**
 * Rotation: every record encrypted with the current key, so that older keys can be taken out of the ring. Each record is
 * replaced by itself as a write does it, while gateways run; a rotation that is interrupted is begun again and goes on.
 */
import type { Records } from './records.ts';

/** Longer than any writer lives that could still hold the fence of a deleted record. */
const deletedAgeMs = 30 * 86_400_000;
const attemptsMax = 64;

export interface Rotation {
  readonly currentKeyId: string;
  readonly rotated: number;
  readonly alreadyCurrent: number;
  /** Deleted records whose fences were forgotten, being old. */
  readonly forgotten: number;
  readonly unreadable: readonly UnreadableRecord[];
}

export interface UnreadableRecord {
  readonly name: string;
  readonly why: string;
}

export async function rotateRecords(records: Records, nowMs: number): Promise<Rotation> {
  const unreadable: UnreadableRecord[] = [];
  const counts = { rotated: 0, alreadyCurrent: 0, forgotten: 0, none: 0 };
  counts[(await records.resealHeader()) ? 'rotated' : 'alreadyCurrent'] += 1;
  for (const name of await records.names()) {
    const outcome = await rotateRecord(records, name, nowMs);
    if (typeof outcome === 'string') counts[outcome] += 1;
    else unreadable.push(outcome);
  }
  const { rotated, alreadyCurrent, forgotten } = counts;
  return { currentKeyId: records.currentKeyId, rotated, alreadyCurrent, forgotten, unreadable };
}

async function rotateRecord(
  records: Records,
  name: string,
  nowMs: number,
): Promise<'rotated' | 'alreadyCurrent' | 'forgotten' | 'none' | UnreadableRecord> {
  for (let attempt = 0; attempt < attemptsMax; attempt++) {
    const state = await records.state(name);
    if (state.kind === 'none') return 'none';
    if (state.kind === 'unreadable') return { name, why: state.why };
    const { content, keyId } = state;
    if (content.kind === 'deleted' && nowMs - content.atMs > deletedAgeMs) {
      if (await records.forget(name, state)) return 'forgotten';
    } else if (keyId === records.currentKeyId) return 'alreadyCurrent';
    else if (await records.put(name, state, content)) return 'rotated';
  }
  return { name, why: 'others write it all the time' };
}

export interface Census {
  readonly keys: readonly KeyUse[];
  /** Records that are no envelopes at all. */
  readonly unreadable: readonly UnreadableRecord[];
}

export interface KeyUse {
  readonly keyId: string;
  readonly role: 'current' | 'reading' | 'missing';
  /** Records that need it, the header among them. */
  readonly records: number;
}

/** Counts which keys the records need. */
export async function countKeys(records: Records): Promise<Census> {
  const uses = new Map<string, number>(records.keyIds.map((keyId) => [keyId, 0]));
  const unreadable: UnreadableRecord[] = [];
  const count = (keyId: string): void => void uses.set(keyId, (uses.get(keyId) ?? 0) + 1);
  count(await records.headerKeyId());
  for (const name of await records.names()) {
    const state = await records.state(name);
    if (state.kind === 'none') continue;
    if (state.keyId !== null) count(state.keyId);
    if (state.kind === 'unreadable') unreadable.push({ name, why: state.why });
  }
  const known = new Set(records.keyIds);
  const roleOf = (keyId: string): KeyUse['role'] =>
    keyId === records.currentKeyId ? 'current' : known.has(keyId) ? 'reading' : 'missing';
  const keys = [...uses].map(([keyId, count]) => ({ keyId, role: roleOf(keyId), records: count }));
  return { keys, unreadable };
}
