// What happened in one execution, as the invariants read it: the changes of every control word, of every key word and
// thread record, and what threads did and were told, in the order of the schedule.

import { deadlineOf, generationOf, ownerOf, stateOf, type State } from '../../gateway/flight/control-word.ts';
import { SLOT_WORDS } from '../../gateway/flight/layout.ts';
import { Act, type Machine } from '../engine/machine.ts';
import type { Note } from '../engine/program.ts';
import type { World } from './world.ts';

export interface Word {
  readonly state: State;
  readonly generation: number;
  readonly owner: number;
  readonly deadline: number;
}

/** A control word changed. */
export interface Turn {
  readonly step: number;
  readonly thread: number;
  readonly slot: number;
  readonly site: string;
  readonly before: Word;
  readonly after: Word;
}

/** Any other word changed. */
export interface Change {
  readonly step: number;
  readonly thread: number;
  readonly address: number;
  readonly site: string;
  readonly before: bigint;
  readonly after: bigint;
}

export interface Said {
  /** The step it belongs to; -1 before the first. */
  readonly step: number;
  readonly thread: number;
  readonly note: Note;
}

export interface History {
  readonly world: World;
  readonly turns: readonly Turn[];
  readonly changes: readonly Change[];
  readonly said: readonly Said[];
  /** The step at which a thread crashed; absent when it did not. */
  readonly deaths: ReadonlyMap<number, number>;
  readonly end: 'settled' | 'wedged' | 'runaway';
  readonly initial: (slot: number) => Word;
  readonly steps: number;
  /** Threads that sleep at the end. */
  readonly asleep: readonly number[];
}

export interface Historian {
  /** Reads the machine's current execution. */
  read(machine: Machine, end: History['end']): History;
}

const NOBODY: ReadonlyMap<number, number> = new Map();

function decode(word: bigint): Word {
  return {
    state: stateOf(word),
    generation: generationOf(word),
    owner: ownerOf(word),
    deadline: deadlineOf(word),
  };
}

/** Cost: words are decoded once per distinct value, so reading an execution is a walk over its steps. */
export function createHistorian(world: World): Historian {
  const { layout } = world;
  const decoded: Word[] = [];
  const wordOf = (machine: Machine, id: number): Word => (decoded[id] ??= decode(machine.values.word(id)));
  const initial = (slot: number): Word =>
    decode(world.initial.get(layout.slotBase + slot * SLOT_WORDS + 2) ?? 0n);
  return {
    read(machine, end) {
      const turns: Turn[] = [];
      const changes: Change[] = [];
      const said: Said[] = [];
      let deaths: Map<number, number> | undefined;
      for (let t = 0; t < machine.threads; t++) {
        if (t >= machine.stageTwoFrom) continue;
        for (const note of machine.programs[t]?.root().notes ?? []) said.push({ step: -1, thread: t, note });
      }
      for (let step = 0; step < machine.depth; step++) {
        const thread = machine.stepThread[step] as number;
        const act = machine.stepAct[step];
        if (act === Act.crash) (deaths ??= new Map()).set(thread, step);
        if (act === Act.crash || act === Act.jump || act === Act.enqueue) continue;
        const address = machine.stepAddress[step] as number;
        if (address >= 0) {
          const site = machine.stepNode[step]?.site ?? '';
          const offset = address - layout.slotBase;
          const before = machine.stepBefore[step] as number;
          const after = machine.stepAfter[step] as number;
          if (offset >= 0 && address < layout.blockBase && offset % SLOT_WORDS === 2) {
            const slot = (offset - 2) / SLOT_WORDS;
            const turn = {
              step,
              thread,
              slot,
              site,
              before: wordOf(machine, before),
              after: wordOf(machine, after),
            };
            turns.push(turn);
          } else if (address !== machine.clock) {
            const { values } = machine;
            changes.push({
              step,
              thread,
              address,
              site,
              before: values.word(before),
              after: values.word(after),
            });
          }
        }
        const notes = machine.stepNext[step]?.notes;
        if (notes !== undefined) for (const note of notes) said.push({ step, thread, note });
      }
      return {
        world,
        turns,
        changes,
        said,
        deaths: deaths ?? NOBODY,
        end,
        initial,
        steps: machine.depth,
        asleep: end === 'wedged' ? sleepers(machine) : [],
      };
    },
  };
}

function sleepers(machine: Machine): number[] {
  const mask = machine.stuck();
  return Array.from({ length: machine.threads }, (_, t) => t).filter((t) => (mask >>> t) & 1);
}
