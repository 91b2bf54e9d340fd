import { IDLE, PENDING, RESERVED, type State } from '../../../gateway/flight/control-word.ts';
import type { Note } from '../../../sim/engine/program.ts';
import type { InvariantId } from '../../../sim/invariants/ids.ts';
import type { Change, History, Said, Turn, Word } from '../../../sim/world/history.ts';
import type { Plan } from '../../../sim/world/plan.ts';
import { packRecord } from '../../../sim/world/vault.ts';
import { shipped, worldOf } from '../../../sim/world/world.ts';

// Histories written by hand: the checkers are held to what a person says, before the table is held to the checkers.

export const none: Word = { state: IDLE, generation: 0, owner: 0, deadline: 0 };
export const word = (state: State, generation: number, owner = 0): Word => ({
  state,
  generation,
  owner,
  deadline: 104,
});

interface Draft {
  readonly plan?: Partial<Plan>;
  readonly turns?: readonly (readonly [thread: number, before: Word, after: Word, site?: string])[];
  readonly said?: readonly (readonly [step: number, thread: number, note: Note])[];
  readonly changes?: readonly (readonly [thread: number, address: number, after: bigint, before?: bigint])[];
  readonly deaths?: ReadonlyMap<number, number>;
  readonly end?: History['end'];
  readonly initial?: Word;
  /** Whose word the turns are of. */
  readonly slot?: number;
}

const start = { does: 'start', key: 0, payload: true } as const;
const basePlan: Plan = { keys: 2, slots: 2, bound: true, threads: [start, start, start] };

/** Turn number n is step 10 n, change number n is step 10 n + 5: notes can be put between. */
export function history(draft: Draft): History {
  const world = worldOf({ ...basePlan, ...draft.plan }, shipped);
  const turns: Turn[] = (draft.turns ?? []).map(([thread, before, after, site = 'tryStart.cas'], at) => ({
    step: at * 10,
    thread,
    slot: draft.slot ?? 0,
    site,
    before,
    after,
  }));
  const changes: Change[] = (draft.changes ?? []).map(([thread, address, after, before = 0n], at) => ({
    step: at * 10 + 5,
    thread,
    address,
    site: 'somewhere',
    before,
    after,
  }));
  const said: Said[] = (draft.said ?? []).map(([step, thread, note]) => ({ step, thread, note }));
  return {
    world,
    turns,
    changes,
    said,
    deaths: draft.deaths ?? new Map(),
    end: draft.end ?? 'settled',
    initial: () => draft.initial ?? none,
    steps: 100,
    asleep: draft.end === 'wedged' ? [1] : [],
  };
}

export const { layout } = worldOf(basePlan, shipped);
/** An account whose token 1 is stored and due, and where its record lies. */
export const account = { vault: { stored: true } } as const;
export const { vault: record } = worldOf({ ...basePlan, ...account }, shipped);
export const stored = (version: number): bigint => packRecord({ version, refused: false }, 0n);
export const about = (what: string, code: number): Note => ({ what, code });
export const claim1 = [0, none, word(RESERVED, 1)] as const;
export const publish1 = [0, word(RESERVED, 1), word(PENDING, 1)] as const;
export const calls = { what: 'start', key: 'k0', value: 'call' };
export const joined1 = { what: 'joined', key: 'k0', slot: 0, fence: 1, code: PENDING };
export const created1 = { what: 'create', slot: 0, fence: 1 };

export interface Case {
  readonly id: InvariantId;
  readonly what: string;
  readonly draft: Draft;
}
