/** The real worker, compiled, in a real thread. */
import { existsSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { systemClock } from '../../gateway/core/clock.ts';
import { systemTimers } from '../../gateway/core/timers.ts';
import type { Facts } from '../../gateway/core/facts.ts';
import type { Refusal } from '../../gateway/core/errors.ts';
import { Verifier } from '../../gateway/token/verifier.ts';
import type { VerifierObserver } from '../../gateway/token/verifier-parts.ts';
import { piscinaWorker } from '../../gateway/token/worker.ts';
import type { OpenWorker, VerifyWorker } from '../../gateway/token/worker.ts';
import { verifyBatch } from '../../workers/verify.ts';
import {
  goodClaims,
  keyOf,
  makeIssuer,
  makeProfile,
  makeSigner,
  makeToken,
  profileOf,
} from '../token/tokens.ts';
import { defaults, said } from '../token/verifier-bench.ts';

const workerUrl = new URL('../../dist/workers/verify.js', import.meta.url);
const ed = makeSigner('EdDSA', 'ed');
const es = makeSigner('ES256', 'es');
const profile = makeProfile([makeIssuer([keyOf(ed, 1), keyOf(es, 2)])]);
const silent = new Proxy({} as VerifierObserver, { get: () => () => {} });

describe('the task', () => {
  test('a worker without the task’s version says that it is stale', () => {
    expect(verifyBatch({ version: 99, profile: null, tokens: ['x'] })).toEqual({ kind: 'stale' });
    expect(verifyBatch({ version: 1, profile: profileOf(ed), tokens: [] })).toMatchObject({
      kind: 'done',
      outcomes: [],
    });
    expect(verifyBatch({ version: 2, profile: null, tokens: ['x'] })).toEqual({ kind: 'stale' });
  });

  test('V3: a key that makes the judgement itself fail is our failure, and the rest of the batch is judged', () => {
    const broken = { ...keyOf(ed), key: {} as typeof ed.key, kid: 'broken' };
    const task = {
      version: 1,
      profile: makeProfile([makeIssuer([keyOf(ed, 2), broken])]),
      tokens: [makeToken({ ...ed, kid: 'broken' }), makeToken(ed)],
    };
    expect(verifyBatch(task)).toMatchObject({ outcomes: [{ code: 'verifier_failed' }, { keyId: 2 }] });
  });
});

describe.runIf(existsSync(workerUrl))('a real thread', () => {
  const opened: VerifyWorker[] = [];
  const open: OpenWorker = (onLost) => {
    const worker = piscinaWorker(workerUrl)(onLost);
    opened.push(worker);
    return worker;
  };
  let verifier: Verifier;
  const verified = (token: string): Promise<Facts | Refusal> =>
    new Promise((resolve) => verifier.verify(token, null, { settle: resolve }));

  beforeAll(async () => {
    const parts = {
      open,
      clock: systemClock,
      timers: systemTimers,
      observer: silent,
      requestKeys: () => Promise.resolve(),
    };
    verifier = new Verifier(
      profile,
      { ...defaults, workers: 2, deadlineMs: 5000, queueMax: 2000, cacheEntries: 2000 },
      parts,
    );
    await verifier.ready();
  });
  afterAll(() => verifier.close());

  test('V3: a thousand tokens, good and forged, each get their own verdict', async () => {
    const tokens = Array.from({ length: 1000 }, (_, i) => {
      const signer = i % 2 === 0 ? ed : es;
      const token = makeToken(signer, { ...goodClaims, sub: `user-${i}` });
      return i % 7 === 0 ? `${token.slice(0, -20)}${'A'.repeat(16)}${token.slice(-4)}` : token;
    });
    const outcomes = await Promise.all(tokens.map((token) => verified(token)));
    for (const [i, outcome] of outcomes.entries()) {
      if (i % 7 === 0) expect(said(outcome)).toBe('token_signature');
      else expect(outcome).toMatchObject({ subject: `user-${i}`, keyId: (i % 2) + 1 });
    }
    expect(verifier.lookup(tokens[1]!)).toMatchObject({ subject: 'user-1' });
  });

  test('V3: when a thread is ended, its tokens get 503 and the next ones are verified by another', async () => {
    const before = opened.length;
    const inFlight = Array.from({ length: 200 }, (_, i) =>
      verified(makeToken(ed, { ...goodClaims, sub: `x${i}` })),
    );
    await new Promise((resolve) => setImmediate(resolve));
    await Promise.all(opened.splice(0, 1).map((worker) => worker.close()));
    for (const outcome of await Promise.all(inFlight))
      expect(['accepted', 'verifier_failed']).toContain(said(outcome));
    await verifier.ready();
    expect(opened.length).toBeGreaterThanOrEqual(before - 1);
    expect(said(await verified(makeToken(ed, { ...goodClaims, sub: 'later' })))).toBe('accepted');
  });

  test('new keys reach the threads', async () => {
    const next = makeSigner('EdDSA', 'next');
    verifier.setProfile({ ...makeProfile([makeIssuer([keyOf(ed, 1), keyOf(next, 3)])]), version: 2 });
    const outcomes = await Promise.all(
      [ed, next].map((signer) => verified(makeToken(signer, { ...goodClaims, sub: 'k' }))),
    );
    expect(outcomes).toMatchObject([{ keyId: 1 }, { keyId: 3 }]);
  });
});
