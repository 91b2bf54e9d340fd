import { describe, expect, test } from 'vitest';
import { goodClaims, makeSigner, makeToken, profileOf } from './tokens.ts';
import { openBench, said } from './verifier-bench.ts';

const ed = makeSigner('EdDSA', 'ed');
const profile = profileOf(ed);
const tokenFor = (sub: string, signer = ed): string => makeToken(signer, { ...goodClaims, sub });

describe('batches', () => {
  test('tokens of one turn go out together, after the turn', async () => {
    const { workers, time, ask } = await openBench(profile);
    const callers = ['a', 'b', 'c'].map((sub) => ask(tokenFor(sub)));
    expect(workers[0]!.held).toHaveLength(0);
    await time.turn();
    expect(workers[0]!.held.map(({ task }) => task.tokens.length)).toEqual([2, 1]);
    await workers[0]!.answer();
    await workers[0]!.answer();
    expect(callers.map(({ heard }) => heard.map((facts) => 'subject' in facts && facts.subject))).toEqual([
      ['a'],
      ['b'],
      ['c'],
    ]);
  });

  test('a worker has two tasks at most, and what waits meanwhile goes out as one batch of bounded size', async () => {
    const { workers, time, ask } = await openBench(profile, { batchMax: 4 });
    ask(tokenFor('a'));
    await time.turn();
    ask(tokenFor('b'));
    await time.turn();
    for (let i = 0; i < 6; i += 1) ask(tokenFor(`c${i}`));
    await time.turn();
    expect(workers[0]!.held.map(({ task }) => task.tokens.length)).toEqual([1, 1]);
    await workers[0]!.answer();
    expect(workers[0]!.held.map(({ task }) => task.tokens.length)).toEqual([1, 4]);
  });

  test('tokens are spread over workers that are free', async () => {
    const { workers, time, ask } = await openBench(profile, { workers: 2 });
    for (let i = 0; i < 8; i += 1) ask(tokenFor(`${i}`));
    await time.turn();
    expect(workers.map(({ held }) => held.map(({ task }) => task.tokens.length))).toEqual([
      [2, 2],
      [2, 2],
    ]);
  });

  test('the profile crosses once, and again with every change', async () => {
    const { verifier, workers, time, ask } = await openBench(profile);
    const once = async (sub: string): Promise<void> => {
      ask(tokenFor(sub));
      await time.turn();
      await workers[0]!.answer();
    };
    await once('a');
    await once('b');
    verifier.setProfile({ ...profile, version: 2 });
    await once('c');
    await once('d');
    expect(workers[0]!.tasks.map((task) => task.profile?.version ?? null)).toEqual([1, null, null, 2, null]);
  });

  test('a worker that lost its profile says so and is sent the task again with it', async () => {
    const { workers, time, ask } = await openBench(profile);
    const caller = ask(tokenFor('a'));
    await time.turn();
    await workers[0]!.answer({ kind: 'stale' });
    expect(caller.heard).toHaveLength(0);
    expect(workers[0]!.held[0]!.task.profile).toEqual(profile);
    await workers[0]!.answer();
    expect(caller.codes).toEqual(['accepted']);
  });

  test('dear signatures go out in smaller batches', async () => {
    const { workers, time, ask } = await openBench(profile);
    for (let i = 0; i < 40; i += 1) {
      const caller = ask(tokenFor(`${i}`));
      await time.turn();
      await workers[0]!.answer({
        kind: 'done',
        outcomes: [{ code: 'token_signature', issuer: 0 }],
        nanoseconds: 20e6,
      });
      expect(caller.codes).toEqual(['token_signature']);
    }
    for (let i = 0; i < 64; i += 1) ask(tokenFor(`x${i}`));
    await time.turn();
    // A quarter of 400 ms at 20 ms each.
    expect(workers[0]!.held[0]!.task.tokens.length).toBeLessThanOrEqual(6);
  });
});

