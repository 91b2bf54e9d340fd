/**
 * The leader's half of the driver: from a claimed generation to a published flow, and every way out of it.
 */
import { TICK_MS } from './cells.ts';
import type { Context } from './context.ts';
import { generationOf } from './control-word.ts';
import { count, operate, perform } from './effects.ts';
import type { Created, Hold, Script } from './effects.ts';
import { FAILURES } from './failure.ts';
import { NO_BLOCK } from './layout.ts';
import type { Outcome, Start } from './outcome.ts';

/**
 * Leads a claimed generation to its publication. Null when it was fenced: a stalled leader learns here that others went
 * on without it. The block is taken before the provider is called, so that no flow is made that joiners cannot be told.
 */
export function* lead(context: Context, request: Start, claim: Hold): Script<Outcome | null> {
  const { layout, operations, terms } = context;
  const { slot } = claim;
  let block = NO_BLOCK;
  if (request.payload) {
    block = yield* operate('takeBlock', (cells) => operations.takeBlock(cells, layout, slot, claim.word));
    if (block === NO_BLOCK) {
      yield count('blocks_exhausted');
      return yield* rollBack(context, claim, NO_BLOCK, FAILURES['no-payload-block'], terms.coolDownTicks);
    }
  }
  let word = claim.word;
  let created: Created = { kind: 'running' };
  for (let slice = 0; slice < request.leases && created.kind === 'running'; slice++) {
    if (slice > 0) {
      const held = word;
      const renewed: bigint | null = yield* operate('renew', (cells) =>
        operations.renew(cells, layout, slot, held, terms.reserveTicks),
      );
      if (renewed === null) return yield* fenced(context, { slot, word: held }, block);
      word = renewed;
    }
    created = yield* perform<Created>({
      type: 'create',
      hold: { slot, word },
      slice,
      last: slice === request.leases - 1,
      timeoutMs: (terms.reserveTicks - terms.marginTicks) * TICK_MS,
    });
  }
  const hold: Hold = { slot, word };
  if (created.kind === 'running') {
    yield* perform<void>({ type: 'discard', hold });
    return yield* rollBack(context, hold, block, FAILURES['provider-timeout'], terms.coolDownTicks);
  }
  if (created.kind === 'failed')
    return yield* rollBack(context, hold, block, created.code, created.coolDownTicks);
  const { payload, flowTicks } = created;
  if (block !== NO_BLOCK && payload === null) {
    yield* operate('freeBlock', (cells) => operations.freeBlock(cells, layout, slot, word, block));
    block = NO_BLOCK;
  } else if (block !== NO_BLOCK && payload !== null) {
    const fits = yield* operate('writePayload', (cells) =>
      operations.writePayload(cells, layout, block, payload),
    );
    if (!fits) {
      yield count('oversized');
      yield* perform<void>({ type: 'discard', hold });
      return yield* rollBack(context, hold, block, FAILURES['payload-oversized'], terms.coolDownTicks);
    }
  }
  const published = yield* operate('publish', (cells) =>
    operations.publish(cells, layout, slot, word, block, flowTicks),
  );
  if (published === null) return yield* fenced(context, hold, NO_BLOCK);
  yield count('published');
  const flow: Hold = { slot, word: published };
  if (!(yield* perform<boolean>({ type: 'spawn', hold: flow }))) {
    yield count('spawn_failures');
    yield* perform<void>({ type: 'discard', hold: flow });
    return yield* rollBack(context, flow, NO_BLOCK, FAILURES['spawn-failed'], terms.coolDownTicks);
  }
  return { kind: 'led', hold: flow, payload };
}

/** The leader's way out when its flight came to nothing. Null when it had lost the slot before. */
export function* rollBack(
  context: Context,
  hold: Hold,
  block: number,
  code: number,
  coolDownTicks: number,
): Script<Outcome | null> {
  const { layout, operations } = context;
  const { slot, word } = hold;
  const failed = yield* operate('fail', (cells) =>
    operations.fail(cells, layout, slot, word, code, coolDownTicks),
  );
  yield count(failed === null ? 'fenced' : 'failures');
  if (block !== NO_BLOCK) {
    yield* operate('freeBlock', (cells) => operations.freeBlock(cells, layout, slot, word, block));
  }
  return failed === null
    ? null
    : { kind: 'failed', slot, generation: generationOf(word), code, shared: false };
}

/** The leader's way out when it lost its lease: what the provider made or will make is dropped. */
function* fenced(context: Context, hold: Hold, block: number): Script<null> {
  const { layout, operations } = context;
  yield count('fenced');
  yield* perform<void>({ type: 'discard', hold });
  if (block !== NO_BLOCK) {
    yield* operate('freeBlock', (cells) => operations.freeBlock(cells, layout, hold.slot, hold.word, block));
  }
  return null;
}
