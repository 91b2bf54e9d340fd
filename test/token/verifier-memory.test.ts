import { describe, expect, test } from 'vitest';
import { keyOf, makeIssuer, makeProfile, makeSigner, makeToken, goodClaims, profileOf } from './tokens.ts';
import { type Caller, openBench, said } from './verifier-bench.ts';

const ed = makeSigner('EdDSA', 'ed');
const rogue = makeSigner('EdDSA', 'ed');
const profile = profileOf(ed);
const tokenFor = (sub: string, signer = ed): string => makeToken(signer, { ...goodClaims, sub });

describe('what is kept', () => {
  test('V1: facts are found by the whole token, and die with their key', async () => {
    const { verifier, ask, time, workers } = await openBench(profile);
    const token = tokenFor('a');
    ask(token);
    await time.turn();
    await workers[0]!.answer();
    expect(said(verifier.lookup(token))).toBe('accepted');
    expect(said(verifier.lookup(token.replace('.', '..')))).toBe('token_malformed');
    expect(
      said(
        verifier.lookup(
          `${makeToken(ed, { ...goodClaims, sub: 'evil' })
            .split('.')
            .slice(0, 2)
            .join('.')}.${token.split('.')[2]}`,
        ),
      ),
    ).toBe('unknown');
    verifier.setProfile(makeProfile([makeIssuer([keyOf(makeSigner('EdDSA', 'new'), 2)])], { version: 2 }));
    expect(verifier.liveKeys[1]).toBe(0);
    expect(verifier.liveKeys[2]).toBe(1);
    expect(said(verifier.lookup(token))).toBe('unknown');
  });

  test('K4: facts under a key that stays survive a change of the other keys', async () => {
    const { verifier, ask, time, workers } = await openBench(profile);
    ask(tokenFor('a'));
    await time.turn();
    await workers[0]!.answer();
    verifier.setProfile(
      makeProfile([makeIssuer([keyOf(ed, 1), keyOf(makeSigner('EdDSA', 'new'), 2)])], { version: 2 }),
    );
    expect(said(verifier.lookup(tokenFor('a')))).toBe('accepted');
  });

  test('a change of anything but keys forgets all facts, and those who wait are answered in the terms they asked in', async () => {
    const { verifier, ask, time, workers } = await openBench(profile);
    ask(tokenFor('a'));
    await time.turn();
    await workers[0]!.answer();
    const before = ask(tokenFor('b'));
    verifier.setProfile(
      profileOf(ed, {}, { version: 2, scopes: ['orders:write', 'orders:read'], implied: [[0], [1]] }),
    );
    const after = ask(tokenFor('b'));
    expect(said(verifier.lookup(tokenFor('a')))).toBe('unknown');
    await time.turn();
    expect(workers[0]!.held.map(({ task }) => task.version)).toEqual([1, 2]);
    await workers[0]!.answer();
    expect(said(verifier.lookup(tokenFor('b')))).toBe('unknown');
    await workers[0]!.answer();
    expect([before.heard, after.heard]).toMatchObject([[{ scopes: [1] }], [{ scopes: [2] }]]);
    expect(verifier.lookup(tokenFor('b'))).toMatchObject({ scopes: [2] });
  });

  test('V2: refusals are kept for one version of the profile, and never those that are our own failure', async () => {
    const unavailable = makeProfile([makeIssuer(null, { algorithms: ['EdDSA'] })]);
    const { verifier, ask, time, workers } = await openBench(unavailable);
    const judgeIt = async (token: string): Promise<string> => {
      const caller = ask(token);
      await time.turn();
      await workers[0]!.answer();
      return caller.codes[0]!;
    };
    expect(await judgeIt(tokenFor('a'))).toBe('keys_unavailable');
    expect(said(verifier.lookup(tokenFor('a')))).toBe('unknown');
    verifier.setProfile({ ...profile, version: 2 });
    expect(await judgeIt(tokenFor('x', rogue))).toBe('token_signature');
    expect(said(verifier.lookup(tokenFor('x', rogue)))).toBe('token_signature');
    verifier.setProfile({ ...profileOf(rogue), version: 3 });
    expect(said(verifier.lookup(tokenFor('x', rogue)))).toBe('unknown');
    expect(await judgeIt(tokenFor('x', rogue))).toBe('accepted');
  });

  test('V2: a verdict of an older version of the profile is not kept against a token', async () => {
    const { verifier, ask, time, workers } = await openBench(profile);
    const caller = ask(tokenFor('x', rogue));
    await time.turn();
    verifier.setProfile({ ...profileOf(rogue), version: 2 });
    await workers[0]!.answer();
    expect(caller.codes).toEqual(['token_signature']);
    expect(said(verifier.lookup(tokenFor('x', rogue)))).toBe('unknown');
  });

  test('what no issuer would take by form is refused at once', async () => {
    const { verifier, workers } = await openBench(profile);
    expect(said(verifier.lookup('x'))).toBe('token_malformed');
    expect(said(verifier.lookup('x'.repeat(9000)))).toBe('token_too_large');
    expect(said(verifier.lookup(makeToken(ed, goodClaims, { alg: 'none' })))).toBe('token_algorithm');
    expect(workers[0]!.tasks).toHaveLength(1);
  });

  test('HMAC is judged at once, whatever its kid, and kept', async () => {
    const hs = makeSigner('HS512', 'not-used');
    const { verifier, told } = await openBench(makeProfile([makeIssuer([keyOf(hs, 7)])]));
    expect(verifier.lookup(makeToken(hs))).toMatchObject({ keyId: 7, subject: 'user-1' });
    expect(verifier.lookup(makeToken(hs))).toMatchObject({ keyId: 7 });
    expect(said(verifier.lookup(makeToken(makeSigner('HS512'))))).toBe('token_signature');
    expect(told.filter((line) => line.startsWith('tokenSeen'))).toEqual([
      'tokenSeen HS512 accepted miss',
      'tokenSeen HS512 accepted hit',
      'tokenSeen HS512 refused miss',
    ]);
  });
});