describe('V4: joining', () => {
  test('identical tokens in flight are judged once and all who wait hear of it', async () => {
    const { workers, time, ask, told } = await openBench(profile);
    const token = tokenFor('a');
    const first = ask(token);
    await time.turn();
    const second = ask(token);
    await time.turn();
    expect(workers[0]!.tasks.flatMap(({ tokens }) => tokens)).toHaveLength(1);
    await workers[0]!.answer();
    expect([first.codes, second.codes]).toEqual([['accepted'], ['accepted']]);
    expect(told).toContain('tokenSeen EdDSA accepted miss');
    expect(told).toContain('tokenSeen EdDSA accepted joined');
  });

  test('tokens that differ in one character are not shared', async () => {
    const { workers, time, ask } = await openBench(profile);
    const token = tokenFor('a');
    const forged = `${token.slice(0, -9)}${token.at(-9) === 'A' ? 'B' : 'A'}${token.slice(-8)}`;
    const [good, bad] = [ask(token), ask(forged)];
    await time.turn();
    await workers[0]!.answer();
    await workers[0]!.answer();
    expect([good.codes, bad.codes]).toEqual([['accepted'], ['token_signature']]);
  });

  test('tokens with one signature and other claims are not shared', async () => {
    const { workers, time, ask } = await openBench(profile);
    const [token, other] = [tokenFor('a'), tokenFor('b')];
    const forged = [...other.split('.').slice(0, 2), token.split('.')[2]].join('.');
    const callers = [ask(token), ask(forged), ask(token)];
    await time.turn();
    await workers[0]!.answer();
    await workers[0]!.answer();
    expect(callers.map(({ codes }) => codes)).toEqual([['accepted'], ['token_signature'], ['accepted']]);
  });

  test('nothing is settled from within verify', async () => {
    const { ask, time } = await openBench(profile, { queueMax: 1 });
    const callers = [ask(tokenFor('a')), ask(tokenFor('b'))];
    expect(callers.map(({ heard }) => heard.length)).toEqual([0, 0]);
    await time.turn();
    expect(callers[1]!.codes).toEqual(['verifier_full']);
  });
});

describe('bounds and deadlines', () => {
  test('a full queue answers 503', async () => {
    const { ask, time, workers } = await openBench(profile, { queueMax: 2 });
    const callers = [1, 2, 3].map((i) => ask(tokenFor(`${i}`)));
    await time.turn();
    await workers[0]!.answer();
    await workers[0]!.answer();
    expect(callers.map(({ codes }) => codes)).toEqual([['accepted'], ['accepted'], ['verifier_full']]);
  });

  test('V3: who waits past the deadline gets 503, queued or sent, and a verdict that comes later is kept', async () => {
    const { verifier, ask, time, workers } = await openBench(profile, { batchMax: 1 });
    const callers = ['a', 'b', 'c'].map((sub) => ask(tokenFor(sub)));
    await time.turn();
    await time.pass(460);
    expect(callers.map(({ codes }) => codes)).toEqual([
      ['verifier_timeout'],
      ['verifier_timeout'],
      ['verifier_timeout'],
    ]);
    await workers[0]!.answer();
    expect(said(verifier.lookup(tokenFor('a')))).toBe('accepted');
    expect(callers[0]!.heard).toHaveLength(1);
  });

  test('a waiter that is withdrawn hears nothing, and a token that nobody waits for is not sent', async () => {
    const { verifier, ask, time, workers } = await openBench(profile, { queueMax: 2 });
    const [gone, stays] = [ask(tokenFor('a')), ask(tokenFor('b'))];
    verifier.withdraw(gone);
    const next = ask(tokenFor('c'));
    await time.turn();
    expect(workers[0]!.tasks.flatMap(({ tokens }) => tokens)).toEqual([tokenFor('b'), tokenFor('c')]);
    await workers[0]!.answer();
    await workers[0]!.answer();
    expect([gone.codes, stays.codes, next.codes]).toEqual([[], ['accepted'], ['accepted']]);
    verifier.withdraw(gone);
  });

  test('withdrawing one of several waiters leaves the others', async () => {
    const { verifier, ask, time, workers } = await openBench(profile);
    const [gone, stays] = [ask(tokenFor('a')), ask(tokenFor('a'))];
    verifier.withdraw(gone);
    await time.turn();
    await workers[0]!.answer();
    expect([gone.codes, stays.codes]).toEqual([[], ['accepted']]);
  });

  test('no timer runs while nobody waits', async () => {
    const { ask, time, workers } = await openBench(profile);
    await time.pass(100);
    expect(time.alarms).toBe(0);
    ask(tokenFor('a'));
    await time.turn();
    expect(time.alarms).toBe(1);
    await workers[0]!.answer();
    await time.pass(100);
    expect(time.alarms).toBe(0);
  });
});

