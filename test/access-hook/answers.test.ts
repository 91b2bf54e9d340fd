import { describe, expect, test } from 'vitest';
import { HookAnswers, type AnswersParts, type HookAnswer } from '../../gateway/access-hook/answers.ts';

/** Answers by hand, and a clock by hand. */
function stage(more: Partial<AnswersParts> = {}) {
  const calls: { question: string; answer: (answer: HookAnswer) => Promise<void> }[] = [];
  const seen: string[] = [];
  const clock = { now: 0, monotonicMs: () => clock.now };
  const answers = new HookAnswers({
    allowedMs: 1000, deniedMs: 100, entriesMax: 2, pendingMax: 2, clock,
    call: (question) =>
      new Promise((resolve) => {
        calls.push({ question, answer: async (answer) => { resolve(answer); await Promise.resolve(); } });
      }),
    observe: (answer, origin) => seen.push(`${answer} ${origin}`),
    ...more,
  }); // prettier-ignore
  const told: string[] = [];
  const ask = (question: string): void =>
    answers.ask(question, (answer) => told.push(`${question} ${answer}`));
  return { ask, calls, seen, told, clock };
}

test('however many ask the same at once, the hook is called once and all get its answer', async () => {
  const { ask, calls, seen, told } = stage();
  for (let i = 0; i < 3; i++) ask('q');
  expect(calls).toHaveLength(1);
  expect(told).toEqual([]);
  await calls[0]!.answer('denied');
  expect(told).toEqual(['q denied', 'q denied', 'q denied']);
  expect(seen).toEqual(['denied call', 'denied joined', 'denied joined']);
});

describe('an answer is kept', () => {
  test.each([
    ['allowed', 999, 1000],
    ['denied', 99, 100],
  ] as const)('%s: as long as it is said, and no longer', async (answer, within, beyond) => {
    const { ask, calls, told, clock } = stage();
    ask('q');
    await calls[0]!.answer(answer);
    clock.now = within;
    ask('q');
    expect([calls.length, told.length]).toEqual([1, 2]);
    clock.now = beyond;
    ask('q');
    expect([calls.length, told.length]).toEqual([2, 2]);
  });

  test('but never a failure', async () => {
    const { ask, calls, told } = stage();
    ask('q');
    await calls[0]!.answer('failed');
    ask('q');
    expect([calls.length, told]).toEqual([2, ['q failed']]);
  });

  test('nor with 0 seconds, nor for a question that is too long', async () => {
    for (const [question, more] of [['q', { allowedMs: 0 }], ['q'.repeat(5000), {}]] as const) {
      const { ask, calls } = stage(more);
      ask(question);
      await calls[0]!.answer('allowed');
      ask(question);
      expect(calls).toHaveLength(2);
    }
  }); // prettier-ignore
});

test('the oldest answer makes room', async () => {
  const { ask, calls } = stage();
  for (const [index, question] of ['a', 'b', 'c'].entries()) {
    ask(question);
    await calls[index]!.answer('allowed');
  }
  for (const question of ['b', 'c']) ask(question);
  expect(calls).toHaveLength(3);
  ask('a');
  expect(calls).toHaveLength(4);
});

test('too many questions under way are failures at once, and those under way go on', async () => {
  const { ask, calls, told, seen } = stage();
  for (const question of ['a', 'b', 'c']) ask(question);
  expect([calls.length, told, seen]).toEqual([2, ['c failed'], ['failed full']]);
  await calls[1]!.answer('allowed');
  expect(told).toEqual(['c failed', 'b allowed']);
  ask('c');
  expect(calls).toHaveLength(3);
});
