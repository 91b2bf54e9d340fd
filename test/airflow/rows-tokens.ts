/** 2.F: keys and the tokens that are made with them. */
import { decodeProtectedHeader } from 'jose';
import { expect } from 'vitest';
import { until } from '../support/until.ts';
import { answers, asks, own, type Row, wrongSubject } from './row.ts';
import { claimsIn, mint, type Stage } from './stage.ts';
import { ed, next, published, rotating, rsa } from './stages.ts';

const line = 'GET /connections/c';
const lacking = (claim: string): Record<string, unknown> => ({ [claim]: undefined });

async function renewal(stage: Stage, signer?: typeof rsa): Promise<string> {
  const token = mint({ age: 590, ...(signer === undefined ? {} : { signer }) });
  const { renewed } = await answers(stage, line, { token }, { status: 200, renewed: true });
  return renewed!;
}

async function ownKeys(stage: Stage): Promise<readonly Record<string, unknown>[]> {
  const response = await fetch(`${stage.gateway.url}/keys`);
  expect(response.headers.get('content-type')).toBe('application/jwk-set+json');
  return ((await response.json()) as { keys: readonly Record<string, unknown>[] }).keys;
}

export const tokenRows: readonly Row[] = [
  asks(
    '44 55',
    'RS256 by a published key',
    line,
    () => ({ token: mint({ signer: rsa }) }),
    { status: 200 },
    { stage: 'jwks' },
  ),
  asks(
    '45 56',
    'EdDSA by a published key',
    line,
    () => ({ token: mint({ signer: ed }) }),
    { status: 200 },
    { stage: 'jwks' },
  ),
  {
    ids: ['46'],
    says: 'many tokens of known keys cause no fetch',
    stage: 'jwks',
    differs:
      'the interval is 3600 s here too, and background refreshes have jitter: test/keys holds them to a hand-set clock.',
    run: async (stage) => {
      const before = published.fetches;
      for (const signer of [rsa, ed, rsa, ed])
        await answers(stage, line, { token: mint({ signer }) }, { status: 200 });
      expect(published.fetches).toBe(before);
    },
  },
  {
    ids: ['X10'],
    says: 'an unknown kid is refused',
    stage: 'jwks',
    differs: 'Airflow waits for the hour; here one fetch per interval looks for it.',
    run: async (stage) => {
      const before = published.fetches;
      const stranger = { ...next, kid: 'nobody' };
      for (let i = 0; i < 5; i += 1)
        await answers(stage, line, { token: mint({ signer: stranger }) }, { status: 403 });
      expect(published.fetches - before).toBeLessThanOrEqual(2);
    },
  },
  {
    ids: ['48'],
    says: 'a key from a PEM file is named by a thumbprint of 43 characters, and published without its secret',
    stage: 'jwks',
    run: async (stage) => {
      const [key] = await ownKeys(stage);
      expect(key).toMatchObject({ kty: 'OKP', crv: 'Ed25519', alg: 'EdDSA', use: 'sig' });
      expect(key!['kid']).toMatch(/^[\w-]{43}$/);
      expect(key).not.toHaveProperty('d');
      expect(decodeProtectedHeader(await renewal(stage, ed)).kid).toBe(key!['kid']);
    },
  },
  {
    ids: ['47'],
    says: 'after a rotation the new key is found and the old one is gone',
    stage: 'rotation',
    differs: 'a new kid is found at once, not after the hour.',
    run: async (stage) => {
      await answers(stage, line, { token: mint({ signer: rsa }) }, { status: 200 });
      rotating.rotate(next);
      await until('the interval of the first fetch is over', async () => {
        return (await stage.ask(line, { token: mint({ signer: next }) })).status === 200;
      });
      await answers(stage, line, { token: mint({ signer: rsa }) }, { status: 403 });
      expect(rotating.fetches).toBe(2);
    },
  },
  {
    ids: ['49'],
    says: 'a shared secret is named `not-used`',
    run: async (stage) => {
      expect(decodeProtectedHeader(await renewal(stage))).toEqual({
        alg: 'HS512',
        typ: 'JWT',
        kid: 'not-used',
      });
    },
  },
  {
    ids: ['50'],
    says: 'a made token is valid from now on, for ten minutes',
    run: async (stage) => {
      const token = await renewal(stage);
      const { nbf, iat, exp } = claimsIn(token) as { nbf: number; iat: number; exp: number };
      expect(nbf).toBe(iat);
      expect(iat).toBeLessThanOrEqual(Date.now() / 1000);
      expect(exp).toBe(nbf + 600);
      await answers(stage, line, { token }, { status: 200 });
    },
  },
  ...(['exp', 'iat'] as const).map((claim, index) =>
    asks(
      String(51 + index),
      `a token without ${claim}`,
      line,
      () => ({ token: mint({ claims: lacking(claim) }) }),
      {
        status: 403,
        detail: 'Invalid auth token: Token is missing a required claim',
      },
      { stage: 'reasons', differs: 'the answer does not name the claim.' },
    ),
  ),
  asks(
    '53',
    'a token without nbf, where that is required',
    line,
    () => ({ token: mint({ claims: { iss: 'airflow', nbf: undefined } }) }),
    { status: 403 },
    { stage: 'strict' },
  ),
  asks(
    '54',
    'a subject that is not the one that is asked for',
    `PATCH /task-instances/${own}/state`,
    () => ({ token: mint() }),
    { status: 403, detail: wrongSubject },
    {
      differs: 'a call that demands a claim is a binding of the route here, and says so.',
    },
  ),
];
