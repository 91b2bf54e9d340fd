/** Runs a script of the driver against plain cells and scripted answers, and keeps what it asked for. */
import type { Context, Terms } from '../../gateway/flight/context.ts';
import type { Effect, Script } from '../../gateway/flight/effects.ts';
import { operations } from '../../gateway/flight/operations.ts';
import { smallTable } from './plain-cells.ts';
import type { PlainCells } from './plain-cells.ts';

export const TERMS: Terms = {
  reserveTicks: 120,
  commitTicks: 120,
  marginTicks: 40,
  retentionTicks: 1200,
  coolDownTicks: 8,
};

type EffectOf<T extends Effect['type']> = Extract<Effect, { type: T }>;
type Asked = Exclude<Effect['type'], 'operate' | 'count'>;
export type Answers = { [T in Asked]?: (effect: EffectOf<T>) => unknown };

export interface Played<T> {
  readonly outcome: T;
  /** The asynchronous effects, by type, in order. */
  readonly asked: string[];
  readonly counted: string[];
  readonly operated: string[];
}

/** The most effects a script may ask for here; more is an endless loop. */
const EFFECTS_MAX = 2000;

export function play<T>(script: Script<T>, cells: PlainCells, answers: Answers): Played<T> {
  const asked: string[] = [];
  const counted: string[] = [];
  const operated: string[] = [];
  let step = script.next();
  for (let effects = 0; !step.done; effects++) {
    if (effects > EFFECTS_MAX) throw new Error(`endless: ${asked.slice(-5).join(', ')}`);
    const effect = step.value;
    let answer: unknown;
    if (effect.type === 'operate') {
      operated.push(effect.name);
      answer = effect.run(cells);
    } else if (effect.type === 'count') counted.push(effect.counter);
    else {
      asked.push(effect.type);
      const handler = answers[effect.type] as ((effect: Effect) => unknown) | undefined;
      if (handler === undefined) throw new Error(`no answer for ${effect.type}`);
      answer = handler(effect);
    }
    step = script.next(answer);
  }
  return { outcome: step.value, asked, counted, operated };
}

export function context(me = 1, terms: Terms = TERMS): { cells: PlainCells; context: Context } {
  const { cells, layout } = smallTable();
  return { cells, context: { layout, operations, me, terms } };
}
