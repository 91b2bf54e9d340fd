// A schedule as data: which thread took each step, and which alternative where something was left to chance. Its text
// form is one token a step, `2` or `2/1`, and `t` for a jump of the clock.

import { Act, type Machine } from '../engine/machine.ts';
import { Kind } from '../engine/program.ts';

export interface Choice {
  /** -1 is a jump of the clock. */
  readonly thread: number;
  readonly alternative: number;
}

export type Schedule = readonly Choice[];

/** The schedule of the machine's current execution, without its liveness stage. */
export function scheduleOf(machine: Machine, depth = machine.depth): Schedule {
  const choices: Choice[] = [];
  for (let d = 0; d < depth; d++) {
    const jump = machine.stepAct[d] === Act.jump;
    const chosen = machine.stepNode[d]?.kind === Kind.choose && machine.stepAct[d] === Act.operation;
    choices.push({
      thread: jump ? -1 : (machine.stepThread[d] as number),
      alternative: chosen && !jump ? (machine.stepResult[d] as number) : 0,
    });
  }
  return choices;
}

export function formatSchedule(schedule: Schedule): string {
  return schedule
    .map(({ thread, alternative }) =>
      thread < 0 ? 't' : alternative > 0 ? `${thread}/${alternative}` : `${thread}`,
    )
    .join(' ');
}

/** Errors: a token that is none is a RangeError. */
export function parseSchedule(text: string): Schedule {
  if (text.trim() === '') return [];
  return text
    .trim()
    .split(/\s+/)
    .map((token) => {
      if (token === 't') return { thread: -1, alternative: 0 };
      const match = /^(\d{1,2})(?:\/(\d{1,2}))?$/.exec(token);
      if (match === null) throw new RangeError(`"${token}" is no step of a schedule`);
      return { thread: Number(match[1]), alternative: Number(match[2] ?? 0) };
    });
}
