/**
 * The asynchronous half of the flight table, written once as scripts of effects, and run by `runner.ts` in production
 * and by the scheduler in the simulator. This file: start the flow of a key, or join the one under way.
 */
import { FULL } from './binding.ts';
import { TICK_MS } from './cells.ts';
import type { Context } from './context.ts';
import { after, FAILED, generationOf, ownerOf, passed, stateOf } from './control-word.ts';
import { count, operate, perform } from './effects.ts';
import type { Script, Woken } from './effects.ts';
import { expireLapsed } from './expiry.ts';
import { controlAddress } from './layout.ts';
import { lead } from './leader.ts';
import type { Outcome, Start } from './outcome.ts';
import type { Payload } from './payload.ts';
import type { Attempt } from './slot.ts';

/** How often a start may find that another thread was faster. */
export const RETRIES_MAX = 64;
/** The longest single wait: the bound for a leader that died between its exchange and its notify. */
const WAIT_MS_MAX = TICK_MS;

/** Starts the flow of a key, or joins the one under way. */
export function* start(context: Context, request: Start): Script<Outcome> {
  const { layout, operations, me, terms } = context;
  const slot = yield* operate('bind', (cells) => operations.bind(cells, layout, request.digest));
  if (slot === FULL) {
    yield count('full');
    return { kind: 'full' };
  }
  /** The generation whose end is this start's answer, once it has waited for one. */
  let awaited: number | null = null;
  /** The generation that this start itself leads, while it waits for its end. */
  let led: number | null = null;
  let deadline: number | null = null;
  let retries = 0;
  // Bounded by counting as well, so that not even a clock that stands still can keep a start here.
  for (let waits = 0; waits <= request.waitTicks + RETRIES_MAX && retries <= RETRIES_MAX;) {
    const generation: number | null = awaited;
    const attempt: Attempt = yield* operate('tryStart', (cells) =>
      operations.tryStart(cells, layout, slot, me, generation, terms.reserveTicks),
    );
    deadline ??= after(attempt.now, request.waitTicks);
    if (attempt.kind === 'won') {
      yield count('claims');
      if (attempt.takeover) yield count('takeovers');
      const outcome = yield* lead(context, request, { slot, word: attempt.word });
      if (outcome?.kind === 'led' && request.until === 'settled') {
        awaited = led = generationOf(attempt.word);
        continue;
      }
      if (outcome !== null) return outcome;
      // Fenced: whoever took over has a flow by now.
    } else if (attempt.kind === 'wait' || (attempt.kind === 'join' && request.until === 'settled')) {
      if (passed(attempt.now, deadline)) {
        yield count('waited_out');
        return { kind: 'waited-out' };
      }
      awaited = generationOf(attempt.word);
      waits++;
      yield* perform<Woken>({
        type: 'waitSlot',
        address: controlAddress(layout, slot),
        word: attempt.word,
        timeoutMs: WAIT_MS_MAX,
      });
      continue;
    } else if (attempt.kind === 'join' || attempt.kind === 'settled') {
      const outcome = yield* answer(context, request, slot, attempt, led);
      if (outcome !== null) return outcome;
      awaited = null;
    } else if (attempt.kind === 'lapsed') {
      yield* expireLapsed(context, slot, attempt.word, attempt.now);
    }
    yield count('retries');
    retries++;
  }
  yield count('contended');
  return { kind: 'contended' };
}

/**
 * Answers a start from a published or ended generation. Null when a published one has moved on meanwhile. The end of a
 * generation is an answer by itself, whatever the key is used for since: who led it must not have to lead once more.
 */
function* answer(
  context: Context,
  request: Start,
  slot: number,
  { kind, word }: Extract<Attempt, { kind: 'join' | 'settled' }>,
  led: number | null,
): Script<Outcome | null> {
  const { layout, operations } = context;
  const isOver = kind === 'settled';
  const generation = generationOf(word);
  const mine = generation === led;
  if (stateOf(word) === FAILED) {
    if (!mine) yield count('shared_failures');
    return { kind: 'failed', slot, generation, code: ownerOf(word), shared: !mine };
  }
  let seen = word;
  let payload: Payload | null = null;
  if (request.payload || !isOver) {
    const read = yield* operate('readPayload', (cells) => operations.readPayload(cells, layout, slot, word));
    if (read.kind === 'moved' && !isOver) return null;
    if (read.kind !== 'moved') seen = read.word;
    if (read.kind === 'read') payload = read.payload;
  }
  if (!mine) yield count('joins');
  return { kind: mine ? 'led' : 'joined', hold: { slot, word: seen }, payload };
}
