import type { History } from '../world/history.ts';
import type { Invariant } from './invariant.ts';

export const living: Invariant = {
  id: 'I10',
  title: 'a reap never ends the flight of a living thread',
  check,
};

function check(history: History): ReturnType<Invariant['check']> {
  for (const { step, thread, slot, site, before } of history.turns) {
    if (!site.startsWith('reap.')) continue;
    const holder = holderOf(history, before.owner, step);
    const died = holder === undefined || isGone(history, holder, step);
    if (!died) {
      const why = `thread ${thread} reaped slot ${slot}, whose owner ${before.owner} is alive`;
      return { invariant: 'I10', step, why };
    }
  }
  return undefined;
}

/** The virtual thread that acts under a record at a step: the last one enrolled there, else the one of that index. */
function holderOf(history: History, place: number, step: number): number | undefined {
  let holder: number | undefined = place < history.world.plan.threads.length ? place : undefined;
  for (const said of history.said) {
    if (said.step <= step && said.note.what === 'enrolled' && said.note.slot === place) holder = said.thread;
  }
  return holder;
}

function isGone(history: History, thread: number, step: number): boolean {
  for (
    let place: number | undefined = thread;
    place !== undefined;
    place = history.world.plan.parents?.[place]
  ) {
    const death = history.deaths.get(place);
    if (death !== undefined && death <= step) return true;
  }
  return false;
}
