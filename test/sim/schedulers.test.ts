import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { machineOf, type Model } from '../../sim/engine/model.ts';
import { Nondeterminism, type Door } from '../../sim/engine/program.ts';
import { lockModel, takeBroken, takeFixed } from '../../sim/litmus/lock.ts';
import { checkThenInsert } from '../../sim/litmus/insert.ts';
import { bounded } from '../../sim/schedulers/bounded.ts';
import { exhaustive } from '../../sim/schedulers/exhaustive.ts';
import { isSampling, schedulerNamed } from '../../sim/schedulers/named.ts';
import { pct } from '../../sim/schedulers/pct.ts';
import { random } from '../../sim/schedulers/random.ts';
import { replay, StaleSchedule } from '../../sim/schedulers/replay.ts';
import { formatSchedule, parseSchedule, scheduleOf } from '../../sim/schedulers/schedule.ts';
import { defaultLimits, type Scheduler } from '../../sim/schedulers/scheduler.ts';
import type { Machine } from '../../sim/engine/machine.ts';

/** Two were inside the lock at once. */
function crowded(machine: Machine): boolean {
  for (let d = 0; d < machine.depth; d++) {
    if (machine.stepNext[d]?.notes.some((note) => note.what === 'inside' && note.value !== '0') === true)
      return true;
  }
  return false;
}

function search(model: Model, scheduler: Scheduler, executionsMax = 5_000) {
  let schedule: string | undefined;
  const run = scheduler.explore(
    machineOf(model),
    (machine) => {
      if (!crowded(machine)) return false;
      schedule = formatSchedule(scheduleOf(machine));
      return true;
    },
    { ...defaultLimits, executionsMax },
  );
  return { run, schedule };
}

describe('the schedulers', () => {
  const all = [exhaustive, bounded(2), pct(1), random(1)];
  it.each(all.map((one) => [one.name, one] as const))(
    '%s finds the broken lock, and nothing in the fixed one',
    (_, scheduler) => {
      expect(search(lockModel(takeBroken, 2), scheduler).schedule).toBeDefined();
      expect(search(lockModel(takeFixed, 2), scheduler).schedule).toBeUndefined();
    },
  );

  it('need two preemptions for the broken lock, and the bounded one shows that one is not enough', () => {
    expect(search(lockModel(takeBroken, 2), bounded(1)).schedule).toBeUndefined();
    expect(search(lockModel(takeBroken, 2), bounded(2)).schedule).toBeDefined();
  });

  it('see each execution of a bound once', () => {
    const seen = new Set<string>();
    const run = bounded(3).explore(
      machineOf(checkThenInsert(2)),
      (machine) => {
        seen.add(formatSchedule(scheduleOf(machine)));
        return false;
      },
      defaultLimits,
    );
    expect(seen.size).toBe(run.executions);
  });

  it.each([pct, random])('repeat themselves for the same seed', (make) => {
    const trail = (seed: number): string[] => {
      const seen: string[] = [];
      make(seed).explore(
        machineOf(lockModel(takeFixed, 3)),
        (machine) => {
          seen.push(formatSchedule(scheduleOf(machine)));
          return false;
        },
        { ...defaultLimits, executionsMax: 50 },
      );
      return seen;
    };
    expect(trail(7)).toEqual(trail(7));
    expect(trail(7)).not.toEqual(trail(8));
  });

  it('say whether they saw everything', () => {
    expect(search(lockModel(takeFixed, 2), exhaustive).run.complete).toBe(true);
    expect(search(lockModel(takeFixed, 2), random(1), 100).run.complete).toBe(false);
    expect(search(lockModel(takeFixed, 3), exhaustive, 3).run.complete).toBe(false);
  });

  it('are known by name, and an unknown one is refused', () => {
    expect(
      ['exhaustive', 'naive', 'random', 'pct:3', 'bounded:1'].map((name) => schedulerNamed(name, 1).name),
    ).toEqual(['exhaustive', 'naive', 'random', 'pct:3', 'bounded:1']);
    expect(() => schedulerNamed('luck', 1)).toThrow(RangeError);
    expect(() => schedulerNamed('pct:x', 1)).toThrow(RangeError);
    expect([isSampling('pct:2'), isSampling('exhaustive')]).toEqual([true, false]);
  });
});

