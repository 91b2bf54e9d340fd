// Drives real threads over a real SharedArrayBuffer through an execution that the model recorded, one operation at a
// time, and compares every request, every result and the final memory with the model's. That they agree shows that the
// model of memory, waits and notifies is the platform's.

import { Worker } from 'node:worker_threads';
import { describeControl } from '../../gateway/flight/control-word.ts';
import { Act, type Machine } from '../engine/machine.ts';
import { Kind, kindNames, Wake } from '../engine/program.ts';
import type { Plan } from '../world/plan.ts';
import { createGates, ENQUEUED, Gate, RESUME } from './gate.ts';
import type { Request } from './gate.ts';
import type { GatedEnd, GatedOrder } from './gated-thread.ts';

export interface GatedStep {
  /** Which thread; as many as there are threads for a jump of the clock. */
  readonly thread: number;
  readonly act: Act;
  readonly request: Request;
  /** The name of the operation's site. */
  readonly site: string;
  readonly result: bigint;
}

/** An execution as plain data. */
export interface GatedRun {
  readonly plan: Plan;
  /** `real`, or the name of a mutant. */
  readonly variant: string;
  readonly threads: number;
  readonly clock: number;
  readonly initial: readonly bigint[];
  readonly final: readonly bigint[];
  readonly steps: readonly GatedStep[];
}

export interface GatedReport {
  readonly steps: number;
  /** In words; empty when the platform did what the model did. */
  readonly differences: readonly string[];
}

/** The machine's current execution as data for real threads. */
export function gatedRun(plan: Plan, variant: string, machine: Machine): GatedRun {
  const { values, words, depth } = machine;
  const final = Array.from({ length: words }, (_, address) => values.word(machine.memory[address] ?? 0));
  const initial = [...final];
  const steps: GatedStep[] = [];
  for (let d = depth - 1; d >= 0; d--) {
    const node = machine.stepNode[d]!;
    const written = machine.stepAddress[d] ?? -1;
    if (written >= 0) initial[written] = values.word(machine.stepBefore[d] ?? 0);
    const act = machine.stepAct[d] as Act;
    steps.unshift({
      thread: machine.stepThread[d] ?? 0,
      act,
      request: requestOf(machine, d),
      site: node.site,
      result: act === Act.jump ? values.word(machine.stepAfter[d] ?? 0) : resultOf(machine, d),
    });
  }
  return { plan, variant, threads: machine.threads, clock: machine.clock, initial, final, steps };
}

function requestOf(machine: Machine, d: number): Request {
  const { kind, address, x, y } = machine.stepNode[d]!;
  const { values } = machine;
  const ended = machine.stepAct[d] === Act.resume || machine.stepAct[d] === Act.timeout;
  if (ended) return { kind: RESUME, address, x: 0n, y: 0n };
  const valued =
    kind === Kind.store || kind === Kind.compareExchange || kind === Kind.add || kind === Kind.wait;
  return {
    kind,
    address,
    x: valued ? values.word(x) : 0n,
    y: kind === Kind.compareExchange ? values.word(y) : 0n,
  };
}

function resultOf(machine: Machine, d: number): bigint {
  if (machine.stepAct[d] === Act.enqueue) return ENQUEUED;
  const { kind } = machine.stepNode[d]!;
  const result = machine.stepResult[d] ?? 0;
  const isWord = kind === Kind.load || kind === Kind.compareExchange || kind === Kind.add;
  return isWord ? machine.values.word(result) : BigInt(result);
}

const THREAD = new URL('./gated-thread.js', import.meta.url);

/** Real threads that can be driven through one run after another. */
export class GatedCrew {
  readonly #idle: Worker[] = [];

