/** Group T, content: claims, kinds and sizes of tokens. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { encode, signSegments, type Signer } from '../token/tokens.ts';
import { Arena, arenaConfig, bytesOf, claimsNow, mint, signers } from './arena.ts';

const secretText = 'a secret of 32 octets and then some';
let arena: Arena;

beforeAll(async () => {
  arena = await Arena.start({
    files: { 'secret.txt': secretText },
    config: (url) =>
      arenaConfig(url)
        .replace(
          'upstreams:\n',
          `  hmac: { issuer: 'https://hmac.example', algorithms: [HS256], keys: { secret_file: secret.txt } }\nupstreams:\n`,
        )
        .concat(`  - { path: /hmac, issuer: hmac, upstream: backend }\n`),
  });
});
afterAll(() => arena.stop());

const present = (token: string, target = '/orders/x', reaches = 0): Promise<string> =>
  arena.send(bytesOf(target, { token }), reaches);

/** `header` and `claims` as text, signed as they are. */
const raw = (
  header: string | object,
  claims: string | object = claimsNow(),
  signer: Signer = signers.ed,
): string => signSegments(signer, encode(header), encode(claims));

type Cases = Readonly<Record<string, () => string>>;

/** Presents every token; each is refused with 401 and one of these codes. */
function refused(codes: RegExp, cases: Cases): void {
  it.each(Object.entries(cases))('%s', async (_, make) => {
    expect(await present(make())).toMatch(codes);
  });
}

const now = (): number => Math.floor(Date.now() / 1000);

describe('T8: the times of a token', () => {
  const header = { alg: 'EdDSA', kid: 'ed' };
  const withExp = (text: string): string =>
    raw(header, JSON.stringify({ ...claimsNow(), exp: 0 }).replace('"exp":0', `"exp":${text}`));
  refused(/^401 token_(?:claim_missing|claims_invalid|expired|not_yet_valid|issued_in_future)$/, {
    'no exp': () => mint({ exp: undefined }),
    'exp long past': () => mint({ exp: 1 }),
    'exp past by more than the leeway': () => mint({ exp: now() - 12 }),
    'exp of zero': () => mint({ exp: 0 }),
    'a negative exp': () => mint({ exp: -1 }),
    'exp as a text': () => mint({ exp: String(now() + 600) }),
    'exp that is null': () => mint({ exp: null }),
    'exp that is a list': () => mint({ exp: [now() + 600] }),
    'exp that is true': () => mint({ exp: true }),
    'exp of 1e400': () => withExp('1e400'),
    'exp of -1e400': () => withExp('-1e400'),
    'nbf ahead by more than the leeway': () => mint({ nbf: now() + 60 }),
    'nbf as a text': () => mint({ nbf: String(now() - 10) }),
    'nbf that is null': () => mint({ nbf: null }),
    'iat ahead by more than the leeway': () => mint({ iat: now() + 60 }),
    'iat as a text': () => mint({ iat: 'yesterday' }),
  });
  it.each([
    ['exp past by less than the leeway', (): string => mint({ exp: now() - 5 })],
    ['nbf and iat ahead by less than the leeway', (): string => mint({ nbf: now() + 5, iat: now() + 5 })],
    ['a fraction', (): string => mint({ exp: now() + 600.5 })],
    ['no iat', (): string => mint({ iat: undefined })],
  ])('%s passes', async (_, make) => {
    expect(await present(make(), '/orders/x', 1)).toBe('200');
  });
});

describe('T9: the issuer is compared byte for byte', () => {
  refused(/^401 token_(?:issuer|claims_invalid|algorithm)$/, {
    'no iss': () => mint({ iss: undefined }),
    'a slash behind': () => mint({ iss: 'https://issuer.example/' }),
    'another case': () => mint({ iss: 'https://Issuer.example' }),
    'another scheme': () => mint({ iss: 'http://issuer.example' }),
    'a prefix': () => mint({ iss: 'https://issuer.exampl' }),
    'a space behind': () => mint({ iss: 'https://issuer.example ' }),
    'a list': () => mint({ iss: ['https://issuer.example'] }),
    'an object': () => mint({ iss: { 'https://issuer.example': 1 } }),
    'a number': () => mint({ iss: 1 }),
    null: () => mint({ iss: null }),
    'another of the configured ones': () => mint({ iss: 'https://hmac.example' }),
    __proto__: () => mint({ iss: '__proto__' }),
    'a look-alike letter': () => mint({ iss: 'https://іssuer.example' }),
  });
});

