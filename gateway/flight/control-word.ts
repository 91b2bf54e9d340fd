/**
 * The control word of a slot, the one word that decides.
 *
 * ```
 *  63            40 39               15 14        3 2     0
 * ┌────────────────┬───────────────────┬───────────┬───────┐
 * │  deadline: 24  │  generation: 25   │ owner: 12 │ state │
 * └────────────────┴───────────────────┴───────────┴───────┘
 * ```
 *
 * The deadline of a live state is the end of its lease (RESERVED, COMMITTING) or of the flow (PENDING). The deadline of
 * a terminal state is the moment from which it may be claimed again: the end of the cool-down for FAILED, the
 * transition itself for the others; its retention is counted from there. In FAILED nobody owns the slot any more, so
 * the owner's field holds the reason. Deadlines and generations wrap and are only ever compared by serial arithmetic.
 */

export const IDLE = 0;
export const RESERVED = 1;
export const PENDING = 2;
export const COMMITTING = 3;
export const SUCCESS = 4;
export const FAILED = 5;
export const CANCELLED = 6;
export const EXPIRED = 7;

export type State = 0 | 1 | 2 | 3 | 4 | 5 | 6 | 7;
export type StateName =
  'idle' | 'reserved' | 'pending' | 'committing' | 'success' | 'failed' | 'cancelled' | 'expired';

const NAMES: readonly StateName[] = [
  'idle',
  'reserved',
  'pending',
  'committing',
  'success',
  'failed',
  'cancelled',
  'expired',
];

export const OWNER_MAX = 0xfff;
export const GENERATION_MASK = 0x1ffffff;
const GENERATION_HALF = 0x1000000;
export const TICK_MASK = 0xffffff;
const TICK_HALF = 0x800000;

/** Packs a control word. Generation and deadline are taken modulo their width. */
export function pack(state: State, generation: number, owner: number, deadline: number): bigint {
  // The low 40 bits are exact in a double; only the last join needs a bigint.
  const low = (generation & GENERATION_MASK) * 0x8000 + owner * 8 + state;
  return BigInt.asIntN(64, (BigInt(deadline & TICK_MASK) << 40n) | BigInt(low));
}

export function stateOf(word: bigint): State {
  return Number(word & 7n) as State;
}

export function ownerOf(word: bigint): number {
  return Number((word >> 3n) & 0xfffn);
}

export function generationOf(word: bigint): number {
  return Number((word >> 15n) & 0x1ffffffn);
}

export function deadlineOf(word: bigint): number {
  return Number((word >> 40n) & 0xffffffn);
}

export function stateName(word: bigint): StateName {
  return NAMES[stateOf(word)]!;
}

export function isLive(state: State): boolean {
  return state === RESERVED || state === PENDING || state === COMMITTING;
}

export function isTerminal(state: State): boolean {
  return state >= SUCCESS;
}

/** Whether `deadline` is not after `now`, for two ticks less than 24 days apart. */
export function passed(now: number, deadline: number): boolean {
  return ((now - deadline) & TICK_MASK) < TICK_HALF;
}

/** Ticks from `now` until `deadline`; 0 when it has passed. */
export function ticksUntil(now: number, deadline: number): number {
  return passed(now, deadline) ? 0 : (deadline - now) & TICK_MASK;
}

/** The tick `ticks` after `now`, modulo the width. */
export function after(now: number, ticks: number): number {
  return (now + ticks) & TICK_MASK;
}

export function nextGeneration(generation: number): number {
  return (generation + 1) & GENERATION_MASK;
}

/** Whether generation `a` came after `b`, for two generations less than 2^24 claims apart. */
export function newer(a: number, b: number): boolean {
  const distance = (a - b) & GENERATION_MASK;
  return distance !== 0 && distance < GENERATION_HALF;
}

/** A control word for people: `PENDING g4 t2 dl 80`, `FAILED g4 code 3 dl 88`. */
export function describeControl(word: bigint): string {
  const state = stateOf(word);
  const name = NAMES[state]!.toUpperCase();
  const generation = `g${generationOf(word)}`;
  if (state === IDLE) return `${name} ${generation}`;
  const who = state === FAILED ? ` code ${ownerOf(word)}` : isLive(state) ? ` t${ownerOf(word)}` : '';
  return `${name} ${generation}${who} dl ${deadlineOf(word)}`;
}
