// What was stored of the account in one execution, for the invariants.

import type { History } from './history.ts';
import { versionOf } from './vault.ts';

export interface StoredVersion {
  /** The step after which it was there; -1 from the beginning. */
  readonly step: number;
  /** 0: nothing. */
  readonly version: number;
}

/** In the order in which they were stored; the last is what is there at the end. */
export function storedVersions({ world, changes }: History): StoredVersion[] {
  const first = { step: -1, version: versionOf(world.initial.get(world.vault) ?? 0n) };
  const later = changes
    .filter(({ address }) => address === world.vault)
    .map(({ step, after }) => ({ step, version: versionOf(after) }));
  return [first, ...later];
}

/** What threads keep for the store at the end. */
export function keptVersion({ world, changes }: History): number {
  return versionOf(changes.findLast(({ address }) => address === world.vault + 2)?.after ?? 0n);
}