describe('workers that fail', () => {
  test('V3: a worker that dies answers 503 for what it had, and another takes over', async () => {
    const { ask, time, workers, told } = await openBench(profile);
    const lost = ask(tokenFor('a'));
    await time.turn();
    await workers[0]!.die();
    expect(lost.codes).toEqual(['verifier_failed']);
    expect(workers).toHaveLength(2);
    expect(told).toContain('workerRestarted');
    expect(workers[1]!.tasks[0]!.profile).toEqual(profile);
    await workers[1]!.answer();
    const next = ask(tokenFor('b'));
    await time.turn();
    await workers[1]!.answer();
    expect(next.codes).toEqual(['accepted']);
  });

  test('V3: a worker that hangs past the deadline is replaced, and what it says afterwards is not heard', async () => {
    const { verifier, ask, time, workers } = await openBench(profile);
    const stuck = ask(tokenFor('a'));
    await time.turn();
    await time.pass(600);
    expect(stuck.codes).toEqual(['verifier_timeout']);
    expect(workers[0]!.closed).toBe(true);
    await workers[1]!.answer();
    const other = ask(tokenFor('b'));
    await time.turn();
    await workers[0]!.answer({
      kind: 'done',
      outcomes: [{ code: 'token_signature', issuer: 0 }],
      nanoseconds: 1,
    });
    expect(other.heard).toHaveLength(0);
    await workers[1]!.answer();
    expect(other.codes).toEqual(['accepted']);
    expect(said(verifier.lookup(tokenFor('a')))).toBe('unknown');
  });

  test('V3: a reply of another length than the batch is nobody’s verdict', async () => {
    const { ask, time, workers } = await openBench(profile);
    const caller = ask(tokenFor('a'));
    await time.turn();
    await workers[0]!.answer({ kind: 'done', outcomes: [], nanoseconds: 1 });
    expect(caller.codes).toEqual(['verifier_failed']);
    expect(workers[0]!.closed).toBe(true);
  });

  test('a worker that keeps dying is opened again with growing pauses, and tokens wait for it', async () => {
    const { ask, time, workers } = await openBench(profile);
    await workers[0]!.die();
    workers[0]!.onLost();
    expect(workers).toHaveLength(2);
    workers[1]!.onLost();
    expect(workers).toHaveLength(2);
    const waiting = ask(tokenFor('a'));
    await time.pass(300);
    expect(workers).toHaveLength(3);
    await workers[2]!.answer();
    await workers[2]!.answer();
    expect(waiting.codes).toEqual(['accepted']);
  });

  test('the end answers everybody and closes the workers', async () => {
    const { verifier, ask, time, workers } = await openBench(profile);
    const sent = ask(tokenFor('a'));
    await time.turn();
    const queued = ask(tokenFor('b'));
    await verifier.close();
    const late = ask(tokenFor('c'));
    await time.turn();
    expect([sent.codes, queued.codes, late.codes]).toEqual([
      ['verifier_failed'],
      ['gateway_draining'],
      ['verifier_full'],
    ]);
    expect(workers[0]!.closed).toBe(true);
    expect(time.alarms).toBe(0);
  });
});