describe('unknown kids', () => {
  const next = makeSigner('EdDSA', 'next');
  const both = makeProfile([makeIssuer([keyOf(ed, 1), keyOf(next, 2)])], { version: 2 });

  test('K3: many tokens of an unknown key ask for the keys once, and are judged again when they have come', async () => {
    const { verifier, ask, asked, time, workers } = await openBench(profile);
    const callers = Array.from({ length: 50 }, (_, i) => ask(tokenFor(`${i}`, next)));
    await time.turn();
    await workers[0]!.answer();
    await workers[0]!.answer();
    expect(asked.map(({ issuer }) => issuer)).toEqual([0]);
    verifier.setProfile(both);
    asked[0]!.resolve();
    await time.turn();
    while (workers[0]!.held.length > 0) await workers[0]!.answer();
    expect(new Set(callers.flatMap(({ codes }) => codes))).toEqual(new Set(['accepted']));
    expect(asked).toHaveLength(1);
  });

  test('a key that is still unknown afterwards is refused, and that is not kept', async () => {
    const { verifier, ask, asked, time, workers } = await openBench(profile);
    const caller = ask(tokenFor('a', next));
    await time.turn();
    await workers[0]!.answer();
    asked[0]!.resolve();
    await time.turn();
    expect(caller.codes).toEqual(['token_key_unknown']);
    expect(said(verifier.lookup(tokenFor('a', next)))).toBe('unknown');
  });

  test('a token is judged again once, not for ever', async () => {
    const { verifier, ask, asked, time, workers } = await openBench(profile);
    const caller = ask(tokenFor('a', next));
    await time.turn();
    await workers[0]!.answer();
    verifier.setProfile(
      makeProfile([makeIssuer([keyOf(ed, 1), keyOf(makeSigner('EdDSA', 'other'), 3)])], { version: 2 }),
    );
    asked[0]!.resolve();
    await time.turn();
    await workers[0]!.answer();
    expect(caller.codes).toEqual(['token_key_unknown']);
    expect(asked).toHaveLength(1);
  });

  test('a search that fails is 503, and one that takes too long too', async () => {
    const { ask, asked, time, workers } = await openBench(profile);
    const failed = ask(tokenFor('a', next));
    await time.turn();
    await workers[0]!.answer();
    asked[0]!.reject(new Error('no'));
    await time.turn();
    const slow = ask(tokenFor('b', next));
    await time.turn();
    await workers[0]!.answer();
    await time.pass(460);
    expect([failed.codes, slow.codes]).toEqual([['verifier_failed'], ['verifier_timeout']]);
    asked[1]!.resolve();
    await time.turn();
    expect(slow.heard).toHaveLength(1);
  });

  test('keys that came while the worker was at it are tried without asking', async () => {
    const { verifier, ask, asked, time, workers } = await openBench(profile);
    const caller = ask(tokenFor('a', next));
    await time.turn();
    verifier.setProfile(both);
    await workers[0]!.answer();
    await time.turn();
    await workers[0]!.answer();
    expect(caller.codes).toEqual(['accepted']);
    expect(asked).toHaveLength(0);
  });
});

