import { describe, expect, it } from 'vitest';
import { corpus, readCorpus } from '../../sim/corpus/corpus.ts';
import { check, parseTraceFile, type TraceFile } from '../../sim/corpus/trace-file.ts';
import { invariants } from '../../sim/invariants/all.ts';

const files = readCorpus('sim/traces');
const seed = files.find((file) => file.name === 'seed-check-then-insert')!;

describe('a recorded race', () => {
  it.each(files)('$name: the bug shows, and the shipped source survives', (file) => {
    for (const one of check(file)) expect(one).toEqual({ ...one, ok: true, stale: false });
  });

  it('is kept for every invariant, for the seed, and for cancel against persist', () => {
    const covered = new Set(files.map((file) => file.expect.invariant));
    expect(invariants.map(({ id }) => id).filter((id) => !covered.has(id))).toEqual([]);
    expect(files.map((file) => file.name).sort()).toEqual(corpus.map(([name]) => name).sort());
  });

  const stale: readonly (readonly [string, Partial<TraceFile>])[] = [
    ['its steps can no longer be taken', { choices: '0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0' }],
    ['it no longer ends in a violation', { choices: '0 0 0 0 0 0 0 0 1 1 1 1' }],
    ['its steps have become others', { expect: { ...seed.expect, fingerprint: 'another' } }],
    ['it breaks another invariant', { expect: { ...seed.expect, invariant: 'I6' } }],
    ['its switches lead elsewhere', { guide: { switches: [], draws: [] } }],
    ['there are more schedules than there were', { golden: { ...seed.golden, executions: 33 } }],
    ['there are longer schedules than there were', { golden: { ...seed.golden, stepsMost: 5 } }],
  ];
  it.each(stale)('fails as stale when %s', (_, change) => {
    const checks = check({ ...seed, ...change });
    expect(checks.some((one) => one.stale)).toBe(true);
    expect(checks.find((one) => one.stale)?.detail).toMatch(/stale/);
  });

  it('is refused when it is of another format, or names a variant that there is not', () => {
    expect(() => parseTraceFile(JSON.stringify({ ...seed, format: 'race/0' }))).toThrow(RangeError);
    expect(() => parseTraceFile(JSON.stringify({ ...seed, variant: 'nonesuch' }))).toThrow(RangeError);
    expect(() => parseTraceFile('{')).toThrow(SyntaxError);
  });
});
