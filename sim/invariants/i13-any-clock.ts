import type { History } from '../world/history.ts';
import { creations } from './i11-creations.ts';
import { fence } from './i03-fence.ts';
import { joinedLive } from './i05-joined-live.ts';
import { living } from './i10-living.ts';
import { oneLive } from './i02-one-live.ts';
import { oneSlot } from './i01-one-slot.ts';
import { payload } from './i06-payload.ts';
import { persist } from './i07-persist.ts';
import { publisher } from './i04-publisher.ts';
import { reaped } from './i09-reaped.ts';
import { terminal } from './i08-terminal.ts';
import type { Invariant } from './invariant.ts';

const held: readonly Invariant[] = [
  oneSlot,
  oneLive,
  fence,
  publisher,
  joinedLive,
  payload,
  persist,
  terminal,
  reaped,
  living,
  creations,
];

export const anyClock: Invariant = {
  id: 'I13',
  title: 'I1 to I11 hold whatever the clock says',
  check,
};

function check(history: History): ReturnType<Invariant['check']> {
  if (history.world.plan.anyClock !== true) return undefined;
  for (const invariant of held) {
    const violation = invariant.check(history);
    if (violation !== undefined) {
      return {
        ...violation,
        invariant: 'I13',
        why: `under this clock ${violation.invariant} fails: ${violation.why}`,
      };
    }
  }
  return undefined;
}
