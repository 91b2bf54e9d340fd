/** Ending what has lapsed, purging what was kept long enough, and reporting how a flow stands. */
import type { Context } from './context.ts';
import { isTerminal, stateOf } from './control-word.ts';
import { count, operate } from './effects.ts';
import type { Script } from './effects.ts';
import type { Cancel, Look } from './slot.ts';

/** Ends a live word past its deadline, whoever leads it. */
export function* expireLapsed(context: Context, slot: number, word: bigint, now: number): Script<void> {
  const { layout, operations } = context;
  const expired = yield* operate('expire', (cells) => operations.expire(cells, layout, slot, word, now));
  if (expired !== null) yield count('expiries');
}

/** How often a look may find the flow lapsed: once to expire it, once to see it expired by whoever was faster. */
const LOOKS = 3;

/** Reports how a generation stands, for a poll. A flow past its deadline is expired before it is reported. */
export function* view(context: Context, slot: number, generation: number): Script<Look> {
  const { layout, operations, terms } = context;
  for (let looks = 0; looks < LOOKS; looks++) {
    const seen = yield* operate('look', (cells) =>
      operations.look(cells, layout, slot, generation, terms.retentionTicks),
    );
    if (seen.kind === 'unknown' || !seen.lapsed) return seen;
    yield* expireLapsed(context, slot, seen.word, seen.now);
  }
  return { kind: 'unknown' };
}

/** Cancels a generation, unless it is past its deadline: then it expires. */
export function* abort(context: Context, slot: number, generation: number): Script<Cancel> {
  const { layout, operations } = context;
  yield* view(context, slot, generation);
  const answer = yield* operate('cancel', (cells) => operations.cancel(cells, layout, slot, generation));
  if (answer.kind === 'cancelled') yield count('cancels');
  return answer;
}

/**
 * Goes over the whole table once: expires what has lapsed and purges what was kept long enough. Keeps every deadline
 * young enough for serial arithmetic. Returns how many slots are in use.
 */
export function* sweep(context: Context): Script<number> {
  const { layout, operations, terms } = context;
  let used = 0;
  for (let from = 0; from < layout.slots;) {
    const first = from;
    const busy = yield* operate('survey', (cells) => operations.survey(cells, layout, first));
    if (busy === null) break;
    const { slot, word, now } = busy;
    if (isTerminal(stateOf(word))) {
      const purged = yield* operate('purge', (cells) =>
        operations.purge(cells, layout, slot, word, now, terms.retentionTicks),
      );
      if (purged) yield count('purges');
    } else yield* expireLapsed(context, slot, word, now);
    used++;
    from = slot + 1;
  }
  return used;
}
