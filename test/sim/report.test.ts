import { describe, expect, it } from 'vitest';
import { replayExactly } from '../../sim/corpus/trace-file.ts';
import { readCorpus } from '../../sim/corpus/corpus.ts';
import { variantNamed } from '../../sim/corpus/trace-file.ts';
import { machineOf } from '../../sim/engine/model.ts';
import { lockModel, LOCK, takeBroken } from '../../sim/litmus/lock.ts';
import { renderHtml } from '../../sim/report/html.ts';
import { renderFailure, renderTrace } from '../../sim/report/terminal.ts';
import { plainWord, tell } from '../../sim/report/trace.ts';
import { follow } from '../../sim/schedulers/replay.ts';
import { parseSchedule } from '../../sim/schedulers/schedule.ts';

const file = readCorpus('sim/traces').find((one) => one.name === 'i12-notify-before-publish')!;
const { trace, violation } = replayExactly(file.plan, variantNamed(file.variant), file.choices);
const headline = {
  scenario: '<untimed>',
  variant: 'notify-first',
  scheduler: 'exhaustive',
  execution: 2,
  replay: 'replay me',
};

describe('the report of a failure', () => {
  it('has a column for each thread, a mark for each preemption, and the reason', () => {
    const text = renderFailure(trace, violation!, headline);
    expect(text).toContain('VIOLATION I12');
    expect(text).toContain('t0 start');
    expect(text).toContain('t1 start');
    expect(text.split('is preempted')).toHaveLength(trace.preemptions + 1);
    expect(text).toContain('RESERVED g1 t0');
    expect(text).toContain('why: thread 1 sleeps for ever');
    expect(text).toContain('replay: replay me');
  });

  it('is one HTML file that asks for nothing else', () => {
    const html = renderHtml(trace, violation, headline);
    expect(html).not.toMatch(/https?:|src=|@import|url\(/);
    expect(html).toContain('&lt;untimed&gt;');
    expect(html).toContain('waits for CTL[0]');
    expect(html.match(/class="mark /g)).toHaveLength(trace.steps.filter((step) => step.thread >= 0).length);
    expect(html).toContain('PENDING g1');
  });

  it('draws an arrow for each wake', () => {
    const seed = readCorpus('sim/traces').find((one) => one.name === 'i10-reaper-against-takeover')!;
    const told = replayExactly(seed.plan, variantNamed(seed.variant), seed.choices);
    const wakes = told.trace.steps.reduce((sum, step) => sum + step.wakes.length, 0);
    expect(renderHtml(told.trace, told.violation, headline).split('class="wake" d=')).toHaveLength(wakes + 1);
  });
});

describe('the report of any model', () => {
  it('tells the broken lock', () => {
    const machine = machineOf(lockModel(takeBroken, 2));
    follow(machine, parseSchedule('0 1 1 1 0 0'));
    const view = { clock: 2, shown: [LOCK], nameOf: (address: number) => `W${address}`, describe: plainWord };
    expect(renderTrace(tell(machine, view, ['t0', 't1']))).toBe(
      [
        '   t0                         t1                         W0',
        '1  load LOCK → 0              ·',
        '   ── t0 is preempted ──',
        '2  ·                          load LOCK → 0',
        '3  ·                          store LOCK := 1            1',
        '4  ·                          add INSIDE « inside (0) »  1',
        '   ── t1 is preempted ──',
        '5  store LOCK := 1            ·                          1',
        '6  add INSIDE « inside (1) »  ·                          1',
      ].join('\n'),
    );
  });
});
