import { CANCELLED, EXPIRED, FAILED } from '../../gateway/flight/control-word.ts';
import type { History } from '../world/history.ts';
import { storedVersions } from '../world/account.ts';
import { CANCELLED_CODE } from '../world/vault-work.ts';
import { firstOfLogin } from '../world/vault.ts';
import { slotOfKey } from '../world/world.ts';
import type { Invariant } from './invariant.ts';

export const cancelledGone: Invariant = {
  id: 'I20',
  title: 'the credential of a login that ended as cancelled or expired is not stored at the end',
  check,
};

function check(history: History): ReturnType<Invariant['check']> {
  const { world, steps } = history;
  if (world.plan.vault === undefined || history.end !== 'settled' || world.plan.keys < 2) return undefined;
  const login = slotOfKey(world, 1);
  const last = storedVersions(history).at(-1)?.version ?? 0;
  for (const { slot, after } of history.turns) {
    const isCancelled = after.state === FAILED && after.owner === CANCELLED_CODE;
    if (slot !== login || !(isCancelled || after.state === CANCELLED || after.state === EXPIRED)) continue;
    if (last < firstOfLogin(after.generation) || last >= firstOfLogin(after.generation + 1)) continue;
    const why = `login ${after.generation} was cancelled, and its token ${last} is stored`;
    return { invariant: 'I20', step: steps - 1, why };
  }
  return undefined;
}
