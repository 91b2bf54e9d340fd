/** The last line of CI cannot claim more than vitest's report says. */
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';

const folder = mkdtempSync(join(tmpdir(), 'sallyport-totals-'));
afterAll(() => rmSync(folder, { recursive: true }));

interface Suite {
  readonly status: 'passed' | 'failed';
  readonly assertionResults: readonly { readonly status: 'passed' | 'failed' }[];
}
const good: Suite = { status: 'passed', assertionResults: [{ status: 'passed' }] };
const bad: Suite = { status: 'failed', assertionResults: [{ status: 'failed' }] };
const unreadable: Suite = { status: 'failed', assertionResults: [] };

function lastLine(
  suites: readonly Suite[] | string,
  failedSteps: number,
): [line: string, status: number | null] {
  const file = join(folder, 'report.json');
  const tests = typeof suites === 'string' ? [] : suites.flatMap((suite) => suite.assertionResults);
  const count = (status: string): number => tests.filter((test) => test.status === status).length;
  const report = { numPassedTests: count('passed'), numFailedTests: count('failed'), testResults: suites };
  writeFileSync(file, typeof suites === 'string' ? suites : JSON.stringify(report));
  const run = spawnSync(process.execPath, ['.ci/totals.cjs', file, String(failedSteps)], {
    encoding: 'utf8',
  });
  return [run.stdout, run.status];
}

describe('the totals', () => {
  it.each([
    ['every test passed', [good, good], 0, '2 passed, 0 failed\n', 0],
    ['a test failed', [good, bad], 1, '1 passed, 1 failed\n', 1],
    ['a file could not be imported', [good, unreadable], 1, '1 passed, 1 failed\n', 1],
    ['only another step failed', [good], 1, '1 passed, 1 failed\n', 1],
    ['there is no report', '', 1, '0 passed, 1 failed\n', 1],
    ['nothing ran', [], 0, '0 passed, 0 failed\n', 1],
  ] as const)('when %s', (_, suites, failedSteps, line, status) => {
    expect(lastLine(suites, failedSteps)).toEqual([line, status]);
  });
});
