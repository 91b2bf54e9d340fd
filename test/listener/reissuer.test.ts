import { beforeEach, describe, expect, it } from 'vitest';
import { refusals, type RefusalCode } from '../../gateway/core/errors.ts';
import type { Facts } from '../../gateway/core/facts.ts';
import { type Answered, isDue, Reissuer } from '../../gateway/listener/reissuer.ts';
import { introspectedKeyId } from '../../gateway/token/lineage.ts';
import type { RenewalSource, RouteSource } from '../../gateway/route/source.ts';
import type { SignerConfig } from '../../gateway/config/schema.ts';
import { policyOf, routeNamed, typed, up } from '../route/policies.ts';
import { HandTime } from '../token/hand-time.ts';
import { makeSigner, makeToken } from '../token/tokens.ts';

const key = makeSigner('HS512');
const time = new HandTime();
const nowSeconds = (): number => Math.floor(time.clock.nowMs() / 1000);
const [execution, workload] = [1, 2];

const renewal: RenewalSource = {
  signer: 'own',
  header: 'refreshed',
  exceptTypes: ['workload'],
  sharePercent: 20,
  floorSeconds: 30,
  answers: 'served',
};
const signer: SignerConfig = { algorithm: 'HS512', secretEncoding: 'utf8', lifetimeSeconds: 600 };
const exchange = { signer: 'own', from: ['workload'], to: 'execution', header: 'refreshed' };
const routes: readonly RouteSource[] = [
  { path: '/a', id: 'a', ...up },
  { path: '/run', id: 'run', tokenTypes: ['execution', 'workload'], exchange, ...up },
];

let minted: string[] = [];
beforeEach(() => {
  minted = [];
});

function reissuerOf(more: Partial<RenewalSource> = {}, signerMore: Partial<SignerConfig> = {}): Given {
  const main = { ...typed.issuers!['main']!, renewal: { ...renewal, ...more } };
  const types = { ...main.tokenTypes!, claim: 'scope' };
  const policy = policyOf(routes, {
    issuers: { main: { ...main, tokenTypes: types } },
    signers: { own: {} },
  });
  const observer = { tokenMinted: (purpose: string) => void minted.push(purpose) };
  const reissuer = Reissuer.of(policy, { own: { ...signer, ...signerMore } }, time.clock, observer)!;
  reissuer.setKeys([{ signing: { algorithm: 'HS512', kid: null, key: key.key }, published: [] }]);
  return { reissuer, policy };
}

interface Given {
  readonly reissuer: Reissuer;
  readonly policy: ReturnType<typeof policyOf>;
}

interface Asking {
  readonly route?: string;
  readonly type?: number;
  readonly claims?: Readonly<Record<string, unknown>>;
}

/** A request with a token of this age and lifetime. */
function asked(
  { policy }: Given,
  age: number,
  lifetime: number,
  { route = 'a', type = execution, claims = {} }: Asking = {},
): Answered {
  const iat = nowSeconds() - age;
  const token = makeToken(key, { sub: 's', iat, exp: iat + lifetime, aud: 'orders', ...claims });
  const facts = {
    issuer: 0,
    tokenType: type,
    iatSeconds: 'iat' in claims ? -Infinity : iat,
    expSeconds: iat + lifetime,
  } as Facts;
  return {
    route: routeNamed(policy, route),
    facts,
    fields: ['host', 'h', 'authorization', `bearer  ${token}`],
  };
}

const claimsIn = (token: string): Record<string, unknown> =>
  JSON.parse(Buffer.from(token.split('.')[1]!, 'base64url').toString()) as Record<string, unknown>;

