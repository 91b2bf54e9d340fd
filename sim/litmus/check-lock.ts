// How to check a protocol of your own, on the smallest example: two threads, a lock, nobody alone inside.

import type { Machine } from '../engine/machine.ts';
import { machineOf } from '../engine/model.ts';
import { renderTrace } from '../report/terminal.ts';
import { plainWord, tell } from '../report/trace.ts';
import { exhaustive } from '../schedulers/exhaustive.ts';
import { defaultLimits } from '../schedulers/scheduler.ts';
import { INSIDE, LOCK, lockModel, type Take } from './lock.ts';

/** Explores every schedule of two threads. Returns the first bad execution as a table, or how many good ones there are. */
export function checkLock(take: Take): string {
  const machine = machineOf(lockModel(take, 2));
  let failure: string | undefined;
  const { executions } = exhaustive.explore(
    machine,
    (_, end) => {
      if (end === 'settled' && !crowded(machine)) return false;
      failure = renderTrace(tell(machine, view, ['t0', 't1']));
      return true;
    },
    defaultLimits,
  );
  return failure ?? `holds in all ${executions} classes of schedules`;
}

const view = {
  clock: 2,
  shown: [LOCK, INSIDE],
  nameOf: (address: number) => ['LOCK', 'INSIDE'][address] ?? 'CLK',
  describe: plainWord,
};

/** Somebody noted, when he came in, that he was not alone. */
function crowded(machine: Machine): boolean {
  const said = machine.stepNext.slice(0, machine.depth).flatMap((node) => node.notes);
  return said.some((note) => note.what === 'inside' && note.value !== '0');
}
