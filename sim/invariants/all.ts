// The invariants in the order in which a violation is named when one execution breaks several: causes before effects.

import { anyClock } from './i13-any-clock.ts';
import { binding } from './i14-binding.ts';
import { cancelledGone } from './i20-cancelled-gone.ts';
import { creations } from './i11-creations.ts';
import { fence } from './i03-fence.ts';
import { grantKept } from './i19-grant-kept.ts';
import type { InvariantId } from './ids.ts';
import type { Invariant, Violation } from './invariant.ts';
import { joinedLive } from './i05-joined-live.ts';
import { linearizable } from './i16-linearizable.ts';
import { liveness } from './i12-liveness.ts';
import { living } from './i10-living.ts';
import { oneLive } from './i02-one-live.ts';
import { oneSlot } from './i01-one-slot.ts';
import { payload } from './i06-payload.ts';
import { persist } from './i07-persist.ts';
import { publisher } from './i04-publisher.ts';
import { reaped } from './i09-reaped.ts';
import { refreshOnce } from './i17-refresh-once.ts';
import { secrets } from './i15-secrets.ts';
import { terminal } from './i08-terminal.ts';
import { usedWhenStored } from './i18-used-when-stored.ts';
import type { History } from '../world/history.ts';

export const invariants: readonly Invariant[] = [
  anyClock,
  oneSlot,
  reaped,
  living,
  oneLive,
  fence,
  publisher,
  joinedLive,
  payload,
  persist,
  refreshOnce,
  usedWhenStored,
  cancelledGone,
  grantKept,
  terminal,
  creations,
  liveness,
  binding,
  secrets,
  linearizable,
];

/** The violation that comes first in the execution; of several at one step, the first in the list above. */
export function judge(history: History, counts?: Map<InvariantId, number>): Violation | undefined {
  const { without } = history.world.variant;
  let first: Violation | undefined;
  for (const invariant of invariants) {
    if (counts !== undefined) counts.set(invariant.id, (counts.get(invariant.id) ?? 0) + 1);
    if (without?.includes(invariant.id) === true) continue;
    const violation = invariant.check(history);
    if (violation !== undefined && (first === undefined || violation.step < first.step)) first = violation;
  }
  return first;
}
