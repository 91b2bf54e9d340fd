import { basename, dirname } from 'node:path';
import { describe, expect, it } from 'vitest';
import { describeWith, fateOf, findProgram } from './debian.ts';

describe('a suite that needs a program', () => {
  it('runs where it is installed, in CI or not', () => {
    expect(fateOf(true, {})).toBe('run');
    expect(fateOf(true, { CI: 'true' })).toBe('run');
  });

  it('is skipped elsewhere, but fails in CI', () => {
    expect(fateOf(false, {})).toBe('skip');
    expect(fateOf(false, { CI: 'true' })).toBe('fail');
  });

  it('finds programs, and no folders or plain files, on the path', () => {
    expect(findProgram(basename(process.execPath), dirname(process.execPath))).toBe(process.execPath);
    expect(findProgram('support', 'test')).toBeUndefined();
    expect(findProgram('debian.ts', 'test/support')).toBeUndefined();
  });
});

describeWith(basename(process.execPath), 'a suite whose program is here', () => {
  it('runs', () => {
    expect(true).toBe(true);
  });
});