describe('a token is renewed when a fifth of its lifetime is left, or 30 s', () => {
  it.each([
    [25, 60, false],
    [29, 60, false],
    [30, 60, true],
    [31, 60, true],
    [400, 600, false],
    [479, 600, false],
    [480, 600, true],
    [601, 600, true],
  ])('38-41, 43: %d s of %d: %s', (age, lifetime, expected) => {
    const given = reissuerOf();
    const { field } = given.reissuer.onUpstreamAnswer(asked(given, age, lifetime), 404, []);
    expect(field !== null).toBe(expected);
  });

  it('the lifetime is that of the signer where the token does not tell its own', () => {
    const facts = { expSeconds: 1000, iatSeconds: -Infinity };
    expect(isDue({ share: 0.2, floorSeconds: 30 }, facts, 600, 880)).toBe(true);
    expect(isDue({ share: 0.2, floorSeconds: 30 }, facts, 600, 879)).toBe(false);
  });
});

describe('a renewed token', () => {
  it('keeps every claim but jti, iat, nbf, exp, and those that its signer has a word for', () => {
    const given = reissuerOf({}, { audience: 'theirs', issuer: 'us' });
    const request = asked(given, 590, 600, { claims: { team: { a: [1] }, jti: 'old', iss: 'them' } });
    const [name, token] = given.reissuer.onOwnAnswer(request, null)!;
    expect(name).toBe('refreshed');
    const now = nowSeconds();
    expect(claimsIn(token)).toEqual({
      sub: 's', team: { a: [1] }, jti: expect.stringMatching(/^[0-9a-f]{32}$/) as string, aud: 'theirs', iss: 'us', iat: now, nbf: now, exp: now + 600,
    }); // prettier-ignore
    expect(minted).toEqual(['renewal']);
  });

  it('is made once for the many who ask with one token, and anew a while later', async () => {
    const given = reissuerOf();
    const request = asked(given, 590, 600);
    const renew = (): string => given.reissuer.onOwnAnswer(request, null)![1];
    const first = renew();
    for (let i = 0; i < 100; i += 1) expect(renew()).toBe(first);
    expect(minted).toHaveLength(1);
    await time.pass(5000);
    expect(renew()).not.toBe(first);
    expect(minted).toHaveLength(2);
  });

  it('is not made of a type that is excepted, nor where no token was seen', () => {
    const given = reissuerOf();
    expect(given.reissuer.onOwnAnswer(asked(given, 590, 600, { type: workload }), null)).toBeNull();
    expect(given.reissuer.onOwnAnswer({ ...asked(given, 590, 600), facts: null }, null)).toBeNull();
  });

  it('comes with refusals only where that is asked for, and never of a token that was refused itself', () => {
    const [served, all] = [reissuerOf(), reissuerOf({ answers: 'all' })];
    const on = (given: Given, code: RefusalCode): boolean =>
      given.reissuer.onOwnAnswer(asked(given, 590, 600), refusals[code]) !== null;
    for (const code of ['subject_mismatch', 'route_not_found', 'upstream_timeout'] as const) {
      expect([code, on(served, code), on(all, code)]).toEqual([code, false, true]);
    }
    for (const code of [
      'token_expired',
      'token_withdrawn',
      'token_audience',
      'credentials_ambiguous',
    ] as const)
      expect([code, on(all, code)]).toEqual([code, false]);
  });

  it('is not made of an opaque token, which has no claims to keep, nor is one exchanged', () => {
    const given = reissuerOf();
    const opaque = (type: number, route: string): Answered => {
      const { facts, ...request } = asked(given, 59, 60, { type, route });
      return {
        ...request,
        facts: { ...facts!, keyId: introspectedKeyId },
        fields: ['authorization', 'Bearer opaque'],
      };
    };
    expect(given.reissuer.onUpstreamAnswer(opaque(execution, 'a'), 200, []).field).toBeNull();
    expect(given.reissuer.onUpstreamAnswer(opaque(workload, 'run'), 200, []).field).toBeNull();
    expect(given.reissuer.onOwnAnswer(opaque(execution, 'a'), null)).toBeNull();
    expect(minted).toEqual([]);
  });

  it('is forbidden by a word of the upstream, which is not passed on', () => {
    const given = reissuerOf({ stopHeader: 'x-stop' });
    const request = asked(given, 590, 600);
    const stopped = given.reissuer.onUpstreamAnswer(request, 200, [
      'x-a',
      '1',
      'x-stop',
      '',
      'x-b',
      'x-stop',
    ]);
    expect(stopped).toEqual({ field: null, headers: ['x-a', '1', 'x-b', 'x-stop'] });
    expect(given.reissuer.onUpstreamAnswer(request, 200, ['x-a', 'x-stop']).field).not.toBeNull();
  });

  it('takes the place of the one that an upstream sends', () => {
    const given = reissuerOf();
    const { headers } = given.reissuer.onUpstreamAnswer(asked(given, 590, 600), 200, [
      'refreshed',
      'x',
      'a',
      'b',
    ]);
    expect(headers).toEqual(['a', 'b']);
    const idle = given.reissuer.onUpstreamAnswer(asked(given, 0, 600), 200, ['refreshed', 'x']);
    expect(idle).toEqual({ field: null, headers: ['refreshed', 'x'] });
  });
});

