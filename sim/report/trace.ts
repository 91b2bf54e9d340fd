// One execution, told step by step: what each thread did, what it found, and what the slots held afterwards. The
// terminal and the HTML report are drawn from this.

import { describeControl } from '../../gateway/flight/control-word.ts';
import { controlAddress } from '../../gateway/flight/layout.ts';
import { Act, type Machine } from '../engine/machine.ts';
import { Kind, type Node, Wake } from '../engine/program.ts';
import type { World } from '../world/world.ts';

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
  /** Control words after the step. */
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
export function tell(machine: Machine, world: World, names: readonly string[], depth = machine.depth): Trace {
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
        ? `time jumps to ${machine.values.word(machine.memory[world.clock] as number)}`
        : textOf(machine, world, d),
      notes: jump ? [] : notesOf(machine, d),
      preempts,
      slots: slotsOf(machine, world),
      changed: (machine.stepAddress[d] as number) >= 0,
      wakes,
      waiting: waitersOf(machine, world),
    });
    last = jump || act === Act.crash ? -1 : thread;
  }
  machine.stage = 1;
  const slots = Array.from({ length: world.layout.slots }, (_, slot) => `CTL[${slot}]`);
  return { threads: names, slots, steps, preemptions };
}

function slotsOf(machine: Machine, world: World): string[] {
  return Array.from({ length: world.layout.slots }, (_, slot) =>
    describeControl(machine.values.word(machine.memory[controlAddress(world.layout, slot)] as number)),
  );
}

function waitersOf(machine: Machine, world: World): (readonly [number, string])[] {
  const waiting: (readonly [number, string])[] = [];
  for (let t = 0; t < machine.threads; t++) {
    if (!((machine.stuck() >>> t) & 1)) continue;
    const { address } = machine.node(t);
    waiting.push([t, address < 0 ? 'sleeping' : nameWord(world, address)]);
  }
  return waiting;
}

function nameWord(world: World, address: number): string {
  for (let slot = 0; slot < world.layout.slots; slot++) {
    if (address === controlAddress(world.layout, slot)) return `CTL[${slot}]`;
  }
  return address === world.clock ? 'CLK' : `word ${address}`;
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

function textOf(machine: Machine, world: World, d: number): string {
  const node = machine.stepNode[d] as Node;
  const act = machine.stepAct[d];
  if (act === Act.crash) return 'dies';
  const value = (id: number): string => show(machine, world, node.address, id);
  const site = node.site.includes('.') ? node.site.slice(node.site.indexOf('.') + 1) : node.site;
  const operation = node.site.includes('.') ? `${node.site.slice(0, node.site.indexOf('.'))}: ` : '';
  const result = machine.stepResult[d] as number;
  if (act === Act.enqueue) return `${operation}${site} sleeps`;
  if (act === Act.resume) return result === Wake.woken ? 'is woken' : 'is woken by its timer';
  if (act === Act.timeout) return 'is woken early by its timer';
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

function show(machine: Machine, world: World, address: number, id: number): string {
  const word = machine.values.word(id);
  if (nameWord(world, address).startsWith('CTL')) return describeControl(word);
  const unsigned = BigInt.asUintN(64, word);
  return unsigned < 100_000n ? String(unsigned) : `0x${unsigned.toString(16)}`;
}
