// The happens-before order of the current execution, kept step by step and taken back step by step. Two steps are
// dependent when they touch the same location and at least one writes it (footprint.ts). A vector clock per
// step holds, for each thread, how many of its steps happen before or are the step itself.

import { Act, type Machine } from './machine.ts';
import { Kind, type Node } from './program.ts';

const DEPTH_MAX = 2_048;

export class HappensBefore {
  readonly #machine: Machine;
  /** Threads plus the pseudo-thread that moves the clock at quiescence. */
  readonly width: number;
  readonly clocks: Int32Array;
  /** How many steps its thread had taken, this one included. */
  readonly ordinal = new Int32Array(DEPTH_MAX);
  readonly #lastOf: Int32Array;
  readonly #before = new Int32Array(DEPTH_MAX);
  readonly #lastWrite: Int32Array;
  readonly #lastRead: Int32Array;
  // What each footprint entry displaced, in step with machine.footprints.
  readonly #displaced = new Int32Array(DEPTH_MAX * 8);
  /** The steps of other threads that the newest step depends on directly and that could be reversed with it. */
  readonly races: number[] = [];
  readonly #candidates: number[] = [];

  constructor(machine: Machine) {
    this.#machine = machine;
    this.width = machine.threads + 1;
    this.clocks = new Int32Array(DEPTH_MAX * this.width);
    this.#lastOf = new Int32Array(this.width).fill(-1);
    const { locations } = machine.footprints;
    this.#lastWrite = new Int32Array(locations).fill(-1);
    this.#lastRead = new Int32Array(locations * this.width).fill(-1);
  }

  /** True when step `early` happens before (or is) step `late`. */
  precedes(early: number, late: number): boolean {
    const thread = this.#machine.stepThread[early] as number;
    return (this.clocks[late * this.width + thread] as number) >= (this.ordinal[early] as number);
  }

  /** Takes in a step, by default the one that the machine just made, and finds its races. */
  push(d = this.#machine.depth - 1): void {
    const { width, clocks } = this;
    const machine = this.#machine;
    const thread = machine.stepThread[d] as number;
    const base = d * width;
    const previous = this.#lastOf[thread] as number;
    this.#before[d] = previous;
    if (machine.stepAct[d] === Act.jump) {
      // Time jumps only when nobody can move: everything so far happens before it.
      clocks.fill(0, base, base + width);
      for (let t = 0; t < width; t++) {
        const last = this.#lastOf[t] as number;
        if (last >= 0) clocks[base + t] = this.ordinal[last] as number;
      }
    } else if (previous >= 0) clocks.copyWithin(base, previous * width, previous * width + width);
    else clocks.fill(0, base, base + width);
    const ordinal = previous >= 0 ? (this.ordinal[previous] as number) + 1 : 1;
    this.ordinal[d] = ordinal;
    clocks[base + thread] = ordinal;

    const candidates = this.#candidates;
    candidates.length = 0;
    const start = machine.footprints.start[d] as number;
    const end = machine.footprints.start[d + 1] as number;
    for (let i = start; i < end; i++) {
      const entry = machine.footprints.items[i] as number;
      const location = entry >> 1;
      const writer = this.#lastWrite[location] as number;
      if (writer >= 0) candidates.push(writer);
      const reads = location * width;
      if ((entry & 1) === 1) {
        for (let t = 0; t < width; t++) {
          const reader = this.#lastRead[reads + t] as number;
          if (reader > writer) candidates.push(reader);
        }
        this.#displaced[i] = writer;
        this.#lastWrite[location] = d;
      } else {
        this.#displaced[i] = this.#lastRead[reads + thread] as number;
        this.#lastRead[reads + thread] = d;
      }
    }
    this.#findRaces(d, thread, base);
    for (const early of candidates) {
      const from = early * width;
      for (let t = 0; t < width; t++) {
        const seen = clocks[from + t] as number;
        if (seen > (clocks[base + t] as number)) clocks[base + t] = seen;
      }
    }
    this.#lastOf[thread] = d;
  }