  /** Drives real threads through the run. Errors: a thread that does not move within ten seconds. */
  async replay(run: GatedRun): Promise<GatedReport> {
    const memory = new SharedArrayBuffer(run.initial.length * 8);
    const words = new BigInt64Array(memory);
    run.initial.forEach((word, address) => Atomics.store(words, address, word));
    const gates = createGates(run.threads);
    const used = new Set(run.steps.filter(({ act }) => act !== Act.jump).map(({ thread }) => thread));
    const members = new Map<number, Member>();
    for (const thread of used) members.set(thread, await this.#join(thread, run, memory, gates));
    const controller = new Controller(run, words, members);
    await controller.drive();
    for (const member of members.values()) await this.#part(member, controller.differences);
    run.final.forEach((word, address) => {
      const found = Atomics.load(words, address);
      if (found !== word)
        controller.differences.push(`word ${address} ends as ${found}, and as ${word} in the model`);
    });
    return { steps: run.steps.length, differences: controller.differences };
  }

  /** Ends the threads. */
  async dismiss(): Promise<void> {
    await Promise.all(this.#idle.splice(0).map((worker) => worker.terminate()));
  }

  async #join(
    thread: number,
    run: GatedRun,
    memory: SharedArrayBuffer,
    gates: SharedArrayBuffer,
  ): Promise<Member> {
    const worker = this.#idle.pop() ?? (await hire());
    const end = new Promise<GatedEnd>((resolve) => {
      worker.once('message', resolve);
    });
    const order: GatedOrder = {
      plan: run.plan,
      variant: run.variant,
      thread,
      clock: run.clock,
      memory,
      gates,
    };
    worker.postMessage(order);
    return { worker, gate: new Gate(gates, thread), end, alive: true };
  }

  /** Takes a thread that has ended back, and ends one that the execution left in the middle. */
  async #part(member: Member, differences: string[]): Promise<void> {
    if (!member.alive) return;
    if (member.gate.asked() !== null) {
      await member.worker.terminate();
      return;
    }
    const { unwoken, error } = await member.end;
    if (unwoken > 0) differences.push(`${unwoken} waits were woken in the model and not by the platform`);
    if (error !== null) differences.push(`a thread threw ${error}`);
    this.#idle.push(member.worker);
  }
}

interface Member {
  readonly worker: Worker;
  readonly gate: Gate;
  readonly end: Promise<GatedEnd>;
  alive: boolean;
}

/** A thread that is up: from then on it can be driven while this thread blocks. */
function hire(): Promise<Worker> {
  return new Promise((resolve, reject) => {
    const worker = new Worker(THREAD, { workerData: 'gated' });
    worker.once('online', () => resolve(worker));
    worker.once('error', reject);
  });
}

class Controller {
  readonly differences: string[] = [];
  readonly #run: GatedRun;
  readonly #words: BigInt64Array<SharedArrayBuffer>;
  readonly #members: ReadonlyMap<number, Member>;
  /** Where each thread sleeps, and native waits that outlived a sleep which time ended: a notify counts them too. */
  readonly #asleep = new Map<number, number>();
  readonly #stale = new Map<number, number>();

  constructor(run: GatedRun, words: BigInt64Array<SharedArrayBuffer>, members: ReadonlyMap<number, Member>) {
    this.#run = run;
    this.#words = words;
    this.#members = members;
  }

  async drive(): Promise<void> {
    for (const [at, step] of this.#run.steps.entries()) {
      if (step.act === Act.jump) Atomics.store(this.#words, this.#run.clock, step.result);
      else if (step.act === Act.crash) await this.#crash(step.thread);
      else if (!this.#move(at + 1, step)) return;
    }
  }

  async #crash(thread: number): Promise<void> {
    const member = this.#members.get(thread)!;
    // At the operation that it would have done next, and no further.
    member.gate.asked();
    member.alive = false;
    this.#asleep.delete(thread);
    await member.worker.terminate();
  }

  /** One operation of one thread. False when the two have parted and going on makes no sense. */
  #move(number: number, step: GatedStep): boolean {
    const { gate } = this.#members.get(step.thread)!;
    const asked = gate.asked();
    if (asked === null || !same(asked, step.request)) {
      this.#differ(number, step, asked === null ? 'has ended' : `asks for ${describe(asked)}`);
      return false;
    }
    const expected = this.#expected(step);
    const result = gate.grant(step.result);
    if (result !== expected) {
      this.#differ(
        number,
        step,
        `found ${result} (${describeControl(result)}), and ${expected} in the model`,
      );
    }
    return true;
  }

  #expected(step: GatedStep): bigint {
    const { thread, act, request, result } = step;
    if (act === Act.enqueue && request.kind === Kind.wait) this.#asleep.set(thread, request.address);
    if (request.kind === RESUME) {
      const address = this.#asleep.get(thread);
      this.#asleep.delete(thread);
      if (address !== undefined && Number(result) === Wake.timedOut) {
        this.#stale.set(address, (this.#stale.get(address) ?? 0) + 1);
      }
    }
    if (request.kind !== Kind.notify) return result;
    const extra = this.#stale.get(request.address) ?? 0;
    this.#stale.delete(request.address);
    return result + BigInt(extra);
  }

  #differ(number: number, step: GatedStep, what: string): void {
    this.differences.push(`step ${number}, thread ${step.thread}, ${step.site}: ${what}`);
  }
}

function same(a: Request, b: Request): boolean {
  return a.kind === b.kind && a.address === b.address && a.x === b.x && a.y === b.y;
}

function describe(request: Request): string {
  const name = request.kind === RESUME ? 'resume' : (kindNames[request.kind] ?? '?');
  return `${name} of word ${request.address}`;
}
