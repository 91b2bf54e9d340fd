/**
 * Our verdict held to jose's: what we accept jose accepts, and where jose accepts what we refuse, a rule of `stricter.ts`
 * says why. The seed is fixed and printed; another one can be given in SALLYPORT_SEED.
 */
import { createLocalJWKSet, jwtVerify } from 'jose';
import { describe, expect, test } from 'vitest';
import { signatureAlgorithms } from '../../gateway/token/algorithms.ts';
import { isRejection, judge } from '../../gateway/token/judge.ts';
import type { VerifierProfile } from '../../workers/messages.ts';
import { mutate, randomFrom } from './mutate.ts';
import { partsOf, stricterRules } from './stricter.ts';
import {
  goodClaims,
  issuerName,
  keyOf,
  makeIssuer,
  makeProfile,
  makeSigner,
  makeToken,
  nowSeconds,
} from './tokens.ts';
import type { Signer } from './tokens.ts';

const leewaySeconds = 10;
const seed = Number(process.env['SALLYPORT_SEED'] ?? 20_260_101);

/** The judgement, and after it what depends on time and route, as `route/decide.ts` has it. */
function ours(profile: VerifierProfile, token: string): string {
  const facts = judge(profile, token);
  if (isRejection(facts)) return facts.code;
  if (facts.expSeconds <= nowSeconds - leewaySeconds) return 'token_expired';
  if (facts.nbfSeconds > nowSeconds + leewaySeconds) return 'token_not_yet_valid';
  if (facts.iatSeconds > nowSeconds + leewaySeconds) return 'token_issued_in_future';
  return facts.audiences[0] === 0 ? 'token_audience' : 'accepted';
}

interface Pair {
  readonly signers: readonly Signer[];
  readonly profile: VerifierProfile;
  readonly theirs: (token: string) => Promise<boolean>;
}

/** The same keys for both. */
function pairOf(signers: readonly Signer[]): Pair {
  const profile = makeProfile([makeIssuer(signers.map((signer, i) => keyOf(signer, i + 1)))]);
  const options = {
    issuer: issuerName,
    audience: ['orders', 'billing'],
    algorithms: signers.map(({ alg }) => alg),
    requiredClaims: ['exp'],
    clockTolerance: leewaySeconds,
    currentDate: new Date(nowSeconds * 1000),
  };
  const [first] = signers;
  const isSecret = first!.privateKey === null;
  const secret = isSecret ? first!.key.export() : null;
  const set = isSecret
    ? null
    : createLocalJWKSet({
        keys: signers.map(({ key, kid, alg }) => Object.assign(key.export({ format: 'jwk' }), { kid, alg })),
      });
  const theirs = async (token: string): Promise<boolean> => {
    try {
      await (set === null ? jwtVerify(token, secret as Buffer, options) : jwtVerify(token, set, options));
      return true;
    } catch {
      return false;
    }
  };
  return { signers, profile, theirs };
}

/** Why we may refuse what jose accepts, by the rules that tell for themselves; undefined: we may not. */
function excuse(token: string, code: string): string | undefined {
  const parts = partsOf(token);
  return stricterRules.find((rule) => rule.codes.includes(code) && rule.applies(parts))?.name;
}

/** Keys are new in every run: a failure prints what it needs to be looked at again. */
const keysText = (signers: readonly Signer[]): string =>
  JSON.stringify(signers.map(({ key }) => key.export({ format: 'jwk' })));

async function compare(
  { signers, profile, theirs }: Pair,
  token: string,
): Promise<'both' | 'neither' | 'stricter'> {
  const code = ours(profile, token);
  const accepted = await theirs(token);
  if (code === 'accepted') {
    if (!accepted) throw new Error(`accepted by us alone: ${token} ${keysText(signers)}`);
    return 'both';
  }
  if (!accepted) return 'neither';
  if (excuse(token, code) === undefined)
    throw new Error(`refused by us alone (${code}): ${token} ${keysText(signers)}`);
  return 'stricter';
}

describe('every algorithm and every kind of key', () => {
  const signers = signatureAlgorithms.map(({ name }) => makeSigner(name));
  const publicOnes = signers.filter(({ privateKey }) => privateKey !== null);
  test.each(signers)('$alg: both accept a good token, both refuse each spoiled one', async (signer) => {
    const pair = pairOf(signer.privateKey === null ? [signer] : publicOnes);
    const token = makeToken(signer);
    expect(await compare(pair, token)).toBe('both');
    const random = randomFrom(seed + signer.alg.length);
    const seen = { both: 0, neither: 0, stricter: 0 };
    for (let i = 0; i < 150; i += 1)
      seen[
        await compare(pair, mutate(random, signer, [token, makeToken(signer, { ...goodClaims, sub: 'b' })]))
      ] += 1;
    expect(seen.neither).toBeGreaterThan(50);
  });

  test('T1: no algorithm passes under the name of another one', async () => {
    const pair = pairOf(publicOnes);
    for (const signer of signers) {
      for (const { name } of signatureAlgorithms) {
        if (name === signer.alg) continue;
        for (const kid of [signer.kid, `kid-${name}`])
          expect(await compare(pair, makeToken(signer, goodClaims, { alg: name, kid }))).toBe('neither');
      }
    }
  });
});

