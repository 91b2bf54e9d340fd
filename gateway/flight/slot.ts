/**
 * The transitions of a slot. Each is one exchange of the whole control word, followed by a notify of that word; nothing
 * is decided by two words.
 *
 * ```
 *            tryStart              publish                beginCommit              finish
 *   IDLE g ──────────► RESERVED g+1 ──────► PENDING g+1 ──────────────► COMMITTING ──────► SUCCESS
 *     ▲                  │  │  ▲ take-over    │  │  └ cancel ► CANCELLED      │
 *     │ purge            │  └──┘ (g+2)        │  └ expire ► EXPIRED           │
 *   terminal ◄───────────┴─────── fail ───────┴───────────────────────────────┘ FAILED(code)
 *     └──► tryStart claims g+1 from any terminal state; FAILED only after its cool-down
 * ```
 *
 * Only the owner, who holds the exact word, may renew, publish, begin to commit, finish or fail. Anyone may cancel,
 * expire, take over and purge. The clock decides when, never whether: each exchange names the word it replaces.
 */
import type { Cells } from './cells.ts';
import {
  after,
  CANCELLED,
  COMMITTING,
  deadlineOf,
  EXPIRED,
  FAILED,
  generationOf,
  IDLE,
  isLive,
  isTerminal,
  newer,
  nextGeneration,
  ownerOf,
  pack,
  passed,
  PENDING,
  RESERVED,
  stateOf,
  SUCCESS,
} from './control-word.ts';
import type { Layout } from './layout.ts';
import { controlAddress, historyAddress } from './layout.ts';
import { FAILURES } from './failure.ts';

/** One decision of `tryStart`. `word` is the control word that holds now; `now` is the tick it was judged at. */
export type Attempt =
  /** The caller leads this generation: it must publish or fail it. */
  | { readonly kind: 'won'; readonly word: bigint; readonly now: number; readonly takeover: boolean }
  /** Somebody else is starting it: wait for the word to change, then try again. */
  | { readonly kind: 'wait'; readonly word: bigint; readonly now: number }
  /** A flow is under way: read its payload. */
  | { readonly kind: 'join'; readonly word: bigint; readonly now: number }
  /** The awaited generation has ended, or a failure is cooling down: share it. */
  | { readonly kind: 'settled'; readonly word: bigint; readonly now: number }
  /** A deadline has passed: expire this word, then try again. */
  | { readonly kind: 'lapsed'; readonly word: bigint; readonly now: number }
  /** Another thread was faster: try again. */
  | { readonly kind: 'retry'; readonly now: number };

/**
 * Starts or joins, in one decision.
 *
 * `awaited` is the generation that the caller has waited for, or null: its end is shared with the caller, whatever it
 * was and even if the key was claimed again since, so that the joiners of a burst do not become claimants one after the
 * other. The exception is a leader that died, whose end nobody meant.
 */
export function tryStart(
  cells: Cells,
  layout: Layout,
  slot: number,
  me: number,
  awaited: number | null,
  reserveTicks: number,
): Attempt {
  const control = controlAddress(layout, slot);
  const word = cells.load(control);
  const now = cells.tick();
  const state = stateOf(word);
  if (awaited !== null && generationOf(word) !== awaited) {
    const end = cells.load(historyAddress(layout, slot, awaited));
    if (generationOf(end) === awaited && end !== 0n && shared(end, awaited, now))
      return { kind: 'settled', word: end, now };
  }
  if (state === PENDING || state === COMMITTING) {
    return { kind: passed(now, deadlineOf(word)) ? 'lapsed' : 'join', word, now };
  }
  if (state === RESERVED && !passed(now, deadlineOf(word))) return { kind: 'wait', word, now };
  if (isTerminal(state)) {
    if (shared(word, awaited, now)) return { kind: 'settled', word, now };
    remember(cells, layout, slot, word);
  }
  const next = pack(RESERVED, nextGeneration(generationOf(word)), me, after(now, reserveTicks));
  if (cells.compareExchange(control, word, next) !== word) return { kind: 'retry', now };
  cells.notify(control);
  return { kind: 'won', word: next, now, takeover: state === RESERVED };
}