  #findRaces(d: number, thread: number, base: number): void {
    const machine = this.#machine;
    const { races, clocks } = this;
    races.length = 0;
    const act = machine.stepAct[d];
    if (act === Act.jump) return;
    const node = machine.stepNode[d] as Node;
    // A resumed thread could not have moved before its wake, unless its timer may be hasty.
    if (act === Act.resume && !machine.mayHasten(thread, node)) return;
    // A death alone enables whoever awaits it.
    if (act === Act.operation && node.kind === Kind.awaitDeath) return;
    const candidates = this.#candidates;
    for (let i = 0; i < candidates.length; i++) {
      const early = candidates[i] as number;
      const other = machine.stepThread[early] as number;
      if (other === thread || other === machine.threads) continue;
      if ((clocks[base + other] as number) >= (this.ordinal[early] as number)) continue;
      let direct = true;
      for (let j = 0; j < candidates.length; j++) {
        const between = candidates[j] as number;
        if (between !== early && this.precedes(early, between)) {
          direct = false;
          break;
        }
      }
      if (direct && !races.includes(early)) races.push(early);
    }
  }

  /** Forgets the newest step. Call it before `machine.undo()`. */
  pop(d = this.#machine.depth - 1): void {
    const machine = this.#machine;
    const thread = machine.stepThread[d] as number;
    const start = machine.footprints.start[d] as number;
    for (let i = (machine.footprints.start[d + 1] as number) - 1; i >= start; i--) {
      const entry = machine.footprints.items[i] as number;
      if ((entry & 1) === 1) this.#lastWrite[entry >> 1] = this.#displaced[i] as number;
      else this.#lastRead[(entry >> 1) * this.width + thread] = this.#displaced[i] as number;
    }
    this.#lastOf[thread] = this.#before[d] as number;
  }

  /**
   * The threads that can go first at step `at` so that the newest step comes before it: the first steps, among those
   * after `at` that do not happen after it, that nothing among them precedes.
   */
  initials(at: number): number {
    const machine = this.#machine;
    const newest = machine.depth - 1;
    const firsts: number[] = [];
    let seen = 0;
    let initials = 0;
    for (let d = at + 1; d <= newest; d++) {
      if (d !== newest && this.precedes(at, d)) continue;
      const thread = machine.stepThread[d] as number;
      if ((seen >>> thread) & 1) continue;
      let first = true;
      for (const early of firsts) {
        // The newest step's clock is compared without the race itself, which is what is being reversed.
        if (this.precedes(early, d)) {
          first = false;
          break;
        }
      }
      seen |= 1 << thread;
      firsts.push(d);
      if (first) initials |= 1 << thread;
    }
    return initials;
  }
}

/** Answers a number for the current execution: equal for equivalent ones (same steps, same order), else different. */
export function classHasher(machine: Machine): () => bigint {
  const order = new HappensBefore(machine);
  // By the words themselves: their numbers depend on the order in which a machine met them.
  const digests: number[] = [];
  return () => {
    for (let d = 0; d < machine.depth; d++) order.push(d);
    const hash = hashOf(machine, order, digests);
    for (let d = machine.depth - 1; d >= 0; d--) order.pop(d);
    return hash;
  };
}

function hashOf(machine: Machine, order: HappensBefore, digests: number[]): bigint {
  let low = 0;
  let high = 0;
  for (let d = 0; d < machine.depth; d++) {
    let a = mix(0x811c9dc5, (machine.stepThread[d] as number) * 8 + (machine.stepAct[d] as number));
    let b = mix(0x9e3779b9, resultDigest(machine, d, digests));
    a = mix(a, b);
    for (let t = 0; t < order.width; t++) {
      const seen = order.clocks[d * order.width + t] as number;
      a = mix(a, seen);
      b = mix(b, seen + 0x51ed);
    }
    // A sum forgets the order of the steps and keeps everything else.
    low = (low + a) | 0;
    high = (high + b) | 0;
  }
  return (BigInt(high >>> 0) << 32n) | BigInt(low >>> 0);
}

function resultDigest(machine: Machine, d: number, digests: number[]): number {
  const result = machine.stepResult[d] as number;
  const kind = machine.stepNode[d]?.kind;
  if (kind !== Kind.load && kind !== Kind.compareExchange && kind !== Kind.add) return result;
  return (digests[result] ??= mix(
    Number(BigInt.asIntN(32, machine.values.word(result))),
    Number(BigInt.asIntN(32, machine.values.word(result) >> 32n)),
  ));
}

/** One round of MurmurHash3's 32-bit mixing. */
function mix(hash: number, item: number): number {
  let k = Math.imul(item, 0xcc9e2d51);
  k = Math.imul((k << 15) | (k >>> 17), 0x1b873593);
  let h = hash ^ k;
  h = (Math.imul((h << 13) | (h >>> 19), 5) + 0xe6546b64) | 0;
  h = Math.imul(h ^ (h >>> 16), 0x85ebca6b);
  return h ^ (h >>> 13);
}
