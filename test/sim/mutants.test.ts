import { describe, expect, it } from 'vitest';
import { campaign, tryMutant } from '../../sim/campaign.ts';
import { invariants } from '../../sim/invariants/all.ts';
import { mutantNamed, mutants } from '../../sim/mutants/all.ts';
import { variantOf } from '../../sim/mutants/mutant.ts';
import { scenarioNamed } from '../../sim/scenarios/all.ts';
import { pct } from '../../sim/schedulers/pct.ts';
import { random } from '../../sim/schedulers/random.ts';
import { shrink } from '../../sim/shrink/shrink.ts';

describe('a deliberate bug', () => {
  it.each(mutants)('$name dies of $kills in $scenario', (mutant) => {
    const { fate, campaign: found } = tryMutant(mutant);
    expect({ fate, by: found.failure?.violation.invariant }).toEqual({ fate: 'killed', by: mutant.kills });
  });

  it('that survives is told apart from one that dies of the wrong invariant', () => {
    const harmless = { ...mutantNamed('seed'), operations: {} };
    expect(tryMutant(harmless).fate).toBe('survived');
    expect(tryMutant({ ...mutantNamed('seed'), kills: 'I6' }).fate).toBe('misjudged');
  });

  it('is there for every invariant, at least twenty-five in all', () => {
    expect(mutants.length).toBeGreaterThanOrEqual(25);
    const killers = new Set(mutants.map((mutant) => mutant.kills));
    expect(invariants.map(({ id }) => id).filter((id) => !killers.has(id))).toEqual([]);
    expect(() => mutantNamed('nonesuch')).toThrow(RangeError);
  });
});

describe('the bug that the project began with', () => {
  const seed = mutantNamed('seed');
  const scenario = scenarioNamed(seed.scenario);

  it('is found by the third execution at the latest, and needs one preemption', () => {
    const { failure } = campaign(scenario, variantOf(seed));
    expect(failure?.execution).toBeLessThanOrEqual(3);
    const { preemptions } = shrink(scenario.plan, variantOf(seed), failure!);
    expect(preemptions).toBe(1);
  });

  it('is found by the sampling schedulers too', () => {
    for (const scheduler of [pct(1), random(1)]) {
      expect(
        campaign(scenario, variantOf(seed), scheduler, { executionsMax: 200 }).failure?.violation.invariant,
      ).toBe('I11');
    }
  });

  it('is shrunk to two threads when twenty-five show it', () => {
    const { failure } = campaign(scenarioNamed('burst-25'), variantOf(seed), pct(1), { executionsMax: 200 });
    const shrunk = shrink(failure!.plan, variantOf(seed), failure!);
    expect(shrunk.plan.threads).toHaveLength(2);
    expect(shrunk.preemptions).toBe(1);
    expect(shrunk.failure.violation.invariant).toBe('I11');
  });
});