/** Whether the end of a flight is the caller's answer too. */
function shared(word: bigint, awaited: number | null, now: number): boolean {
  if (stateOf(word) !== FAILED) return generationOf(word) === awaited;
  if (ownerOf(word) === FAILURES['owner-died']) return false;
  return generationOf(word) === awaited || !passed(now, deadlineOf(word));
}

/**
 * Keeps a terminal word readable after the key is claimed again. Before the claim, so that it is never lost; a terminal
 * word never changes, so all claimants write the same; only forward, so that a late one harms nothing.
 */
function remember(cells: Cells, layout: Layout, slot: number, word: bigint): void {
  const address = historyAddress(layout, slot, generationOf(word));
  const old = cells.load(address);
  if (old === 0n || newer(generationOf(word), generationOf(old))) cells.compareExchange(address, old, word);
}

/** Exchanges the exact word that the caller holds, and wakes the waiters. Returns the new word, null when fenced. */
function move(cells: Cells, layout: Layout, slot: number, word: bigint, next: bigint): bigint | null {
  const control = controlAddress(layout, slot);
  if (cells.compareExchange(control, word, next) !== word) return null;
  cells.notify(control);
  return next;
}

/** Extends the owner's lease on RESERVED or COMMITTING. Returns the new word, null when the lease was lost. */
export function renew(
  cells: Cells,
  layout: Layout,
  slot: number,
  word: bigint,
  ticks: number,
): bigint | null {
  const deadline = after(cells.tick(), ticks);
  return move(cells, layout, slot, word, pack(stateOf(word), generationOf(word), ownerOf(word), deadline));
}

/**
 * PENDING → COMMITTING, so that a cancel and a persist exclude each other. Refuses a flow past its deadline: expiry
 * wins over a late success. Returns the new word, null when cancelled, expired or lost.
 */
export function beginCommit(
  cells: Cells,
  layout: Layout,
  slot: number,
  word: bigint,
  commitTicks: number,
): bigint | null {
  const now = cells.tick();
  if (passed(now, deadlineOf(word))) return null;
  const next = pack(COMMITTING, generationOf(word), ownerOf(word), after(now, commitTicks));
  return move(cells, layout, slot, word, next);
}

/** COMMITTING → SUCCESS, after the credentials are persisted. Returns the new word, null when the lease was lost. */
export function finish(cells: Cells, layout: Layout, slot: number, word: bigint): bigint | null {
  return move(cells, layout, slot, word, pack(SUCCESS, generationOf(word), ownerOf(word), cells.tick()));
}

/**
 * Any live state → FAILED(code), by its owner: every way out of a flight that is not a success ends here. The failure is
 * shared with starts for `coolDownTicks`, at least one tick, which also bounds how fast generations can wrap.
 */
export function fail(
  cells: Cells,
  layout: Layout,
  slot: number,
  word: bigint,
  code: number,
  coolDownTicks: number,
): bigint | null {
  const deadline = after(cells.tick(), Math.max(1, coolDownTicks));
  return move(cells, layout, slot, word, pack(FAILED, generationOf(word), code, deadline));
}

/** The answer to a cancel. Only `cancelled` changed anything. */
export type Cancel =
  | { readonly kind: 'cancelled'; readonly word: bigint }
  /** Not published yet: nobody can have been told of this flow. */
  | { readonly kind: 'starting'; readonly word: bigint }
  /** Being persisted: too late is the honest answer. */
  | { readonly kind: 'too-late'; readonly word: bigint }
  /** It has ended already, in the state that the word names. */
  | { readonly kind: 'ended'; readonly word: bigint }
  | { readonly kind: 'unknown' };