describe('stricter than jose, on purpose', () => {
  const ed = makeSigner('EdDSA');
  const pair = pairOf([ed]);
  const claimsWith = (member: string): string =>
    makeToken(ed, `${JSON.stringify(goodClaims).slice(0, -1)},${member}}`);
  const headerWith = (member: string): string =>
    makeToken(ed, goodClaims, `{"alg":"EdDSA","kid":"kid-EdDSA",${member}}`);
  const nested = `${'['.repeat(40)}${']'.repeat(40)}`;
  const noIat = `{"iss":"${issuerName}","aud":"orders","exp":${nowSeconds + 60}`;
  const cases: readonly (readonly [string, string])[] = [
    [
      'T5: base64url is canonical: no padding, no other alphabet, no stray bits',
      `${makeToken(ed).slice(0, -1)}${makeToken(ed).endsWith('A') ? 'B' : String.fromCharCode(makeToken(ed).charCodeAt(makeToken(ed).length - 1) + 1)}`,
    ],
    ['T7: a header names no member twice', headerWith('"kid":"kid-EdDSA"')],
    ['T7: claims name no member twice', claimsWith('"sub":"user-1"')],
    [
      'T7: no byte order mark in the header',
      makeToken(ed, goodClaims, '\u{FEFF}{"alg":"EdDSA","kid":"kid-EdDSA"}'),
    ],
    ['T7: no byte order mark in the claims', makeToken(ed, `\u{FEFF}${JSON.stringify(goodClaims)}`)],
    ['T13: the header nests 32 deep at most', headerWith(`"x":${nested}`)],
    ['T13: claims nest 32 deep at most', claimsWith(`"x":${nested}`)],
    [
      'T4: crit and b64 are refused even where they would change nothing',
      headerWith('"b64":true,"crit":["b64"]'),
    ],
    ['typ is a string', headerWith('"typ":1')],
    ['T11: typ is JWT, at+jwt or none', headerWith('"typ":"logout+jwt"')],
    ['T8: exp, nbf and iat are finite', makeToken(ed, `${noIat},"nbf":-1e400}`)],
    ['T8: iat is not in the future', makeToken(ed, { ...goodClaims, iat: nowSeconds + 11 })],
    ['sub is a string', makeToken(ed, { ...goodClaims, sub: 1 })],
    ['T10: every member of aud is a string', makeToken(ed, { ...goodClaims, aud: ['orders', 1] })],
    [
      'RFC 7800: cnf names a certificate and nothing else',
      makeToken(ed, { ...goodClaims, cnf: { jkt: 'x' } }),
    ],
    ['Z1: scope is a string', makeToken(ed, { ...goodClaims, scope: ['orders:read'] })],
    ['Z1: scp is a string or an array of strings', makeToken(ed, { ...goodClaims, scp: [1] })],
  ];

  test.each(cases)('%s', async (name, token) => {
    const code = ours(pair.profile, token);
    expect(await pair.theirs(token)).toBe(true);
    expect(excuse(token, code)).toBe(name);
  });

  test('kid is a string', async () => {
    // With a set jose looks for the kid; with a single key it does not.
    const hs = makeSigner('HS256');
    const token = makeToken(hs, goodClaims, { kid: 7 });
    const both = pairOf([hs]);
    expect(await both.theirs(token)).toBe(true);
    expect(excuse(token, ours(both.profile, token))).toBe('kid is a string');
  });

  test('every rule has its case', () => {
    expect([...cases.map(([name]) => name), 'kid is a string'].toSorted()).toEqual(
      stricterRules.map(({ name }) => name).toSorted(),
    );
  });

  test('T12: a token above the size is refused, whatever it says', async () => {
    const large = makeToken(ed, { ...goodClaims, x: 'x'.repeat(8192) });
    expect([await pair.theirs(large), ours(pair.profile, large)]).toEqual([true, 'token_too_large']);
  });
});

describe('mutated tokens', () => {
  // Cheap algorithms carry the bulk: what is mutated is mostly not the signature.
  const plan = [
    ['HS256', 84_000],
    ['EdDSA', 13_000],
    ['ES256', 2000],
    ['RS256', 1000],
  ] as const;

  test.each(plan)(
    '%s: in %i of them nothing is accepted by us alone, and nothing refused without a rule',
    async (alg, count) => {
      console.log(`seed ${seed}`);
      const signer = makeSigner(alg);
      const pair = pairOf(signer.privateKey === null ? [signer] : [signer, makeSigner(alg, 'other')]);
      const base = [
        makeToken(signer),
        makeToken(signer, { ...goodClaims, sub: 'b' }),
        makeToken({ ...makeSigner(alg), kid: signer.kid }),
      ];
      const random = randomFrom(seed);
      const seen = { both: 0, neither: 0, stricter: 0 };
      for (let i = 0; i < count; i += 1) seen[await compare(pair, mutate(random, signer, base))] += 1;
      // The mutations are worth something only while all three occur.
      expect(seen.both).toBeGreaterThan(count / 50);
      expect(seen.neither).toBeGreaterThan(count / 4);
      expect(seen.stricter).toBeGreaterThan(count / 200);
    },
    180_000,
  );
});