describe('T10: the audience is ours, exactly', () => {
  refused(/^401 token_(?:audience|claims_invalid)$/, {
    'no aud': () => mint({ aud: undefined }),
    another: () => mint({ aud: 'billing' }),
    'another case': () => mint({ aud: 'Orders' }),
    'a prefix': () => mint({ aud: 'order' }),
    'a list of others': () => mint({ aud: ['billing', 'orders2'] }),
    'an empty list': () => mint({ aud: [] }),
    'a list with a number': () => mint({ aud: ['orders', 1] }),
    'a list within a list': () => mint({ aud: [['orders']] }),
    'an object': () => mint({ aud: { orders: 1 } }),
    'names in one text': () => mint({ aud: 'billing orders' }),
    null: () => mint({ aud: null }),
  });
  it('a list that contains it passes', async () => {
    expect(await present(mint({ aud: ['billing', 'orders'] }), '/orders/x', 1)).toBe('200');
  });
});

describe('T11: other kinds of tokens are refused', () => {
  refused(
    /^401 token_(?:typ|header_invalid)$/,
    Object.fromEntries(
      ['dpop+jwt', 'secevent+jwt', 'logout+jwt', 'JWS', 'application/json', 'at+jwt2', '', 1, null].map(
        (typ) => [`typ ${JSON.stringify(typ)}`, () => mint({}, { typ })],
      ),
    ),
  );
  it.each(['JWT', 'jwt', 'at+jwt', 'AT+JWT', 'application/at+jwt', undefined])(
    'typ %j passes',
    async (typ) => {
      expect(await present(mint({}, { typ }), '/orders/x', 1)).toBe('200');
    },
  );
});

describe('T12: tokens above the size are refused before any work', () => {
  it('at 8 KiB', async () => {
    const large = mint({ x: 'x'.repeat(8192) });
    expect(await present(large)).toBe('401 token_too_large');
    expect(await present(mint({ x: 'x'.repeat(5000) }), '/orders/x', 1)).toBe('200');
  });
});

describe('T13: a refused token costs little', () => {
  it('no token that anybody may send takes a second or 100 times its size', async () => {
    const costly = [
      () => raw({ alg: 'PBES2-HS512+A256KW', p2c: 2 ** 31, p2s: 'x', enc: 'A256GCM' }),
      () => raw('['.repeat(5000)),
      () => raw({ alg: 'EdDSA', kid: 'ed' }, '['.repeat(5000)),
      () => raw({ alg: 'EdDSA', kid: 'ed' }, '['.repeat(2500) + ']'.repeat(2500)),
      () => raw({ alg: 'EdDSA', kid: 'ed' }, `${'{"a":'.repeat(800)}1${'}'.repeat(800)}`),
      () => mint({ scope: 'a '.repeat(2900), nonce: 1, exp: 1 }),
      () => mint({ aud: Array.from({ length: 1400 }, (_, i) => `a${i % 10}`) }),
      () => mint({}, { kid: 'k'.repeat(5000) }),
      () => mint({}, { alg: 'RS256', kid: 'rs', jwk: { kty: 'RSA', n: 'A'.repeat(5000), e: 'AQAB' } }),
    ];
    const before = await arena.residentBytes();
    let bytes = 0;
    const startedMs = performance.now();
    for (let round = 0; round < 40; round += 1) {
      await arena.attack(async (client) => {
        for (const make of costly) {
          const token = make();
          bytes += token.length;
          client.send(bytesOf('/orders/x', { token }));
          expect((await client.read()).status).toBe(401);
        }
      });
    }
    const perTokenMs = (performance.now() - startedMs) / (40 * costly.length);
    expect(perTokenMs).toBeLessThan(100);
    expect((await arena.residentBytes()) - before).toBeLessThan(100 * bytes);
  });
});