/** How often a word of one generation can change under a cancel that has seen it PENDING: commit, end, next claim. */
const CANCEL_ATTEMPTS = 4;

/** PENDING(generation) → CANCELLED, by anyone. */
export function cancel(cells: Cells, layout: Layout, slot: number, generation: number): Cancel {
  const control = controlAddress(layout, slot);
  for (let attempt = 0; attempt < CANCEL_ATTEMPTS; attempt++) {
    const word = cells.load(control);
    if (generationOf(word) !== generation || stateOf(word) === IDLE)
      return ended(cells, layout, slot, generation);
    const state = stateOf(word);
    if (state === RESERVED) return { kind: 'starting', word };
    if (state === COMMITTING) return { kind: 'too-late', word };
    if (state !== PENDING) return { kind: 'ended', word };
    const next = pack(CANCELLED, generation, ownerOf(word), cells.tick());
    if (cells.compareExchange(control, word, next) === word) {
      cells.notify(control);
      return { kind: 'cancelled', word: next };
    }
  }
  return { kind: 'unknown' };
}

function ended(cells: Cells, layout: Layout, slot: number, generation: number): Cancel {
  const word = cells.load(historyAddress(layout, slot, generation));
  if (word === 0n || generationOf(word) !== generation) return { kind: 'unknown' };
  return { kind: 'ended', word };
}

/**
 * Ends a live word whose deadline has passed: PENDING → EXPIRED, and for a leader that stalled RESERVED → FAILED
 * (lease-lost), COMMITTING → FAILED(commit-unknown). By anyone who noticed; `now` is when. Returns the new word, null
 * when there is nothing to end or somebody was faster.
 */
export function expire(cells: Cells, layout: Layout, slot: number, word: bigint, now: number): bigint | null {
  const next = lapse(word, now);
  return next === null ? null : move(cells, layout, slot, word, next);
}

/** What a live word past its deadline turns into; null for any other. */
function lapse(word: bigint, now: number): bigint | null {
  const state = stateOf(word);
  if (!isLive(state) || !passed(now, deadlineOf(word))) return null;
  if (state === PENDING) return pack(EXPIRED, generationOf(word), ownerOf(word), now);
  const code = state === RESERVED ? FAILURES['lease-lost'] : FAILURES['commit-unknown'];
  return pack(FAILED, generationOf(word), code, after(now, 1));
}

/** A look at one generation, for a poll: its word, current or remembered, and the tick it was read at. */
export type Look =
  | { readonly kind: 'seen'; readonly word: bigint; readonly now: number; readonly lapsed: boolean }
  | { readonly kind: 'unknown' };

/** Reads the state of a flow. A lapsed word is to be expired by the caller before it is reported. */
export function look(
  cells: Cells,
  layout: Layout,
  slot: number,
  generation: number,
  retentionTicks: number,
): Look {
  const word = cells.load(controlAddress(layout, slot));
  const now = cells.tick();
  if (generationOf(word) === generation && stateOf(word) !== IDLE) {
    const live = isLive(stateOf(word));
    return { kind: 'seen', word, now, lapsed: live && passed(now, deadlineOf(word)) };
  }
  const old = cells.load(historyAddress(layout, slot, generation));
  const known = old !== 0n && generationOf(old) === generation;
  if (!known || passed(now, after(deadlineOf(old), retentionTicks))) return { kind: 'unknown' };
  return { kind: 'seen', word: old, now, lapsed: false };
}

/** A slot that is not idle, for the sweeper. */
export interface Busy {
  readonly slot: number;
  readonly word: bigint;
  readonly now: number;
}

/** Finds the first slot from `from` on that is not idle. Cost: one load a slot. */
export function survey(cells: Cells, layout: Layout, from: number): Busy | null {
  for (let slot = from; slot < layout.slots; slot++) {
    const word = cells.load(controlAddress(layout, slot));
    if (stateOf(word) !== IDLE) return { slot, word, now: cells.tick() };
  }
  return null;
}
