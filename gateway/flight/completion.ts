/**
 * The leader's long run: follows a published flow to its end, and is the only one who persists what it grants.
 */
import { TICK_MS } from './cells.ts';
import type { Context } from './context.ts';
import { generationOf } from './control-word.ts';
import { count, operate, perform } from './effects.ts';
import type { Hold, Persisted, Polled, Script, Woken } from './effects.ts';
import { FAILURES } from './failure.ts';
import { controlAddress, NO_BLOCK } from './layout.ts';
import { expireLapsed, view } from './expiry.ts';
import { rollBack } from './leader.ts';

/** How a published flow ended, as its leader saw it. */
export type Completion =
  | { readonly kind: 'succeeded' }
  | { readonly kind: 'failed'; readonly code: number }
  /** Cancelled, expired, or lost to another: not this leader's to end. */
  | { readonly kind: 'stopped' };

/** How many answers "still pending" a leader takes; the flow's own deadline comes long before. */
const POLLS_MAX = 100_000;
/** The least pause between two polls, whatever the provider says. */
const POLL_MS_MIN = TICK_MS;

/**
 * Follows a published flow to its end: polls the provider, and persists what it grants. Sleeps on the control word, so
 * that a cancel stops it at once.
 */
export function* complete(context: Context, flow: Hold, firstWaitMs: number): Script<Completion> {
  const { layout, operations, terms } = context;
  const { slot, word } = flow;
  let waitMs = firstWaitMs;
  for (let polls = 0; polls < POLLS_MAX; polls++) {
    // A call that answers at once, such as a refresh, has nothing to wait for.
    const woken: Woken =
      waitMs === 0
        ? 'timed-out'
        : yield* perform<Woken>({
            type: 'waitSlot',
            address: controlAddress(layout, slot),
            word,
            timeoutMs: waitMs,
          });
    const seen = yield* operate('look', (cells) =>
      operations.look(cells, layout, slot, generationOf(word), terms.retentionTicks),
    );
    if (seen.kind === 'unknown' || seen.word !== word) return { kind: 'stopped' };
    if (seen.lapsed) {
      yield* expireLapsed(context, slot, word, seen.now);
      return { kind: 'stopped' };
    }
    if (woken === 'woken') continue;
    const polled = yield* perform<Polled>({
      type: 'poll',
      hold: flow,
      timeoutMs: (terms.reserveTicks - terms.marginTicks) * TICK_MS,
    });
    if (polled.kind === 'approved') return yield* commit(context, flow);
    if (polled.kind === 'failed') return yield* abandon(context, flow, polled.code, polled.coolDownTicks);
    waitMs = Math.max(POLL_MS_MIN, polled.waitMs);
  }
  return yield* abandon(context, flow, FAILURES['provider-timeout'], terms.coolDownTicks);
}

/** Persists under COMMITTING, which a cancel cannot interrupt and an expiry cannot overtake. */
function* commit(context: Context, flow: Hold): Script<Completion> {
  const { layout, operations, terms } = context;
  const { slot } = flow;
  const committing = yield* operate('beginCommit', (cells) =>
    operations.beginCommit(cells, layout, slot, flow.word, terms.commitTicks),
  );
  if (committing === null) {
    yield count('fenced');
    // A flow past its deadline is ended here, by the one who noticed.
    yield* view(context, slot, generationOf(flow.word));
    return { kind: 'stopped' };
  }
  const hold: Hold = { slot, word: committing };
  const persisted = yield* perform<Persisted>({
    type: 'persist',
    hold,
    timeoutMs: (terms.commitTicks - terms.marginTicks) * TICK_MS,
  });
  if (persisted.kind === 'failed')
    return yield* abandon(context, hold, persisted.code, persisted.coolDownTicks);
  const finished = yield* operate('finish', (cells) => operations.finish(cells, layout, slot, committing));
  yield count(finished === null ? 'fenced' : 'successes');
  return finished === null ? { kind: 'stopped' } : { kind: 'succeeded' };
}

function* abandon(context: Context, hold: Hold, code: number, coolDownTicks: number): Script<Completion> {
  const rolledBack = yield* rollBack(context, hold, NO_BLOCK, code, coolDownTicks);
  return rolledBack === null ? { kind: 'stopped' } : { kind: 'failed', code };
}