describe('suspects', () => {
  /** Longer than their tokens are gathered for. */
  const gatheredMs = 6;

  test('D1: a flood of forged tokens waits in a lane of its own that is bounded', async () => {
    const { ask, time, workers, told } = await openBench(profile, { batchMax: 8, queueMax: 20 });
    const forge = (i: number): Caller => ask(tokenFor(`f${i}`, rogue), '10.0.0.9');
    for (let i = 0; i < 5; i += 1) forge(i);
    await time.turn();
    await workers[0]!.answer();
    await workers[0]!.answer();
    // Suspected from here on: two tasks are under way, and everything else waits.
    for (const sub of ['p', 'q']) {
      ask(tokenFor(sub), '10.0.0.1');
      await time.turn();
    }
    const forged = Array.from({ length: 30 }, (_, i) => forge(100 + i));
    const good = Array.from({ length: 12 }, (_, i) => ask(tokenFor(`g${i}`), '10.0.0.1'));
    await time.turn();
    expect(forged.filter(({ codes }) => codes[0] === 'verifier_full')).toHaveLength(20);
    await workers[0]!.answer();
    const batch = workers[0]!.held.at(-1)!.task.tokens;
    expect(batch).toHaveLength(8);
    expect(batch.filter((token) => isForged(token))).toHaveLength(2);
    while (workers[0]!.held.length > 0) await workers[0]!.answer();
    expect(new Set(good.flatMap(({ codes }) => codes))).toEqual(new Set(['accepted']));
    expect(told).toContain('queueHolds suspect 10');
  });

  test('a flood that is judged too late for its answers makes suspects all the same', async () => {
    const { ask, time, workers, told } = await openBench(profile);
    for (let i = 0; i < 8; i += 1) ask(tokenFor(`f${i}`, rogue), '10.0.0.9');
    await time.turn();
    // Late enough for the answers, too soon for the worker to be given up.
    await time.pass(400);
    expect(told.filter((line) => line === 'tokenSeen EdDSA failed miss')).toHaveLength(8);
    await workers[0]!.answer();
    await workers[0]!.answer();
    ask(tokenFor('late', rogue), '10.0.0.9');
    await time.pass(gatheredMs);
    expect(told.some((line) => line.startsWith('queueWaited suspect'))).toBe(true);
  });

  test('D1: few tokens of suspects are gathered before they are sent, a full batch and good tokens are not', async () => {
    const { ask, time, workers } = await openBench(profile, { batchMax: 8 });
    const sent = (): number[] => workers[0]!.held.map(({ task }) => task.tokens.length);
    const answerAll = async (): Promise<void> => {
      while (workers[0]!.held.length > 0) await workers[0]!.answer();
    };
    for (let i = 0; i < 8; i += 1) ask(tokenFor(`f${i}`, rogue), '10.0.0.9');
    await time.turn();
    await answerAll();

    for (let i = 10; i < 14; i += 1) {
      ask(tokenFor(`f${i}`, rogue), '10.0.0.9');
      await time.turn();
    }
    expect(sent()).toEqual([]);
    await time.pass(gatheredMs);
    expect(sent()).toEqual([2, 2]);
    await answerAll();

    for (let i = 20; i < 28; i += 1) ask(tokenFor(`f${i}`, rogue), '10.0.0.9');
    await time.turn();
    expect(sent()).toEqual([4, 4]);
    await answerAll();

    ask(tokenFor('f30', rogue), '10.0.0.9');
    ask(tokenFor('good'), '10.0.0.1');
    await time.turn();
    expect(sent().length).toBeGreaterThan(0);
    await answerAll();
  });

  test('suspicion fades, and a few bad tokens are none', async () => {
    const { ask, time, workers, told } = await openBench(profile);
    const forge = async (from: number, count: number): Promise<void> => {
      for (let i = 0; i < count; i += 1) ask(tokenFor(`f${from + i}`, rogue), '10.0.0.9');
      await time.turn();
      while (workers[0]!.held.length > 0) await workers[0]!.answer();
    };
    const laneOf = async (sub: string): Promise<string> => {
      told.length = 0;
      ask(tokenFor(sub), '10.0.0.9');
      await time.pass(gatheredMs);
      while (workers[0]!.held.length > 0) await workers[0]!.answer();
      return told.some((line) => line.startsWith('queueWaited suspect')) ? 'suspect' : 'fresh';
    };
    await forge(0, 3);
    expect(await laneOf('a')).toBe('fresh');
    await forge(10, 50);
    expect(await laneOf('b')).toBe('suspect');
    await time.pass(25_000);
    expect(await laneOf('c')).toBe('fresh');
  });
});

function isForged(token: string): boolean {
  return Buffer.from(token.split('.')[1]!, 'base64url').toString().includes('"sub":"f');
}
