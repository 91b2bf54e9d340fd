// The modelled machine: memory, virtual threads, a clock, and a log that steps back. It executes one step when told
// which thread goes next; it never decides. Every step leaves a footprint (what it read and wrote), from which
// order.ts derives which steps could have happened the other way round.

import { Footprints } from './footprint.ts';
import type { MachineOptions } from './options.ts';
import { Kind, type Node, type Program, Wake } from './program.ts';
import type { ValueTable } from './values.ts';

export const Phase = { ready: 0, waiting: 1, woken: 2, timedOut: 3, dead: 4 } as const;

/** What a step did, beyond the operation at its node. */
export const Act = { operation: 0, enqueue: 1, resume: 2, timeout: 3, crash: 4, jump: 5 } as const;
export type Act = (typeof Act)[keyof typeof Act];

const STEPS_MAX = 2_048;
/** Unfolded steps kept between executions; sampling schedulers would fill the memory with them. */
const NODES_MAX = 400_000;

export class Machine {
  readonly threads: number;
  readonly values: ValueTable;
  readonly programs: readonly Program[];
  readonly words: number;
  readonly clock: number;
  readonly memory: Int32Array;
  readonly nodes: Node[] = [];
  readonly phases: Uint8Array;
  depth = 0;

  // One entry per step taken; entries past `depth` are leftovers.
  readonly stepThread = new Int32Array(STEPS_MAX);
  readonly stepAct = new Uint8Array(STEPS_MAX);
  readonly stepNode: Node[] = [];
  readonly stepNext: Node[] = [];
  readonly stepResult = new Int32Array(STEPS_MAX);
  /** The word written and its number before the step; address -1 when nothing was written. */
  readonly stepAddress = new Int32Array(STEPS_MAX);
  readonly stepBefore = new Int32Array(STEPS_MAX);
  readonly stepAfter = new Int32Array(STEPS_MAX);
  readonly footprints: Footprints;

  readonly #initial: Int32Array;
  readonly #stepPhase = new Uint8Array(STEPS_MAX);
  readonly #stepWoken = new Int32Array(STEPS_MAX);
  readonly #stepDeadline = new Float64Array(STEPS_MAX);
  readonly #deadline: Float64Array;
  readonly #taken: Int32Array;
  readonly #early: Int32Array;
  readonly #crashThread: number;
  readonly #crashAt: number;
  readonly hasty: number;
  readonly stageTwoFrom: number;
  stage: 1 | 2 = 1;

  constructor(options: MachineOptions) {
    this.threads = options.programs.length;
    if (this.threads > 28) throw new RangeError('at most 28 threads: sets of threads are bit masks');
    this.values = options.values;
    this.programs = options.programs;
    this.words = options.words;
    this.clock = options.clock;
    this.footprints = new Footprints(options.words, this.threads);
    this.memory = new Int32Array(options.words);
    for (const [address, value] of options.initial)
      this.memory[address] = this.values.id(BigInt.asIntN(64, value));
    this.#initial = this.memory.slice();
    this.phases = new Uint8Array(this.threads);
    this.#deadline = new Float64Array(this.threads);
    this.#taken = new Int32Array(this.threads);
    this.#early = new Int32Array(this.threads);
    this.#crashThread = options.crash?.thread ?? -1;
    this.#crashAt = options.crash?.at ?? -1;
    this.hasty = options.hasty ?? 0;
    this.stageTwoFrom = options.stageTwoFrom ?? this.threads;
    this.reset();
  }

  /** Begins a new execution at the initial state. */
  reset(): void {
    this.stage = 1;
    const nodes = this.programs.reduce((sum, program) => sum + program.size(), 0);
    if (nodes > NODES_MAX) for (const program of this.programs) program.forget();
    this.memory.set(this.#initial);
    this.phases.fill(Phase.ready);
    this.#taken.fill(0);
    this.#early.fill(0);
    this.depth = 0;
    for (let t = 0; t < this.threads; t++) this.nodes[t] = (this.programs[t] as Program).root();
  }

  node(thread: number): Node {
    return this.nodes[thread] as Node;
  }

  #crashes(thread: number): boolean {
    return (
      thread === this.#crashThread &&
      this.#taken[thread] === this.#crashAt &&
      this.phases[thread] !== Phase.dead
    );
  }

