import { describe, expect, it } from 'vitest';
import { classHasher } from '../../sim/engine/order.ts';
import { machineOf, type Model } from '../../sim/engine/model.ts';
import { seeded } from '../../sim/engine/random.ts';
import type { Door } from '../../sim/engine/program.ts';
import { checkThenInsert } from '../../sim/litmus/insert.ts';
import { counter, messagePassing, sleeper, storeBuffer } from '../../sim/litmus/classics.ts';
import { lockModel, takeBroken, takeFixed } from '../../sim/litmus/lock.ts';
import { exhaustive } from '../../sim/schedulers/exhaustive.ts';
import { naive } from '../../sim/schedulers/naive.ts';
import { defaultLimits, type Exploration, type Scheduler } from '../../sim/schedulers/scheduler.ts';

function classesOf(
  model: Model,
  scheduler: Scheduler,
  executionsMax = 100_000,
): { classes: Set<bigint>; run: Exploration } {
  const classes = new Set<bigint>();
  const machine = machineOf(model);
  const hash = classHasher(machine);
  const run = scheduler.explore(
    machine,
    () => {
      classes.add(hash());
      return false;
    },
    { ...defaultLimits, executionsMax },
  );
  return { classes, run };
}

function outcomes(model: Model): Set<string> {
  const seen = new Set<string>();
  exhaustive.explore(
    machineOf(model),
    (machine, end) => {
      seen.add(`${end}: ${machine.nodes.map((node) => String(node.outcome?.value)).join(' ')}`);
      return false;
    },
    defaultLimits,
  );
  return seen;
}

/** Small random programs: the engine must see the same classes as plain enumeration on each of them. */
function randomModel(seed: number): Model {
  const random = seeded(seed);
  const threads = 2 + random.below(2);
  const plans = Array.from({ length: threads }, () =>
    Array.from(
      { length: 2 + random.below(threads === 2 ? 3 : 1) },
      () => [random.below(9), random.below(2)] as const,
    ),
  );
  const hasty = random.below(3);
  return {
    words: 3,
    clock: 2,
    hasty,
    ...(random.below(3) === 0 ? { crash: { thread: 0, at: random.below(3) } } : {}),
    threads: plans.map((plan, t) => ({
      name: `t${t}`,
      body(door: Door) {
        for (const [what, address] of plan) {
          if (what === 0) door.store(address, BigInt(t + 1));
          else if (what === 1) door.compareExchange(address, 0n, BigInt(t + 1));
          else if (what === 2) door.notify(address);
          else if (what === 3) door.wait(address, 0n, 5);
          else if (what === 4) door.add(address, 1n);
          else if (what === 5 && door.choose(2, 'coin') === 0) door.store(address, 7n);
          else if (what === 6) door.tick();
          else if (what === 7) door.wait(address, 0n);
          else if (what === 8) {
            door.call({ what: 'call' });
            door.load(address);
            door.reply({ what: 'reply' });
          } else door.load(address);
        }
      },
    })),
  };
}

describe('the engine', () => {
  it('never lets both sides of a store buffer read the old values', () => {
    expect([...outcomes(storeBuffer)].sort()).toEqual(['settled: 0 1', 'settled: 1 0', 'settled: 1 1']);
  });

  it('never shows a flag without the data written before it', () => {
    const seen = [...outcomes(messagePassing)].sort();
    expect(seen).toEqual(['settled: undefined 0,0', 'settled: undefined 0,42', 'settled: undefined 1,42']);
  });

  it('loses no increment of a compare-exchange counter', () => {
    exhaustive.explore(
      machineOf(counter(3)),
      (machine) => {
        expect(machine.values.word(machine.memory[0] ?? 0)).toBe(3n);
        return false;
      },
      defaultLimits,
    );
  });

  it('finds the sleeper that nobody wakes, and none when the notify follows the store', () => {
    expect([...outcomes(sleeper(true))].sort()).toEqual([
      'settled: undefined changed',
      'settled: undefined woken',
      'wedged: undefined undefined',
    ]);
    expect([...outcomes(sleeper(false))].sort()).toEqual([
      'settled: undefined changed',
      'settled: undefined woken',
    ]);
  });

  const small: readonly (readonly [string, Model])[] = [
    ['store buffer', storeBuffer],
    ['message passing', messagePassing],
    ['counter of 2', counter(2)],
    ['sleeper', sleeper(false)],
    ['lost sleeper', sleeper(true)],
    ['broken lock of 2', lockModel(takeBroken, 2)],
    ['fixed lock of 2', lockModel(takeFixed, 2)],
    ['fixed lock of 3', lockModel(takeFixed, 3)],
    ['check then insert of 3', checkThenInsert(3)],
  ];
  it.each(small)('sees exactly the classes that plain enumeration sees: %s', (_, model) => {
    const plain = classesOf(model, naive);
    const reduced = classesOf(model, exhaustive);
    expect(plain.run.complete).toBe(true);
    expect(reduced.run.complete).toBe(true);
    expect(reduced.classes).toEqual(plain.classes);
    // Each class once, and no execution more.
    expect(reduced.run.executions).toBe(reduced.classes.size);
  });

  it('sees exactly the classes that plain enumeration sees: 800 random programs', () => {
    let compared = 0;
    for (let seed = 1; seed <= 800; seed++) {
      const model = randomModel(seed);
      const plain = classesOf(model, naive, 2_000);
      if (!plain.run.complete) continue; // too many schedules to enumerate in a test
      compared++;
      const reduced = classesOf(model, exhaustive);
      const missing = [...plain.classes].filter((one) => !reduced.classes.has(one)).length;
      const invented = [...reduced.classes].filter((one) => !plain.classes.has(one)).length;
      expect({ seed, missing, invented }).toEqual({ seed, missing: 0, invented: 0 });
      expect(reduced.run.executions, `seed ${seed}`).toBe(reduced.classes.size);
    }
    expect(compared).toBeGreaterThan(600);
  });
});
