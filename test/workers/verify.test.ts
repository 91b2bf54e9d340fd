/** The real worker, compiled, in a real thread. */
import workerThreads, { type Worker } from 'node:worker_threads';
import { afterEach, describe, expect, test } from 'vitest';
import { systemClock } from '../../gateway/core/clock.ts';
import { systemTimers } from '../../gateway/core/timers.ts';
import type { Facts } from '../../gateway/core/facts.ts';
import type { Refusal } from '../../gateway/core/errors.ts';
import { Verifier } from '../../gateway/token/verifier.ts';
import type { VerifierObserver, VerifierOptions } from '../../gateway/token/verifier-parts.ts';
import { piscinaWorker } from '../../gateway/token/worker.ts';
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
const mortalUrl = new URL('../../dist/test/workers/mortal.js', import.meta.url);
const ed = makeSigner('EdDSA', 'ed');
const es = makeSigner('ES256', 'es');
const profile = makeProfile([makeIssuer([keyOf(ed, 1), keyOf(es, 2)])]);

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

const silent = new Proxy({} as VerifierObserver, { get: () => () => {} });

describe('a real thread', () => {
  let verifier: Verifier;
  const verified = (token: string): Promise<Facts | Refusal> =>
    new Promise((resolve) => verifier.verify(token, null, { settle: resolve }));
  const tokenFor = (sub: string, signer = ed): string => makeToken(signer, { ...goodClaims, sub });

  async function start(url: URL, options: Partial<VerifierOptions>, observer = silent): Promise<void> {
    const parts = {
      open: piscinaWorker(url),
      clock: systemClock,
      timers: systemTimers,
      observer,
      requestKeys: () => Promise.resolve(),
      introspect: () => Promise.resolve({ kind: 'failed' as const }),
    };
    verifier = new Verifier(profile, { ...defaults, deadlineMs: 5000, queueMax: 2000, ...options }, parts);
    await verifier.openWorkers();
  }
  afterEach(() => verifier.close());

  test('V3: a thousand tokens, good and forged, each get their own verdict', async () => {
    await start(workerUrl, { workers: 2, cacheEntries: 2000 });
    const tokens = Array.from({ length: 1000 }, (_, i) => {
      const token = tokenFor(`user-${i}`, i % 2 === 0 ? ed : es);
      return i % 7 === 0 ? `${token.slice(0, -20)}${'A'.repeat(16)}${token.slice(-4)}` : token;
    });
    const outcomes = await Promise.all(tokens.map((token) => verified(token)));
    for (const [i, outcome] of outcomes.entries()) {
      if (i % 7 === 0) expect(said(outcome)).toBe('token_signature');
      else expect(outcome).toMatchObject({ subject: `user-${i}`, keyId: (i % 2) + 1 });
    }
    expect(verifier.lookup(tokens[1]!)).toMatchObject({ subject: 'user-1' });
  });

  test('new keys reach the threads', async () => {
    await start(workerUrl, { workers: 2 });
    const next = makeSigner('EdDSA', 'next');
    verifier.setProfile({ ...makeProfile([makeIssuer([keyOf(ed, 1), keyOf(next, 3)])]), version: 2 });
    const outcomes = await Promise.all([ed, next].map((signer) => verified(tokenFor('k', signer))));
    expect(outcomes).toMatchObject([{ keyId: 1 }, { keyId: 3 }]);
  });

  test.each([
    ['exit', 'verifier_failed'],
    ['throw', 'verifier_failed'],
    ['hang', 'verifier_timeout'],
  ])(
    'V3: a thread that does this: %s; answers %s for what it had and is replaced, and the next token is verified',
    async (how, code) => {
      const restarts = countRestarts();
      await start(mortalUrl, { workers: 1, deadlineMs: 400 }, restarts.observer);
      expect(said(await verified(`x.y.${how}`))).toBe(code);
      await restarts.first;
      await verifier.openWorkers();
      expect(said(await verified(tokenFor('next')))).toBe('accepted');
      expect(restarts.count).toBe(1);
    },
  );

  test('V3: a thread that is ended while it is idle is replaced before a token needs it', async () => {
    const threads: Worker[] = [];
    const { Worker: Original } = workerThreads;
    workerThreads.Worker = class extends Original {
      constructor(...values: ConstructorParameters<typeof Original>) {
        super(...values);
        threads.push(this);
      }
    };
    try {
      const restarts = countRestarts();
      await start(workerUrl, { workers: 1 }, restarts.observer);
      await threads[0]!.terminate();
      await restarts.first;
      await verifier.openWorkers();
      expect(said(await verified(tokenFor('next')))).toBe('accepted');
      expect(restarts.count).toBe(1);
    } finally {
      workerThreads.Worker = Original;
    }
  });
});

/** An observer that listens for replaced workers alone. */
function countRestarts(): {
  readonly observer: VerifierObserver;
  readonly first: Promise<void>;
  count: number;
} {
  const restarts = { observer: silent, first: Promise.resolve(), count: 0 };
  restarts.first = new Promise((resolve) => {
    restarts.observer = new Proxy(silent, {
      get: (_, name) => () => {
        if (name !== 'workerRestarted') return;
        restarts.count += 1;
        resolve();
      },
    });
  });
  return restarts;
}
