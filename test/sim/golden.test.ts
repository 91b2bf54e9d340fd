import { describe, expect, it } from 'vitest';
import { classHasher } from '../../sim/engine/order.ts';
import { benchOf } from '../../sim/run.ts';
import { scenarioNamed, scenarios } from '../../sim/scenarios/all.ts';
import { starts } from '../../sim/scenarios/scenario.ts';
import { exhaustive } from '../../sim/schedulers/exhaustive.ts';
import { pct } from '../../sim/schedulers/pct.ts';
import { random } from '../../sim/schedulers/random.ts';
import { naive } from '../../sim/schedulers/naive.ts';
import { defaultLimits, type Exploration, type Scheduler } from '../../sim/schedulers/scheduler.ts';
import type { Plan } from '../../sim/world/plan.ts';
import { shipped } from '../../sim/world/world.ts';

function classesOf(
  plan: Plan,
  scheduler: Scheduler,
  executionsMax = 150_000,
): { classes: Set<bigint>; run: Exploration } {
  const { machine } = benchOf(plan, shipped);
  const hash = classHasher(machine);
  const classes = new Set<bigint>();
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

/*
 * Why n * 17^(n-1).
 *
 * Whoever's exchange takes place first leads: n ways. Losers never write, so two losers commute, and each is placed
 * relative to the leader alone. The leader's steps that a loser's can conflict with are, in order,
 *
 *   W1 the claim   N1 its notify   W2 the publication   N2 its notify        (all on CTL)
 *
 * A loser's loads, failed exchanges and waits conflict with W1 and W2; its waits also with N1 and N2.
 *
 *   P   a load after W2 sees PENDING: it joins, and the second look finds the same. 1 class.
 *   R   a load between W1 and W2 sees RESERVED: then it waits
 *         before N1       it sleeps, N1 wakes it, it loads again: in R (g classes) or after W2 (1)
 *         N1 .. W2        it sleeps until N2, and then is at P: 1
 *         W2 .. N2        the word has changed: P: 1
 *         after N2        the same, on the other side of N2: 1
 *       where g is R once N1 is over: the last three places: 3. So R = 3 + 1 + 3 = 7.
 *   I   a load before W1 sees IDLE; its exchange fails between W1 and W2, and the next load is at R (7) or P (1),
 *       or it fails after W2, and the next load is at P: 1. So I = 7 + 1 + 1 = 9.
 *
 * A loser begins in any of the three: 9 + 7 + 1 = 17.
 */
describe('the golden count of a burst', () => {
  it.each([1, 2, 3, 4])('is n * 17^(n-1) for n = %i starts of one bound key', (n) => {
    const plan: Plan = { keys: 1, bound: true, threads: starts(n) };
    const { run } = classesOf(plan, exhaustive);
    expect(run.complete).toBe(true);
    expect(run.executions).toBe(n * 17 ** (n - 1));
  });

  it('is that of plain enumeration for two starts', () => {
    const plan: Plan = { keys: 1, bound: true, threads: starts(2) };
    const plain = classesOf(plan, naive);
    expect(plain.run.complete).toBe(true);
    expect(plain.classes.size).toBe(34);
  });
});

describe('the engine on the flight table', () => {
  const small = [
    'cancel-persist',
    'cancel-starting',
    'sweep-2',
    'untimed-2',
    'lease-across-wrap',
    'expire-persist',
    'collide-2',
  ];
  it.each(small)('sees exactly the classes that plain enumeration sees: %s', (name) => {
    const { plan } = scenarioNamed(name);
    const plain = classesOf(plan, naive);
    const reduced = classesOf(plan, exhaustive);
    // Where there are too many schedules to enumerate, those that were must all be among the classes.
    if (plain.run.complete) expect(reduced.classes.size).toBe(plain.classes.size);
    const missing = [...plain.classes].filter((one) => !reduced.classes.has(one));
    expect(missing).toEqual([]);
    expect(reduced.run.executions).toBe(reduced.classes.size);
  });

  const larger = scenarios.filter(({ long, sampled }) => long !== true && sampled === undefined);
  it.each(larger)(
    'misses no class that chance comes upon, and runs none twice: $name',
    ({ plan, crashEverywhere }) => {
      const crash = crashEverywhere === undefined ? {} : { crash: { thread: crashEverywhere, at: 7 } };
      const { classes, run } = classesOf({ ...plan, ...crash }, exhaustive);
      expect(run.executions).toBe(classes.size);
      for (const scheduler of [random(1), pct(2)]) {
        const sampled = classesOf({ ...plan, ...crash }, scheduler, 400).classes;
        expect([...sampled].filter((one) => !classes.has(one))).toEqual([]);
      }
    },
  );
});
