import { SUCCESS } from '../../gateway/flight/control-word.ts';
import type { History } from '../world/history.ts';
import { keptVersion, storedVersions } from '../world/account.ts';
import { firstOfLogin } from '../world/vault.ts';
import { slotOfKey } from '../world/world.ts';
import type { Invariant } from './invariant.ts';

export const grantKept: Invariant = {
  id: 'I19',
  title: 'what a living thread was granted last is stored at the end, or kept to be stored',
  check,
};

function check(history: History): ReturnType<Invariant['check']> {
  const { world, deaths, end, steps } = history;
  if (world.plan.vault === undefined || end !== 'settled') return undefined;
  let newest = 0;
  for (const { thread, note } of history.said) {
    if (note.what === 'told' && !deaths.has(thread)) newest = Math.max(newest, note.code ?? 0);
  }
  const login = world.plan.keys > 1 ? slotOfKey(world, 1) : -1;
  for (const { slot, after } of history.turns) {
    if (slot === login && after.state === SUCCESS) newest = Math.max(newest, firstOfLogin(after.generation));
  }
  const last = storedVersions(history).at(-1)?.version ?? 0;
  if (Math.max(last, keptVersion(history)) >= newest) return undefined;
  const why = `token ${newest} was granted last, and token ${last} is what is stored`;
  return { invariant: 'I19', step: steps - 1, why };
}
