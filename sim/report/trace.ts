// One execution, told step by step: what each thread did, what it found, and what the slots held afterwards. The
// terminal and the HTML report are drawn from this.

import { Act, type Machine } from '../engine/machine.ts';
import { Kind, type Node, Wake } from '../engine/program.ts';

/** How the words of a model are shown. */
export interface View {
  readonly clock: number;
  /** The words whose values are shown beside the steps. */
  readonly shown: readonly number[];
  readonly nameOf: (address: number) => string;
  readonly describe: (address: number, word: bigint) => string;
}

/** Small numbers as they are, large ones in hexadecimal. */
export function plainWord(_address: number, word: bigint): string {
  const unsigned = BigInt.asUintN(64, word);
  return unsigned < 100_000n ? String(unsigned) : `0x${unsigned.toString(16)}`;
}

export interface TraceStep {
  /** From 1. */
  readonly number: number;
  /** -1 is a jump of the clock. */
  readonly thread: number;
  readonly text: string;
  /** What the thread did locally with it. */
  readonly notes: readonly string[];
  /** The thread before was taken off although it could have gone on. */
  readonly preempts: number | undefined;
  /** The shown words after the step. */
  readonly slots: readonly string[];
  readonly changed: boolean;
  /** Threads woken by this step. */
  readonly wakes: readonly number[];
  /** Who sleeps on which slot after the step. */
  readonly waiting: readonly (readonly [thread: number, word: string])[];
}

export interface Trace {
  readonly threads: readonly string[];
  readonly slots: readonly string[];
  readonly steps: readonly TraceStep[];
  readonly preemptions: number;
}

/** Tells the machine's current execution up to `depth`, by undoing and redoing it. */
export function tell(machine: Machine, view: View, names: readonly string[], depth = machine.depth): Trace {
  const choices = [];
  for (let d = 0; d < depth; d++) {
    choices.push([
      machine.stepThread[d] as number,
      machine.stepAct[d] as number,
      machine.stepResult[d] as number,
    ]);
  }
  machine.reset();
  const steps: TraceStep[] = [];
  let last = -1;
  let preemptions = 0;
  for (const [thread, act, result] of choices as [number, number, number][]) {
    const jump = act === Act.jump;
    const preempts = !jump && last >= 0 && last !== thread && machine.isEnabled(last) ? last : undefined;
    if (preempts !== undefined) preemptions++;
    const asleep = machine.stuck();
    if (jump) machine.jump();
    else {
      if (thread >= machine.stageTwoFrom) machine.stage = 2;
      machine.step(thread, machine.node(thread).kind === Kind.choose ? result : 0);
    }
    const d = machine.depth - 1;
    const woken = asleep & ~machine.stuck();
    const wakes = names.map((_, t) => t).filter((t) => t !== thread && (woken >>> t) & 1);
    steps.push({
      number: d + 1,
      thread: jump ? -1 : thread,
      text: jump
        ? `time jumps to ${machine.values.word(machine.memory[view.clock] as number)}`
        : textOf(machine, view, d),
      notes: jump ? [] : notesOf(machine, d),
      preempts,
      slots: slotsOf(machine, view),
      changed: (machine.stepAddress[d] as number) >= 0,
      wakes,
      waiting: waitersOf(machine, view),
    });
    last = jump || act === Act.crash ? -1 : thread;
  }
  machine.stage = 1;
  const slots = view.shown.map(view.nameOf);
  return { threads: names, slots, steps, preemptions };
}

function slotsOf(machine: Machine, view: View): string[] {
  return view.shown.map((address) =>
    view.describe(address, machine.values.word(machine.memory[address] as number)),
  );
}

function waitersOf(machine: Machine, view: View): (readonly [number, string])[] {
  const waiting: (readonly [number, string])[] = [];
  for (let t = 0; t < machine.threads; t++) {
    if (!((machine.stuck() >>> t) & 1)) continue;
    const { address } = machine.node(t);
    waiting.push([t, address < 0 ? 'sleeping' : view.nameOf(address)]);
  }
  return waiting;
}

function notesOf(machine: Machine, d: number): string[] {
  if (machine.stepAct[d] === Act.crash || machine.stepAct[d] === Act.enqueue) return [];
  return (machine.stepNext[d]?.notes ?? [])
    .filter((note) => note.value !== 'call')
    .map(
      (note) =>
        `${note.what}${note.fence === undefined ? '' : ` g${note.fence}`}${note.value === undefined || note.value === 'none' ? '' : ` (${note.value})`}`,
    );
}

function textOf(machine: Machine, view: View, d: number): string {
  const node = machine.stepNode[d] as Node;
  const act = machine.stepAct[d];
  if (act === Act.crash) return 'dies';
  const value = (id: number): string => view.describe(node.address, machine.values.word(id));
  const site = node.site.includes('.') ? node.site.slice(node.site.indexOf('.') + 1) : node.site;
  const operation = node.site.includes('.') ? `${node.site.slice(0, node.site.indexOf('.'))}: ` : '';
  const result = machine.stepResult[d] as number;
  if (act === Act.enqueue) return `${operation}${site} sleeps`;
  if (act === Act.resume) return result === Wake.woken ? 'is woken' : 'is woken by its timer';
  if (act === Act.timeout) return 'is woken early by its timer';
  // oxlint-disable-next-line typescript/switch-exhaustiveness-check -- the rest needs no more than its name
  switch (node.kind) {
    case Kind.load:
      return `${operation}${site} → ${value(result)}`;
    case Kind.store:
      return `${operation}${site} := ${value(node.x)}`;
    case Kind.compareExchange:
      return result === node.x
        ? `${operation}cas ${site.slice(16)} := ${value(node.y)}`
        : `${operation}cas ${site.slice(16)} fails, found ${value(result)}`;
    case Kind.notify:
      return `${operation}${site} wakes ${result}`;
    case Kind.wait:
      return `${operation}${site} finds it changed`;
    case Kind.choose:
      return `${site}: ${result}`;
    default:
      return `${operation}${site}`;
  }
}
