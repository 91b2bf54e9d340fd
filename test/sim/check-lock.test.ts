import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { checkLock } from '../../sim/litmus/check-lock.ts';
import { takeBroken, takeFixed } from '../../sim/litmus/lock.ts';

const readme = readFileSync('sim/README.md', 'utf8');
const flat = (text: string): string => text.replaceAll(/\s+/g, ' ').trim();

describe('the example of the README', () => {
  it('shows how the broken lock lets two in, as the README says', () => {
    const table = checkLock(takeBroken);
    expect(table).toContain('is preempted');
    expect(flat(readme)).toContain(flat(table));
  });

  it('shows that the fixed lock does not', () => {
    const answer = checkLock(takeFixed);
    expect(answer).toMatch(/^holds in all \d+ classes of schedules$/);
    expect(readme).toContain(answer);
  });

  it('is made of code that there is', () => {
    const source = ['lock', 'check-lock']
      .map((name) => readFileSync(`sim/litmus/${name}.ts`, 'utf8'))
      .join('\n');
    const blocks = [...readme.matchAll(/```ts\n([\s\S]*?)```/g)].map(([, code]) => code ?? '');
    expect(blocks.length).toBeGreaterThanOrEqual(2);
    for (const block of blocks) expect(flat(source)).toContain(flat(block));
  });
});
