import { describe, expect, test } from 'vitest';
import type { Facts } from '../../gateway/core/facts.ts';
import type { Introspected } from '../../gateway/token/verifier-parts.ts';
import {
  issuerName,
  makeIssuer,
  makeProfile,
  makeSigner,
  makeToken,
  goodClaims,
  profileOf,
} from './tokens.ts';
import { type Bench, openBench, said } from './verifier-bench.ts';

const issuer = makeIssuer([], { algorithms: [], introspects: true });
const profile = makeProfile([issuer]);
const facts = { scope: 'orders:read', sub: 'ada', exp: 9_000_000_000 };

/** What the verifier says of a token that its issuer answers so. */
async function outcomeOf(answer: Introspected): Promise<{ bench: Bench; code: string; heard: Facts }> {
  const bench = await openBench(profile);
  const caller = bench.ask('opaque');
  bench.questions[0]!.resolve(answer);
  await Promise.resolve();
  await Promise.resolve();
  return { bench, code: caller.codes.join(), heard: caller.heard[0] as Facts };
}
const activeWith = (claims: object): Introspected => ({ kind: 'active', claims, untilMs: 8e15 });

describe('RFC 7662: a token that is no JWT', () => {
  test('is malformed where no issuer is asked about such', async () => {
    const { verifier } = await openBench(profileOf(makeSigner('EdDSA', 'ed')));
    expect(said(verifier.lookup('opaque'))).toBe('token_malformed');
  });

  test('is asked about once for all who bring it, and its facts are kept as long as the answer holds', async () => {
    const bench = await openBench(profile);
    expect(bench.verifier.lookup('opaque')).toBeUndefined();
    const callers = [bench.ask('opaque'), bench.ask('opaque')];
    expect(bench.questions.map(({ token }) => token)).toEqual(['opaque']);
    const untilMs = bench.time.clock.nowMs() + 1000;
    bench.questions[0]!.resolve({ kind: 'active', claims: facts, untilMs });
    await Promise.resolve();
    await Promise.resolve();
    expect(callers.map(({ codes }) => codes)).toEqual([['accepted'], ['accepted']]);
    expect(bench.verifier.lookup('opaque')).toMatchObject({ subject: 'ada', scopes: [1] });
    expect(bench.verifier.liveKeys[(callers[0]!.heard[0] as Facts).keyId]).toBe(1);
    await bench.time.pass(1000);
    expect(bench.verifier.lookup('opaque')).toBeUndefined();
  });

  test.each<[string, object, string]>([
    ['of the type Bearer', { ...facts, token_type: 'Bearer' }, 'accepted'],
    ['that is bound to a key', { ...facts, token_type: 'DPoP' }, 'token_typ'],
    ['with a type that is no text', { ...facts, token_type: 1 }, 'token_typ'],
    ['that is bound to a certificate', { ...facts, cnf: { 'x5t#S256': 'x'.repeat(43) } }, 'accepted'],
    ['that is bound to a key by `cnf`', { ...facts, cnf: { jkt: 'x'.repeat(43) } }, 'token_confirmation'],
    ['of this issuer', { ...facts, iss: issuerName }, 'accepted'],
    ['of another issuer', { ...facts, iss: 'https://other.example' }, 'token_issuer'],
    ['without `exp`', { scope: 'orders:read' }, 'accepted'],
    ['with an `exp` that is no number', { ...facts, exp: 'soon' }, 'token_claims_invalid'],
    ['with scopes that are no text', { ...facts, scope: 1 }, 'token_claims_invalid'],
  ])('%s is judged like the claims of any other: %j', async (_, claims, code) => {
    expect((await outcomeOf(activeWith(claims))).code).toBe(code);
  });

  test('is refused when it is not active, and that is kept; no answer is 503, and is not', async () => {
    const inactive = await outcomeOf({ kind: 'inactive', untilMs: 8e15 });
    expect(inactive.code).toBe('token_inactive');
    expect(said(inactive.bench.verifier.lookup('opaque'))).toBe('token_inactive');
    const failed = await outcomeOf({ kind: 'failed' });
    expect(failed.code).toBe('introspection_unavailable');
    expect(failed.bench.verifier.lookup('opaque')).toBeUndefined();
  });

  test('is forgotten when the vocabulary changes, and answered in the terms that it was asked in', async () => {
    const bench = await openBench(profile);
    const caller = bench.ask('opaque');
    bench.verifier.setProfile({
      ...profile,
      version: 2,
      scopes: ['other', 'orders:read'],
      implied: [[0], [1]],
    });
    bench.questions[0]!.resolve(activeWith(facts));
    await Promise.resolve();
    await Promise.resolve();
    expect(caller.heard).toMatchObject([{ scopes: [1] }]);
    expect(bench.verifier.lookup('opaque')).toBeUndefined();
  });

  test('is not answered to who has left', async () => {
    const bench = await openBench(profile);
    const [gone, there] = [bench.ask('opaque'), bench.ask('opaque')];
    bench.verifier.withdraw(gone);
    bench.questions[0]!.resolve(activeWith(facts));
    await Promise.resolve();
    await Promise.resolve();
    expect([gone.codes, there.codes]).toEqual([[], ['accepted']]);
  });

  test('is not what a JWT is: that one is never asked about', async () => {
    const bench = await openBench(profile);
    bench.verifier.lookup(makeToken(makeSigner('EdDSA', 'ed'), goodClaims));
    expect(bench.questions).toEqual([]);
  });
});