  isEnabled(thread: number): boolean {
    if (thread >= this.stageTwoFrom && this.stage === 1) return false;
    const phase = this.phases[thread];
    if (phase === Phase.dead) return false;
    const node = this.node(thread);
    if (node.kind === Kind.end) return false;
    if (this.#crashes(thread)) return true;
    if (phase === Phase.waiting) return this.mayHasten(thread, node);
    if (phase !== Phase.ready) return true;
    return node.kind !== Kind.awaitDeath || this.phases[node.address] === Phase.dead;
  }

  /** Whether the thread's timer may still end a wait ahead of its time. */
  mayHasten(thread: number, wait: Node): boolean {
    return wait.y >= 0 && (this.#early[thread] as number) < this.hasty;
  }

  enabled(): number {
    let mask = 0;
    for (let t = 0; t < this.threads; t++) if (this.isEnabled(t)) mask |= 1 << t;
    return mask;
  }

  /** How many ways the next step of a thread can go: more than one only where something is left to chance. */
  alternatives(thread: number): number {
    const node = this.node(thread);
    return node.kind === Kind.choose && !this.#crashes(thread) ? node.x : 1;
  }

  /** True when nobody can move but a timer is running: time may jump to the next deadline. */
  canJump(): boolean {
    for (let t = 0; t < this.threads; t++) {
      if (this.phases[t] === Phase.waiting && this.node(t).y >= 0) return true;
    }
    return false;
  }

  /** Threads that will never move again although they have not finished. */
  stuck(): number {
    let mask = 0;
    for (let t = 0; t < this.threads; t++) if (this.phases[t] === Phase.waiting) mask |= 1 << t;
    return mask;
  }

  #begin(thread: number, node: Node, act: Act): number {
    const d = this.depth;
    if (d >= STEPS_MAX - 1) throw new RangeError(`an execution has at most ${STEPS_MAX} steps`);
    this.stepThread[d] = thread;
    this.stepAct[d] = act;
    this.stepNode[d] = node;
    this.stepNext[d] = node;
    this.stepResult[d] = 0;
    this.stepAddress[d] = -1;
    this.#stepWoken[d] = 0;
    this.footprints.begin(d);
    return d;
  }

  #write(d: number, address: number, after: number): void {
    this.stepAddress[d] = address;
    this.stepBefore[d] = this.memory[address] as number;
    this.stepAfter[d] = after;
    this.memory[address] = after;
    this.footprints.write(d, address);
  }