describe('a schedule', () => {
  it('is the same after a trip through its text form', () => {
    const choice = fc.oneof(
      fc.record({ thread: fc.integer({ min: 0, max: 27 }), alternative: fc.integer({ min: 0, max: 9 }) }),
      fc.constant({ thread: -1, alternative: 0 }),
    );
    fc.assert(
      fc.property(fc.array(choice), (schedule) => {
        expect(parseSchedule(formatSchedule(schedule))).toEqual(schedule);
      }),
    );
  });

  it('refuses a text that is none', () => {
    expect(() => parseSchedule('0 1 x')).toThrow(RangeError);
  });

  it('replays to the same failure', () => {
    const model = lockModel(takeBroken, 2);
    const { schedule } = search(model, exhaustive);
    const machine = machineOf(model);
    let same = false;
    replay(parseSchedule(schedule ?? '')).explore(
      machine,
      () => {
        same = crowded(machine);
        return false;
      },
      defaultLimits,
    );
    expect(same).toBe(true);
  });

  it('is stale when it asks for a step that cannot be taken', () => {
    const machine = machineOf(lockModel(takeBroken, 2));
    const explore = (text: string) => () =>
      replay(parseSchedule(text)).explore(machine, () => false, defaultLimits);
    expect(explore('0 0 0 0 0 0 0 0 0')).toThrow(StaleSchedule);
    expect(explore('5')).toThrow(StaleSchedule);
    expect(explore('0/1')).toThrow(StaleSchedule);
    expect(explore('t')).toThrow(StaleSchedule);
  });
});

describe('a virtual thread', () => {
  const alone = (body: (door: Door) => unknown): Model => ({
    words: 2,
    clock: 1,
    threads: [{ name: 't0', body }],
  });
  const finish = (model: Model): Machine => {
    const machine = machineOf(model);
    exhaustive.explore(machine, () => false, defaultLimits);
    return machine;
  };

  it("that reads something behind the door's back is found out", () => {
    let hidden = 0;
    const body = (door: Door): void => {
      door.store(0, BigInt(hidden++));
      door.load(0);
    };
    expect(() => finish(alone(body))).toThrow(Nondeterminism);
  });

  it('that notes something else each time is found out', () => {
    let hidden = 0;
    const body = (door: Door): void => {
      door.note({ what: 'seen', value: String(hidden++) });
      door.load(0);
    };
    expect(() => finish(alone(body))).toThrow(Nondeterminism);
  });

  it('that catches its own suspension stays suspended', () => {
    const body = (door: Door): string => {
      try {
        door.store(0, 1n);
        door.store(0, 2n);
      } catch {
        door.store(0, 9n);
      } finally {
        door.load(0);
      }
      return 'end';
    };
    const machine = machineOf(alone(body));
    const seen: bigint[] = [];
    exhaustive.explore(
      machine,
      () => {
        seen.push(machine.values.word(machine.memory[0] ?? 0));
        return false;
      },
      defaultLimits,
    );
    expect(seen).toEqual([2n]);
  });

  it('that throws ends with its error', () => {
    const machine = machineOf(
      alone(() => {
        throw new Error('broken');
      }),
    );
    expect(machine.node(0).outcome?.error).toEqual(new Error('broken'));
  });

  it('that never ends is a runaway', () => {
    const ends: string[] = [];
    exhaustive.explore(
      machineOf(
        alone((door) => {
          for (;;) door.load(0);
        }),
      ),
      (_, end) => {
        ends.push(end);
        return true;
      },
      { ...defaultLimits, stepsMax: 50 },
    );
    expect(ends).toEqual(['runaway']);
  });
});
