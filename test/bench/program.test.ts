/** The bench as a program: one quick case, its file and its page. */
import { execFile } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Report } from '../../bench/report.ts';
import { pageOf } from '../../bench/html.ts';

const main = fileURLToPath(new URL('../../dist/bench/main.js', import.meta.url));
const run = promisify(execFile);
let folder: string;

beforeAll(() => (folder = mkdtempSync(join(tmpdir(), 'sallyport-test-'))));
afterAll(() => rmSync(folder, { recursive: true }));

/** Exit code and output; a missed target is a code of 1. */
async function bench(...args: string[]): Promise<{ code: number; stdout: string; stderr: string }> {
  try {
    return { code: 0, ...(await run(process.execPath, [main, ...args])) };
  } catch (error) {
    const { code, stdout, stderr } = error as { code: number; stdout: string; stderr: string };
    return { code, stdout, stderr };
  }
}

describe.runIf(process.platform === 'linux')('npm run bench', () => {
  it('prints a table, keeps what it measured, and draws a page that asks nobody for anything', async () => {
    const out = join(folder, 'result.json');
    const { code, stdout } = await bench('start-up', '--rounds', '1', '--seconds', '1', '--out', out);
    expect([0, 1]).toContain(code);
    expect(stdout).toContain('firstAnswerMs');
    const report = JSON.parse(readFileSync(out, 'utf8')) as Report;
    expect(report).toMatchObject({ version: 2, rounds: 1, cases: [{ name: 'start-up' }] });
    expect(report.cases[0]!.contenders[0]!.figures['firstAnswerMs']!.median).toBeGreaterThan(0);
    const page = readFileSync(join(folder, 'result.html'), 'utf8');
    expect(page).toContain('<h2>start-up</h2>');
    expect(page).not.toMatch(/(?:src|href)=|@import|url\(/);
  });

  it('refuses a case that there is not, and says which there are', async () => {
    const { code, stderr } = await bench('decision-repeted');
    expect(code).toBe(2);
    expect(stderr).toContain('no case decision-repeted');
    expect(stderr).toContain('decision-repeated');
  });

  it('refuses a number of rounds that is none', async () => {
    expect(await bench('--rounds', '0')).toMatchObject({ code: 2 });
  });
});

describe('the page of a run', () => {
  it('shows curves of a second run over those of the first, and lets no name out of its place', () => {
    const report = (name: string): Report => ({
      version: 2,
      taken: '2026-01-01T00:00:00Z',
      seconds: 1,
      rounds: 1,
      machine: {
        commit: 'abc',
        cpu: 'a CPU',
        cores: 2,
        governor: null,
        memoryBytes: 1,
        kernel: '6',
        versions: { node: '20' },
        loadBefore: 0,
      },
      cases: [
        {
          name: 'a-case',
          question: 'Which?',
          units: { perSecond: '1/s' },
          sizes: null,
          ratios: [],
          contenders: [{ name, rounds: [], figures: {}, trace: { latencyUs: [[50, 10]], answered: [1] } }],
        },
      ],
    });
    const page = pageOf(report('</script><b>'), report('other'));
    expect(page).toContain('other (2)');
    expect(page).not.toContain('</script><b>');
    expect(page).toContain('&lt;/script&gt;&lt;b&gt;');
  });
});