  #advance(d: number, thread: number, node: Node, result: number): void {
    this.stepResult[d] = result;
    const next = (this.programs[thread] as Program).after(node, result);
    this.stepNext[d] = next;
    this.nodes[thread] = next;
  }

  /** Takes one step of an enabled thread. */
  step(thread: number, alternative = 0): void {
    const node = this.node(thread);
    const phase = this.phases[thread] as number;
    const d = this.#begin(thread, node, Act.operation);
    this.#stepPhase[d] = phase;
    this.#stepDeadline[d] = this.#deadline[thread] as number;
    if (this.#crashes(thread)) this.#crash(d, thread);
    else if (phase !== Phase.ready) this.#resume(d, thread, node, phase);
    else this.#operate(d, thread, node, alternative);
    this.#taken[thread] = (this.#taken[thread] as number) + 1;
    this.depth = d + 1;
  }

  #crash(d: number, thread: number): void {
    this.stepAct[d] = Act.crash;
    // A waiter that dies leaves the queue, and the count that a notify returns tells whether it came before.
    const address = this.node(thread).address;
    if (this.phases[thread] === Phase.waiting && address >= 0)
      this.footprints.read(d, this.footprints.queueOf(address));
    if (this.phases[thread] === Phase.woken) this.footprints.read(d, this.footprints.wakeOf(thread));
    this.phases[thread] = Phase.dead;
    this.footprints.write(d, this.footprints.deathOf(thread));
  }

  #resume(d: number, thread: number, node: Node, phase: number): void {
    const early = phase === Phase.waiting;
    if (early) this.#early[thread] = (this.#early[thread] as number) + 1;
    this.stepAct[d] = early ? Act.timeout : Act.resume;
    this.phases[thread] = Phase.ready;
    if (!early) this.footprints.read(d, this.footprints.wakeOf(thread));
    else if (node.address >= 0) this.footprints.read(d, this.footprints.queueOf(node.address));
    this.#advance(d, thread, node, phase === Phase.woken ? Wake.woken : Wake.timedOut);
  }

  #operate(d: number, thread: number, node: Node, alternative: number): void {
    const address = node.address;
    switch (node.kind) {
      case Kind.load: {
        this.footprints.read(d, address);
        this.#advance(d, thread, node, this.memory[address] as number);
        return;
      }
      case Kind.store: {
        this.#write(d, address, node.x);
        this.#advance(d, thread, node, 0);
        return;
      }
      case Kind.compareExchange: {
        const found = this.memory[address] as number;
        // A failed compare-exchange is a read: two of them commute.
        if (found === node.x) this.#write(d, address, node.y);
        else this.footprints.read(d, address);
        this.#advance(d, thread, node, found);
        return;
      }
      case Kind.add: {
        const found = this.memory[address] as number;
        const sum = BigInt.asIntN(64, this.values.word(found) + this.values.word(node.x));
        this.#write(d, address, this.values.id(sum));
        this.#advance(d, thread, node, found);
        return;
      }
      case Kind.notify: {
        this.#notify(d, thread, node, address);
        return;
      }
      case Kind.wait:
      case Kind.sleep: {
        this.#wait(d, thread, node);
        return;
      }
      case Kind.choose: {
        this.#advance(d, thread, node, alternative);
        return;
      }
      case Kind.call:
      case Kind.reply: {
        const { footprints } = this;
        const calling = node.kind === Kind.call;
        footprints.write(d, calling ? footprints.callOf(thread) : footprints.replyOf(thread));
        for (let t = 0; t < this.threads; t++) {
          if (t !== thread) footprints.read(d, calling ? footprints.replyOf(t) : footprints.callOf(t));
        }
        this.#advance(d, thread, node, 0);
        return;
      }
      case Kind.awaitDeath: {
        this.footprints.read(d, this.footprints.deathOf(address));
        this.#advance(d, thread, node, 0);
        return;
      }
      case Kind.end:
        throw new RangeError(`thread ${thread} has ended and cannot step`);
    }
  }

  #notify(d: number, thread: number, node: Node, address: number): void {
    let count = 0;
    let woken = 0;
    this.footprints.write(d, this.footprints.queueOf(address));
    for (let t = 0; t < this.threads; t++) {
      if (this.phases[t] === Phase.waiting && this.node(t).address === address) {
        this.phases[t] = Phase.woken;
        this.footprints.write(d, this.footprints.wakeOf(t));
        woken |= 1 << t;
        count++;
      }
    }
    this.#stepWoken[d] = woken;
    this.#advance(d, thread, node, count);
  }

  #wait(d: number, thread: number, node: Node): void {
    // The whole footprint, even if the wait will not sleep: whether it conflicts with a notify must not hang on a
    // third thread's write, or classes of executions are lost (found by random programs against plain enumeration).
    if (node.y >= 0) this.footprints.read(d, this.clock);
    if (node.kind === Kind.wait) {
      this.footprints.read(d, node.address);
      this.footprints.read(d, this.footprints.queueOf(node.address));
      if (this.memory[node.address] !== node.x) {
        this.#advance(d, thread, node, Wake.notEqual);
        return;
      }
    }
    this.stepAct[d] = Act.enqueue;
    this.phases[thread] = Phase.waiting;
    if (node.y >= 0) {
      this.#deadline[thread] = Number(this.values.word(this.memory[this.clock] as number)) + node.y;
    }
  }

  /** Moves the clock to the earliest deadline and ends the waits that are due. Legal only when nobody can move. */
  jump(): void {
    let earliest = Infinity;
    for (let t = 0; t < this.threads; t++) {
      if (this.phases[t] === Phase.waiting && this.node(t).y >= 0) {
        earliest = Math.min(earliest, this.#deadline[t] as number);
      }
    }
    const d = this.#begin(this.threads, this.node(0), Act.jump);
    const now = Number(this.values.word(this.memory[this.clock] as number));
    const next = Math.max(now, earliest);
    this.#write(d, this.clock, this.values.id(BigInt(next)));
    let woken = 0;
    for (let t = 0; t < this.threads; t++) {
      if (this.phases[t] === Phase.waiting && this.node(t).y >= 0 && (this.#deadline[t] as number) <= next) {
        this.phases[t] = Phase.timedOut;
        this.footprints.write(d, this.footprints.wakeOf(t));
        woken |= 1 << t;
      }
    }
    this.#stepWoken[d] = woken;
    this.depth = d + 1;
  }

  /** Takes the last step back. */
  undo(): void {
    const d = --this.depth;
    const address = this.stepAddress[d] as number;
    if (address >= 0) this.memory[address] = this.stepBefore[d] as number;
    const woken = this.#stepWoken[d] as number;
    if (woken !== 0) {
      for (let t = 0; t < this.threads; t++) if ((woken >>> t) & 1) this.phases[t] = Phase.waiting;
    }
    const thread = this.stepThread[d] as number;
    if (thread === this.threads) return; // a jump of the clock moved no thread
    this.nodes[thread] = this.stepNode[d] as Node;
    this.phases[thread] = this.#stepPhase[d] as number;
    this.#deadline[thread] = this.#stepDeadline[d] as number;
    this.#taken[thread] = (this.#taken[thread] as number) - 1;
    if (this.stepAct[d] === Act.timeout) this.#early[thread] = (this.#early[thread] as number) - 1;
  }
}
