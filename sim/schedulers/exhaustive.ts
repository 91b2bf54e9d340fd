// Every behaviour, once: depth-first search with source sets and sleep sets (Abdulla, Aronis, Jonsson and Sagonas,
// "Source sets: a foundation for optimal dynamic partial order reduction", JACM 2017, algorithm 1). One execution of
// each class of equivalent schedules is visited; a step is undone by the machine's log, never by starting over.

import { Act, type Machine } from '../engine/machine.ts';
import { conflict } from '../engine/footprint.ts';
import { HappensBefore } from '../engine/order.ts';
import { Tally, type Exploration, type Limits, type Observer, type Scheduler } from './scheduler.ts';

interface Frame {
  enabled: number;
  /** Threads to be explored from here. */
  backtrack: number;
  /** Threads whose next step would only repeat what has been explored. */
  sleep: number;
  thread: number;
  alternative: number;
  alternatives: number;
  /** Footprint of the next step of each sleeping thread, as long as it sleeps. */
  readonly footprints: (readonly number[])[];
}

const lowest = (mask: number): number => 31 - Math.clz32(mask & -mask);

export const exhaustive: Scheduler = { name: 'exhaustive', explore };

function explore(machine: Machine, observe: Observer, limits: Limits): Exploration {
  const tally = new Tally('exhaustive', limits);
  const order = new HappensBefore(machine);
  const frames: Frame[] = [];
  const frameAt = (depth: number): Frame =>
    (frames[depth] ??= {
      enabled: 0,
      backtrack: 0,
      sleep: 0,
      thread: -1,
      alternative: 0,
      alternatives: 0,
      footprints: Array.from({ length: machine.threads }, () => []),
    });

  machine.reset();
  const base = machine.depth;
  let frame = frameAt(0);
  frame.sleep = 0;
  let done = enter(frame, -1);

  while (!done) {
    if (frame.alternatives > 0) {
      // Came back from the subtree of frame.thread: another alternative of the same step, or put it to sleep.
      if (frame.alternative + 1 < frame.alternatives) {
        frame.alternative++;
        done = descend();
        continue;
      }
      frame.alternatives = 0;
    }
    const candidates = frame.backtrack & ~frame.sleep;
    if (candidates === 0) {
      if (machine.depth === base) break;
      leave();
      continue;
    }
    const last = machine.depth > base ? (machine.stepThread[machine.depth - 1] as number) : -1;
    frame.thread = last >= 0 && last < 31 && (candidates >>> last) & 1 ? last : lowest(candidates);
    frame.alternative = 0;
    frame.alternatives = machine.alternatives(frame.thread);
    done = descend();
  }
  while (machine.depth > base) {
    order.pop();
    machine.undo();
  }
  return tally.report(true);

  /** Prepares the frame of a new state; a state where nobody can move ends the execution. */
  function enter(fresh: Frame, last: number): boolean {
    fresh.alternatives = 0;
    fresh.backtrack = 0;
    fresh.enabled = machine.depth >= limits.stepsMax ? 0 : machine.enabled();
    if (fresh.enabled !== 0) {
      const awake = fresh.enabled & ~fresh.sleep;
      if (awake === 0) {
        tally.blocked++;
        return false;
      }
      // Staying on the same thread keeps the first executions close to sequential ones.
      fresh.backtrack = last >= 0 && (awake >>> last) & 1 ? 1 << last : awake & -awake;
      return false;
    }
    if (machine.depth < limits.stepsMax && machine.canJump()) {
      machine.jump();
      order.push();
      tally.steps++;
      const next = frameAt(machine.depth - base);
      next.sleep = 0;
      frame = next;
      return enter(next, -1);
    }
    return tally.finish(machine, observe);
  }

  function descend(): boolean {
    const thread = frame.thread;
    machine.step(thread, frame.alternative);
    order.push();
    tally.steps++;
    for (const early of order.races) {
      const at = frames[early - base] as Frame;
      const initials = order.initials(early);
      if ((initials & at.backtrack) === 0)
        at.backtrack |= (initials >>> thread) & 1 ? 1 << thread : initials & -initials;
    }
    const parent = frame;
    const next = frameAt(machine.depth - base);
    next.sleep = 0;
    if (parent.sleep !== 0) {
      for (let t = 0; t < machine.threads; t++) {
        if (!((parent.sleep >>> t) & 1) || t === thread) continue;
        const footprint = parent.footprints[t] as readonly number[];
        if (!conflicts(footprint)) {
          next.sleep |= 1 << t;
          next.footprints[t] = footprint;
        }
      }
    }
    frame = next;
    return enter(next, thread);
  }

  function conflicts(footprint: readonly number[]): boolean {
    const { items, start } = machine.footprints;
    const d = machine.depth - 1;
    return conflict(footprint, items, start[d] as number, start[d + 1] as number);
  }

  /** Steps back to the state before; the thread that moved there has now been explored and falls asleep. */
  function leave(): void {
    while (machine.depth > base && machine.stepAct[machine.depth - 1] === Act.jump) {
      order.pop();
      machine.undo();
    }
    if (machine.depth === base) {
      frame = frameAt(0);
      frame.backtrack = 0;
      frame.alternatives = 0;
      return;
    }
    const d = machine.depth - 1;
    const parent = frameAt(d - base);
    if (parent.alternative + 1 >= parent.alternatives) {
      const { items, start } = machine.footprints;
      const footprint: number[] = [];
      for (let i = start[d] as number; i < (start[d + 1] as number); i++) footprint.push(items[i] as number);
      parent.footprints[parent.thread] = footprint;
      parent.sleep |= 1 << parent.thread;
    }
    order.pop();
    machine.undo();
    frame = parent;
  }
}
