// One real thread of a gated replay: runs the body of a plan's thread straight through, over real shared memory, one
// operation each time the controller lets it.

import { parentPort, workerData } from 'node:worker_threads';
import { RealCells } from '../../gateway/flight/real-cells.ts';
import type { Door } from '../engine/program.ts';
import { Kind, Wake } from '../engine/program.ts';
import { mutantNamed } from '../mutants/all.ts';
import { variantOf } from '../mutants/mutant.ts';
import type { Plan } from '../world/plan.ts';
import { modelOf } from '../world/threads.ts';
import { shipped } from '../world/world.ts';
import { ENQUEUED, Gate, RESUME } from './gate.ts';

/** What one run of a gated thread is posted. */
export interface GatedOrder {
  readonly plan: Plan;
  /** `real`, or the name of a mutant. */
  readonly variant: string;
  readonly thread: number;
  readonly clock: number;
  readonly memory: SharedArrayBuffer;
  readonly gates: SharedArrayBuffer;
}

/** What a gated thread posts at the end of a run. */
export interface GatedEnd {
  /** Native waits that the model says were woken, and that were not. */
  readonly unwoken: number;
  readonly error: string | null;
}

/** A wake that was notified has long arrived by then. */
const WAKE_MS = 2000;

function doorOver(gate: Gate, cells: RealCells, clock: number, wakes: Promise<unknown>[]): Door {
  const given = (kind: number, address = -1, x = 0n, y = 0n): bigint => {
    const result = gate.ask({ kind, address, x, y });
    gate.tell(result);
    return result;
  };
  const real = (kind: number, address: number, x: bigint, y: bigint, operate: () => bigint): bigint => {
    gate.ask({ kind, address, x, y });
    const result = operate();
    gate.tell(result);
    return result;
  };
  const load = (address: number): bigint => real(Kind.load, address, 0n, 0n, () => cells.load(address));
  return {
    load,
    store(address, value) {
      real(Kind.store, address, BigInt.asIntN(64, value), 0n, () => {
        cells.store(address, value);
        return 0n;
      });
    },
    compareExchange: (address, expected, next) =>
      real(Kind.compareExchange, address, BigInt.asIntN(64, expected), BigInt.asIntN(64, next), () =>
        cells.compareExchange(address, expected, next),
      ),
    add: (address, delta) => real(Kind.add, address, delta, 0n, () => cells.add(address, delta)),
    notify: (address) => Number(real(Kind.notify, address, 0n, 0n, () => BigInt(cells.notify(address)))),
    tick: () => Number(load(clock)),
    wait(address, expected) {
      gate.ask({ kind: Kind.wait, address, x: BigInt.asIntN(64, expected), y: 0n });
      const handle = cells.waitAsync(address, expected);
      if (!handle.async) {
        gate.tell(BigInt(Wake.notEqual));
        return Wake.notEqual;
      }
      gate.tell(ENQUEUED);
      const wake = Number(given(RESUME, address)) as Wake;
      if (wake === Wake.woken) wakes.push(handle.value);
      return wake;
    },
    sleep() {
      gate.ask({ kind: Kind.sleep, address: -1, x: 0n, y: 0n });
      gate.tell(ENQUEUED);
      given(RESUME);
    },
    choose: () => Number(given(Kind.choose)),
    call() {
      given(Kind.call);
    },
    reply() {
      given(Kind.reply);
    },
    awaitDeath(thread) {
      given(Kind.awaitDeath, thread);
    },
    note() {},
    within() {},
  };
}

async function unwoken(wakes: readonly Promise<unknown>[]): Promise<number> {
  let missing = wakes.length;
  const counted = Promise.all(wakes.map((wake) => wake.then(() => missing--)));
  const timer = new Promise((resolve) => {
    setTimeout(resolve, WAKE_MS).unref();
  });
  await Promise.race([counted, timer]);
  return missing;
}

async function obey(order: GatedOrder): Promise<GatedEnd> {
  const gate = new Gate(order.gates, order.thread);
  const wakes: Promise<unknown>[] = [];
  const cells = new RealCells(order.memory);
  const variant = order.variant === shipped.name ? shipped : variantOf(mutantNamed(order.variant));
  const { body } = modelOf(order.plan, variant).model.threads[order.thread]!;
  let error: string | null = null;
  try {
    body(doorOver(gate, cells, order.clock, wakes));
  } catch (thrown) {
    error = String(thrown);
  }
  gate.end();
  return { unwoken: await unwoken(wakes), error };
}

if (workerData === 'gated') {
  parentPort?.on('message', (order: GatedOrder) => {
    void obey(order).then((end) => parentPort?.postMessage(end));
  });
}
