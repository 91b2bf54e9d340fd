import { describe, expect, test } from 'vitest';
import { goodClaims, keyOf, makeIssuer, makeProfile, makeSigner, makeToken, profileOf } from './tokens.ts';
import { openBench, said } from './verifier-bench.ts';

const ed = makeSigner('EdDSA', 'ed');
const profile = profileOf(ed);
const tokenFor = (sub: string, signer = ed): string => makeToken(signer, { ...goodClaims, sub });

describe('tokens that the listener judges itself', () => {
  const own = { ownNanosecondsPerTurn: 100_000 };

  test('the first of a turn are judged behind it, and the others go to workers', async () => {
    const { workers, time, ask, told } = await openBench(profile, own);
    const callers = ['a', 'b', 'c'].map((sub) => ask(tokenFor(sub)));
    expect(callers.map(({ heard }) => heard.length)).toEqual([0, 0, 0]);
    await time.turn();
    // A token is taken to cost 50 µs until it is known better.
    expect(callers.map(({ codes }) => codes)).toEqual([['accepted'], ['accepted'], []]);
    expect(workers[0]!.held.map(({ task }) => task.tokens.length)).toEqual([1]);
    expect(told.filter((line) => line.startsWith('batchSent'))).toEqual(['batchSent 1']);
    await workers[0]!.answer();
    expect(callers[2]!.codes).toEqual(['accepted']);
  });

  test('what workers have no room for is judged here, some in each turn', async () => {
    const { workers, time, ask } = await openBench(profile, { ...own, batchMax: 1 });
    const callers = Array.from({ length: 9 }, (_, i) => ask(tokenFor(`${i}`)));
    await time.turn();
    const left = callers.filter(({ heard }) => heard.length === 0).length;
    expect(workers[0]!.held.flatMap(({ task }) => task.tokens)).toHaveLength(2);
    expect(left).toBe(2);
  });

  test('forged tokens are refused and remembered, and what their senders bring next is left to workers', async () => {
    const { verifier, workers, time, ask } = await openBench(profile, own);
    const rogue = makeSigner('EdDSA', 'ed');
    for (let i = 0; i < 4; i += 1) {
      const forged = tokenFor(`${i}`, rogue);
      const caller = ask(forged, '192.0.2.1');
      await time.turn();
      expect(caller.codes).toEqual(['token_signature']);
      expect(said(verifier.lookup(forged))).toBe('token_signature');
    }
    expect(workers[0]!.held).toHaveLength(0);
    const second = ask(tokenFor('a'), '192.0.2.1');
    const other = ask(tokenFor('b'), '192.0.2.2');
    await time.turn();
    expect([second.codes, other.codes]).toEqual([[], ['accepted']]);
    await time.pass(10);
    await workers[0]!.answer();
    expect(second.codes).toEqual(['accepted']);
  });

  test('an unknown key is asked for, and the token is judged again', async () => {
    const { verifier, time, ask, asked } = await openBench(profile, own);
    const signer = makeSigner('EdDSA', 'new');
    const caller = ask(tokenFor('a', signer));
    await time.turn();
    expect([caller.codes, asked.length]).toEqual([[], 1]);
    verifier.setProfile(makeProfile([makeIssuer([keyOf(ed, 1), keyOf(signer, 2)])], { version: 2 }));
    asked[0]!.resolve();
    await time.turn();
    expect(caller.codes).toEqual(['accepted']);
  });

  test('dear signatures are left to workers', async () => {
    const { workers, time, ask } = await openBench(profile, own);
    for (let i = 0; i < 40; i += 1) {
      for (let j = 0; j < 4; j += 1) ask(tokenFor(`${i} ${j}`));
      await time.turn();
      while (workers[0]!.held.length > 0) {
        const { length } = workers[0]!.held[0]!.task.tokens;
        const outcomes = Array.from({ length }, () => ({ code: 'token_signature', issuer: 0 }) as const);
        await workers[0]!.answer({ kind: 'done', outcomes, nanoseconds: length * 1e6 });
      }
    }
    const caller = ask(tokenFor('x'));
    await time.turn();
    expect(caller.codes).toEqual([]);
  });

  test('while no worker is up, those of suspects are judged here, too', async () => {
    const { workers, time, ask } = await openBench(profile, own);
    const rogue = makeSigner('EdDSA', 'ed');
    for (let i = 0; i < 4; i += 1) {
      ask(tokenFor(`${i}`, rogue), '192.0.2.1');
      await time.turn();
    }
    for (let i = 0; i < 20; i += 1) ask(tokenFor(`${i}`));
    await time.turn();
    expect(workers[0]!.held.length).toBeGreaterThan(0);
    // The one that is opened for it has not answered yet.
    await workers[0]!.die();
    const caller = ask(tokenFor('d'), '192.0.2.1');
    await time.pass(10);
    expect(caller.codes).toEqual(['accepted']);
  });
});
