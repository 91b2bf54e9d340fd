import { describe, expect, it } from 'vitest';
import { controlAddress } from '../../gateway/flight/layout.ts';
import { campaign } from '../../sim/campaign.ts';
import { Nondeterminism } from '../../sim/engine/program.ts';
import { scenarioNamed, scenarios } from '../../sim/scenarios/all.ts';
import { bounded } from '../../sim/schedulers/bounded.ts';
import { pct } from '../../sim/schedulers/pct.ts';
import { sights } from '../../sim/sightings.ts';
import { shipped } from '../../sim/world/world.ts';

const short = scenarios.filter((scenario) => scenario.long !== true && scenario.sampled === undefined);

describe('the flight table under every schedule', () => {
  const seen = new Set<string>();

  it.each(short)('$name: $title', (scenario) => {
    const { failure, complete, sights: sightings } = campaign(scenario);
    for (const sight of sightings) seen.add(sight);
    expect(failure?.violation).toBeUndefined();
    expect(complete).toBe(true);
  });

  it('meets every situation that must occur', () => {
    expect(sights.filter((sight) => !seen.has(sight))).toEqual([]);
  });
});

describe('the flight table under sampled schedules', () => {
  it('survives twenty-five starts at once', () => {
    const { failure, executions, complete } = campaign(scenarioNamed('burst-25'), undefined, pct(1), {
      executionsMax: 300,
    });
    expect(failure?.violation).toBeUndefined();
    expect(executions).toBe(300);
    expect(complete).toBe(false);
  });

  it('survives situations that are drawn from a seed', () => {
    const { failure, executions } = campaign(scenarioNamed('swarm'), undefined, pct(1), {
      executionsMax: 20,
    });
    expect(failure?.violation).toBeUndefined();
    expect(executions).toBe(300 * 20);
  });

  it('survives all schedules with up to two preemptions, as a second opinion', () => {
    for (const name of ['burst-3', 'slow-leader-2', 'cancel-persist-start', 'purge-start']) {
      expect(campaign(scenarioNamed(name), undefined, bounded(2)).failure?.violation).toBeUndefined();
    }
  });
});

describe('a variant that reads what is not in its arguments', () => {
  it('is found out before anything is concluded from it', () => {
    let calls = 0;
    const expire: typeof shipped.operations.expire = (cells, layout, slot, word) => {
      cells.store(controlAddress(layout, slot), word + BigInt(calls++));
      return null;
    };
    const restless = { name: 'restless', operations: { ...shipped.operations, expire } };
    expect(() => campaign(scenarioNamed('expire-start'), restless)).toThrow(Nondeterminism);
  });
});

describe('the scenarios', () => {
  it('have names of their own', () => {
    expect(new Set(scenarios.map(({ name }) => name)).size).toBe(scenarios.length);
    expect(() => scenarioNamed('nonesuch')).toThrow(RangeError);
  });

  it('let a thread die at every one of its steps, and stop there', () => {
    const crashing = scenarioNamed('crash-2');
    const { executions } = campaign(crashing);
    const once = campaign({
      ...crashing,
      plan: { ...crashing.plan, crash: { thread: 0, at: 0 } },
      crashEverywhere: undefined as never,
    });
    expect(executions).toBeGreaterThan(once.executions * 9);
  });
});