describe('a line of tokens with an age to keep to', () => {
  const given = reissuerOf({ maxTotalAgeSeconds: 1000 });
  it('remembers when it began, and never lives beyond its age', () => {
    const born = nowSeconds() - 590;
    const [, first] = given.reissuer.onOwnAnswer(asked(given, 590, 600), null)!;
    expect(claimsIn(first)).toMatchObject({ orig_iat: born, exp: born + 1000 });
    const [, next] = given.reissuer.onOwnAnswer(asked(given, 95, 100, { claims: { orig_iat: born } }), null)!;
    expect(claimsIn(next)).toMatchObject({ orig_iat: born, exp: born + 1000 });
  });
  it('ends there', () => {
    const claims = { orig_iat: nowSeconds() - 999 };
    expect(given.reissuer.onOwnAnswer(asked(given, 590, 600, { claims }), null)).toBeNull();
  });
  it('is not renewed where nobody knows when it began', () => {
    const request = asked(given, 590, 600, { claims: { iat: undefined } });
    expect(given.reissuer.onOwnAnswer(request, null)).toBeNull();
  });
});

describe('an exchange', () => {
  const given = reissuerOf();
  const run = (type: number, status: number, more: object = {}) =>
    given.reissuer.onUpstreamAnswer(
      asked(given, 0, 600, { route: 'run', type, claims: { scope: 'workload', team: 't', ...more } }),
      status,
      [],
    ).field;

  it('28: of a success makes a token of the other type, with the subject and nothing else', () => {
    const claims = claimsIn(run(workload, 200)![1]);
    expect(claims).toMatchObject({ sub: 's', scope: 'execution', aud: 'orders', exp: nowSeconds() + 600 });
    expect(Object.keys(claims).toSorted()).toEqual(['aud', 'exp', 'iat', 'jti', 'nbf', 'scope', 'sub']);
    expect(minted).toEqual(['exchange']);
  });
  it('of a token that is bound to a certificate makes one that is bound to it, too (RFC 8705 section 3)', () => {
    const cnf = { 'x5t#S256': 'x'.repeat(43) };
    expect(claimsIn(run(workload, 200, { cnf })![1])).toMatchObject({ scope: 'execution', cnf });
  });
  it.each([300, 404, 409, 500])('of a %d does not happen', (status) => {
    expect(run(workload, status)).toBeNull();
  });
  it('27: of another type does not happen', () => {
    expect(run(execution, 200)).toBeNull();
  });
});

it('where nothing is renewed or exchanged there is nobody to ask', () => {
  expect(
    Reissuer.of(policyOf([{ path: '/a', ...up }]), {}, time.clock, { tokenMinted: () => {} }),
  ).toBeNull();
});
