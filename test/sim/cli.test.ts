import { spawnSync } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { afterAll, describe, expect, it } from 'vitest';
import { exitCode, worst } from '../../sim/exit-codes.ts';
import { codeOfResult, perform, defaultTaskOptions } from '../../sim/suite.ts';
import { sallyport } from '../support/built.ts';

const directory = mkdtempSync(`${tmpdir()}/sallyport-sim-`);
afterAll(() => rmSync(directory, { recursive: true }));

/** Runs the built program. */
function sim(...args: string[]): { code: number | null; out: string; err: string } {
  const { status, stdout, stderr } = spawnSync(process.execPath, [sallyport, 'sim', ...args], {
    encoding: 'utf8',
  });
  return { code: status, out: stdout, err: stderr };
}

const trace = 'sim/traces/seed-check-then-insert.json';

describe('sallyport sim', () => {
  it('runs a scenario and ends with 0', () => {
    const { code, out } = sim('run', 'burst-2');
    expect(code).toBe(exitCode.ok);
    expect(out).toMatch(/burst-2 +complete +34/);
  });

  it('answers programs in JSON', () => {
    const { code, out } = sim('run', 'burst-2', '--json', '--scheduler', 'random', '--seed', '9');
    expect(code).toBe(exitCode.ok);
    expect(JSON.parse(out)).toMatchObject({
      code: 0,
      seed: 9,
      scheduler: 'random',
      results: [{ scenario: 'burst-2', complete: false }],
    });
  });

  it('ends with 10 for a broken invariant, shows it small, and draws it', () => {
    const html = `${directory}/seed.html`;
    const { code, out, err } = sim('run', 'burst-25', '--variant', 'seed', '--html', html);
    expect(code).toBe(exitCode.violation);
    expect(out).toContain('VIOLATION I11');
    expect(err).toContain('1 preemption, 14 steps');
    expect(err).toContain('replay: sallyport sim run burst-25 --variant seed --scheduler pct --seed 1');
    expect(readFileSync(html, 'utf8')).toContain('I11 is broken');
  });

  it('ends with 11 when somebody waits for ever', () => {
    const { code, err } = sim(
      'run',
      'untimed-2',
      '--variant',
      'no-notify',
      '--html',
      `${directory}/wedge.html`,
    );
    expect(code).toBe(exitCode.stuck);
    expect(err).toContain('why: thread 1 sleeps for ever');
  });

  it('tries mutants', () => {
    const { code, out } = sim('mutants', 'seed', 'no-notify');
    expect(code).toBe(exitCode.ok);
    expect(out).toContain('2 killed');
  });

  it('replays a trace and draws it', () => {
    const html = `${directory}/race.html`;
    const { code, out } = sim('replay', trace, '--html', html);
    expect(code).toBe(exitCode.ok);
    expect(out).toContain('✓ the shipped source survives all 34 schedules');
    expect(readFileSync(html, 'utf8')).toContain('<svg');
  });

  it('drives real threads through every recorded race, and they do what the model did', () => {
    const paths = readdirSync('sim/traces').map((name) => `sim/traces/${name}`);
    const { code, out } = sim('replay', '--real', ...paths);
    expect(out).not.toContain('✗');
    expect(out.split('✓ real threads do the same')).toHaveLength(paths.length + 1);
    expect(code).toBe(exitCode.ok);
  });

  it('ends with 13 for a trace that no longer fits', () => {
    const path = `${directory}/old.json`;
    writeFileSync(
      path,
      JSON.stringify({ ...(JSON.parse(readFileSync(trace, 'utf8')) as object), choices: '1 1 1' }),
    );
    expect(sim('replay', path).code).toBe(exitCode.stale);
  });

  it("shrinks a mutant's failure", () => {
    const { code, out } = sim('shrink', 'seed');
    expect(code).toBe(exitCode.ok);
    expect(out).toContain('1 preemption, 14 steps');
  });

  it('ends with 2 for what it does not know', () => {
    for (const args of [
      ['run', 'nonesuch'],
      ['run', 'burst-2', '--scheduler', 'luck'],
      ['replay', `${directory}/none.json`],
      ['shrink', 'nonesuch'],
    ]) {
      expect(sim(...args).code).toBe(2);
    }
  });
});

describe('the exit code of a run', () => {
  it('is that of the worst finding', () => {
    expect(worst([])).toBe(0);
    expect(worst([exitCode.ok, exitCode.incomplete, exitCode.mutant])).toBe(exitCode.mutant);
    expect(worst([exitCode.violation, exitCode.stuck, exitCode.nondeterminism])).toBe(
      exitCode.nondeterminism,
    );
  });

  it('tells a broken invariant, a wedge, a survivor and a run that was cut short apart', () => {
    const options = { ...defaultTaskOptions, executionsMax: 5 };
    const cut = perform({ kind: 'scenario', name: 'burst-3', options });
    expect(codeOfResult(cut)).toBe(exitCode.incomplete);
    const survivor = perform({ kind: 'mutant', name: 'purge-by-store', options });
    expect(codeOfResult(survivor)).toBe(exitCode.mutant);
    if (cut.kind !== 'scenario') throw new Error('a scenario answers with a campaign');
    const failed = (invariant: 'I2' | 'I12') =>
      codeOfResult({
        kind: 'scenario',
        campaign: {
          ...cut.campaign,
          failure: {
            violation: { invariant, step: 1, why: 'because' },
            execution: 1,
            schedule: [],
            plan: { keys: 1, threads: [] },
          },
        },
      });
    expect([failed('I2'), failed('I12')]).toEqual([exitCode.violation, exitCode.stuck]);
    expect(codeOfResult({ kind: 'nondeterminism', name: 'x', why: 'y' })).toBe(exitCode.nondeterminism);
  });
});
