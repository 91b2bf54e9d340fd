import type { History } from '../world/history.ts';
import { slotOfKey } from '../world/world.ts';
import type { Invariant } from './invariant.ts';

export const creations: Invariant = {
  id: 'I11',
  title: 'a flow is created at the provider once per generation, and once per burst when nothing goes wrong',
  check,
};

function check(history: History): ReturnType<Invariant['check']> {
  const made = new Map<string, number>();
  let total: Map<number, number> | undefined;
  for (const { step, thread, note } of history.said) {
    if (note.what !== 'create') continue;
    const slot = note.slot ?? 0;
    total ??= new Map();
    total.set(slot, (total.get(slot) ?? 0) + 1);
    // The fresh start of the liveness stage comes on top.
    const expected = thread < history.world.plan.threads.length ? expectedAt(history, slot) : undefined;
    if (expected !== undefined && (total.get(slot) ?? 0) > expected) {
      return {
        invariant: 'I11',
        step,
        why: `thread ${thread} created flow number ${total.get(slot)} of slot ${slot} at the provider, where ${expected} was to be created`,
      };
    }
    const flow = `${slot}:${note.fence}`;
    made.set(flow, (made.get(flow) ?? 0) + 1);
    if ((made.get(flow) ?? 0) > 1) {
      const why = `generation ${note.fence} of slot ${slot} was created ${made.get(flow)} times at the provider`;
      return { invariant: 'I11', step, why };
    }
  }
  return undefined;
}

function expectedAt(history: History, slot: number): number | undefined {
  const { plan } = history.world;
  if (plan.creations === undefined) return undefined;
  for (const [key, count] of Object.entries(plan.creations)) {
    if (slotOfKey(history.world, Number(key)) === slot) return count;
  }
  return undefined;
}
