/** Group T: tokens that must not open anything. What each rule says in detail is held in `test/token`; here the whole program is. */
import { createHmac, sign } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Backend } from '../support/backend.ts';
import { encode, makeSigner, signSegments, type Signer } from '../token/tokens.ts';
import { Arena, arenaConfig, bytesOf, claimsNow, jwkOf, mint, signers } from './arena.ts';

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

const hmac = (key: string | Buffer, header: object, claims = claimsNow()): string => {
  const data = `${encode(header)}.${encode(claims)}`;
  return `${data}.${createHmac('sha256', key).update(data).digest('base64url')}`;
};

/** A good token with other bytes for its signature. */
function resigned(signer: Signer, change: (signature: Buffer) => Buffer): string {
  const [header, claims, signature] = mint({}, {}, signer).split('.') as [string, string, string];
  return `${header}.${claims}.${change(Buffer.from(signature, 'base64url')).toString('base64url')}`;
}

type Cases = Readonly<Record<string, () => string>>;

/** Presents every token; each is refused with 401 and one of these codes. */
function refused(codes: RegExp, cases: Cases): void {
  it.each(Object.entries(cases))('%s', async (_, make) => {
    expect(await present(make())).toMatch(codes);
  });
}

const pem = (): string => signers.rs.key.export({ type: 'spki', format: 'pem' }) as string;
const der = (): Buffer => signers.rs.key.export({ type: 'spki', format: 'der' });
const now = (): number => Math.floor(Date.now() / 1000);

describe('T1: only the configured algorithms are accepted', () => {
  it.each(Object.entries(signers))('a good token of %s passes', async (_, signer) => {
    expect(await present(mint({}, {}, signer), '/orders/x', 1)).toBe('200');
  });
  it('a good HS256 token passes where its secret is configured', async () => {
    const token = hmac(secretText, { alg: 'HS256' }, { ...claimsNow(), iss: 'https://hmac.example' });
    expect(await present(token, '/hmac', 1)).toBe('200');
  });
  refused(/^401 token_(?:algorithm|header_invalid|malformed|signature)$/, {
    ...Object.fromEntries(
      [
        'none',
        'None',
        'NONE',
        'nOnE',
        'none ',
        '',
        'RS384',
        'PS256',
        'HS512',
        'ES256K',
        'rs256',
        'dir',
        'EdDSA\0',
      ].map((alg) => [`alg ${JSON.stringify(alg)}`, () => raw({ alg, kid: 'ed', typ: 'JWT' })]),
    ),
    'none without a signature': () => `${encode({ alg: 'none' })}.${encode(claimsNow())}.`,
    'none with a signature of one octet': () => `${encode({ alg: 'none' })}.${encode(claimsNow())}.AA`,
    'HS256 with the PEM as its secret': () => hmac(pem(), { alg: 'HS256', kid: 'rs' }),
    'HS256 with the DER as its secret': () => hmac(der(), { alg: 'HS256', kid: 'rs' }),
    'HS256 with the JWK as its secret': () =>
      hmac(JSON.stringify(jwkOf(signers.rs)), { alg: 'HS256', kid: 'rs' }),
    'HS256 with an empty secret': () => hmac('', { alg: 'HS256' }),
    'alg that is a number': () => raw({ alg: 256, kid: 'ed' }),
    'alg that is a list': () => raw({ alg: ['EdDSA'], kid: 'ed' }),
    'no alg': () => raw({ kid: 'ed' }),
    'a secret of another issuer': () => hmac(secretText, { alg: 'HS256' }),
  });
  it('the secret of one issuer opens nothing of another, by any path', async () => {
    const token = hmac(secretText, { alg: 'HS256' }, { ...claimsNow(), iss: 'https://hmac.example' });
    expect(await present(token)).toMatch(/^401 token_issuer$/);
    expect(await present(mint(), '/hmac')).toMatch(/^401 token_(?:issuer|algorithm)$/);
  });
});

describe('T2: the key is the one named, and for the algorithm named', () => {
  refused(/^401 token_(?:key_unknown|algorithm|header_invalid|signature)$/, {
    'an unknown kid': () => mint({}, { kid: 'unknown' }),
    'a kid in another case': () => mint({}, { kid: 'ED' }),
    'a kid with a space': () => mint({}, { kid: 'ed ' }),
    'a kid that is a path': () => mint({}, { kid: '../../dev/null' }),
    'a kid that is SQL': () => mint({}, { kid: "x' UNION SELECT 'key" }),
    'the kid __proto__': () => raw('{"alg":"EdDSA","kid":"__proto__"}'),
    'a kid that is null': () => mint({}, { kid: null }),
    'a kid that is a number': () => mint({}, { kid: 0 }),
    'a kid that is an object': () => mint({}, { kid: {} }),
    'an empty kid': () => mint({}, { kid: '' }),
    'the kid of another key': () => mint({}, { kid: 'rs' }),
    'the kid of a key of another algorithm, with that algorithm': () =>
      mint({}, { alg: 'RS256', kid: 'es' }, signers.rs),
    'another key under the kid': () => mint({}, {}, makeSigner('EdDSA', 'ed')),
  });
});

describe('T3: nothing in a token leads to a key or to a fetch', () => {
  it('jwk, jku, x5u, x5c and iss are not followed', async () => {
    const lure = await Backend.start();
    try {
      const thief = makeSigner('EdDSA', 'ed');
      const jwk = { ...jwkOf(thief) };
      const x5c = [thief.key.export({ type: 'spki', format: 'der' }).toString('base64')];
      for (const header of [
        { jwk }, { jwk, kid: undefined }, { jku: `${lure.url}/jwks` }, { x5u: `${lure.url}/cert` }, { x5c },
        { jku: `${lure.url}/jwks`, jwk, x5c, kid: 'unknown' }, { kid: `${lure.url}/jwks` }, { iss: lure.url },
      ]) {
        expect(await present(mint({}, header, thief))).toMatch(/^401 token_(?:signature|key_unknown)$/);
      } // prettier-ignore
      expect(await present(mint({ iss: lure.url }, {}, thief))).toBe('401 token_issuer');
      expect(lure.accepted).toBe(0);
    } finally {
      await lure.close();
    }
  });
});

describe('T4: critical extensions are refused', () => {
  refused(/^401 token_header_invalid$/, {
    'crit with a known name': () => mint({}, { crit: ['exp'], exp: 1 }),
    'crit with an unknown name': () => mint({}, { crit: ['x'], x: 1 }),
    'an empty crit': () => mint({}, { crit: [] }),
    'crit that is a text': () => mint({}, { crit: 'b64' }),
    'crit that is null': () => mint({}, { crit: null }),
    'b64 false': () => mint({}, { b64: false, crit: ['b64'] }),
    'b64 false without crit': () => mint({}, { b64: false }),
    'b64 true': () => mint({}, { b64: true }),
  });
});

describe('T5: a token is three canonical segments', () => {
  const parts = (): [string, string, string] => mint().split('.') as [string, string, string];
  const nonCanonical = (text: string): string => {
    const alphabet = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_';
    return text.slice(0, -1) + alphabet[alphabet.indexOf(text.at(-1)!) + 1]!;
  };
  refused(/^40[01] (?:token_malformed|token_header_invalid|token_signature|credentials_\w+)$/, {
    'one segment': () => parts()[0],
    'two segments': () => parts().slice(0, 2).join('.'),
    'four segments': () => `${mint()}.x`,
    'five segments, as of JWE': () => `${encode({ alg: 'dir', enc: 'A256GCM' })}..x.y.z`,
    'no header': () => `.${parts()[1]}.${parts()[2]}`,
    'no claims': () => `${parts()[0]}..${parts()[2]}`,
    'no signature': () => `${parts()[0]}.${parts()[1]}.`,
    'a dot before': () => `.${mint()}`,
    'a dot behind': () => `${mint()}.`,
    padding: () => `${mint()}=`,
    'padding within': () => mint().replace('.', '=.'),
    'the other alphabet': () => mint().replace(/^./, '+'),
    'a space within': () => mint().replace('.', ' .'),
    'a tab within': () => mint().replace('.', '\t.'),
    'a comma within': () => mint().replace('.', ',.'),
    'a percent escape': () => mint().replace('.', '%2e'),
    'a last character that is not canonical': () => nonCanonical(mint()),
    'quotes around it': () => `"${mint()}"`,
    'JSON serialization': () =>
      JSON.stringify({ payload: parts()[1], signatures: [{ protected: parts()[0] }] }),
    'bytes above 0x7f': () => `${mint()}\xc3\xa9.x`,
    'a length of one modulo four': () => `${parts()[0]}A.${parts()[1]}.${parts()[2]}`,
  });
});

describe('T6: signatures have one form', () => {
  const orderP256 = Buffer.from('ffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551', 'hex');
  const orderEd = 0x1000000000000000000000000000000014def9dea2f79cd65812631a5cf5d3edn;
  const littleEndian = (value: bigint): Buffer =>
    Buffer.from(Buffer.from(value.toString(16).padStart(64, '0'), 'hex').toReversed());
  const fromLittleEndian = (bytes: Buffer): bigint =>
    BigInt(`0x${Buffer.from(bytes.toReversed()).toString('hex')}`);
  refused(/^401 token_(?:signature|malformed)$/, {
    'ES256: r = s = 0': () => resigned(signers.es, () => Buffer.alloc(64)),
    'ES256: r = 0': () => resigned(signers.es, (s) => Buffer.concat([Buffer.alloc(32), s.subarray(32)])),
    'ES256: r = s = n': () => resigned(signers.es, () => Buffer.concat([orderP256, orderP256])),
    'ES256: all bits set': () => resigned(signers.es, () => Buffer.alloc(64, 0xff)),
    'ES256: 63 octets': () => resigned(signers.es, (s) => s.subarray(1)),
    'ES256: 65 octets': () => resigned(signers.es, (s) => Buffer.concat([Buffer.alloc(1), s])),
    'ES256: DER': () => {
      const data = `${encode({ alg: 'ES256', kid: 'es' })}.${encode(claimsNow())}`;
      return `${data}.${sign('sha256', Buffer.from(data), signers.es.privateKey!).toString('base64url')}`;
    },
    'EdDSA: S + L': () =>
      resigned(signers.ed, (s) =>
        Buffer.concat([s.subarray(0, 32), littleEndian(fromLittleEndian(s.subarray(32)) + orderEd)]),
      ),
    'EdDSA: nothing but zeros': () => resigned(signers.ed, () => Buffer.alloc(64)),
    'RS256: an octet of zero before': () => resigned(signers.rs, (s) => Buffer.concat([Buffer.alloc(1), s])),
    'RS256: one octet less': () => resigned(signers.rs, (s) => s.subarray(1)),
    'RS256: zeros': () => resigned(signers.rs, () => Buffer.alloc(256)),
    'RS256: one': () => resigned(signers.rs, () => Buffer.concat([Buffer.alloc(255), Buffer.from([1])])),
    'RS256: a PSS signature': () => {
      const data = `${encode({ alg: 'RS256', kid: 'rs' })}.${encode(claimsNow())}`;
      const key = { key: signers.rs.privateKey!, padding: 6, saltLength: 32 };
      return `${data}.${sign('sha256', Buffer.from(data), key).toString('base64url')}`;
    },
    'one bit off': () => resigned(signers.rs, (s) => (s.writeUInt8(s.readUInt8(9) ^ 1, 9), s)),
  });
});

describe('T7: header and claims are JSON objects, each member once', () => {
  const texts: Readonly<Record<string, string>> = {
    'a list': '[]', 'a text': '"x"', 'null': 'null', 'a number': '1', 'nothing': ' ', 'not JSON': '{"alg":}',
    'a trailing comma': '{"alg":"EdDSA",}', 'text behind': '{"alg":"EdDSA"}x', 'a byte order mark': '\ufeff{"alg":"EdDSA"}',
    'a comment': '{"alg":"EdDSA"/**/}', 'a member twice': '{"alg":"EdDSA","kid":"ed","alg":"EdDSA"}',
    'a member twice, once escaped': '{"alg":"EdDSA","kid":"ed","\\u0061lg":"EdDSA"}',
  }; // prettier-ignore
  const invalidUtf8 = Buffer.from('{"alg":"EdDSA","kid":"ed","x":"\xff"}', 'latin1').toString('base64url');
  refused(/^401 token_(?:header_invalid|malformed)$/, {
    ...Object.fromEntries(
      Object.entries(texts).map(([name, text]) => [`a header that is or has ${name}`, () => raw(text)]),
    ),
    'a header in invalid UTF-8': () => signSegments(signers.ed, invalidUtf8, encode(claimsNow())),
  });
  const header = { alg: 'EdDSA', kid: 'ed', typ: 'JWT' };
  const twice = (): string => JSON.stringify(claimsNow()).replace('{', '{"sub":"root",');
  refused(/^401 token_(?:claims_invalid|malformed|issuer)$/, {
    ...Object.fromEntries(
      Object.entries(texts).map(([name, text]) => [
        `claims that are or have ${name}`,
        () => raw(header, text),
      ]),
    ),
    'claims in invalid UTF-8': () => signSegments(signers.ed, encode(header), invalidUtf8),
    'a claim twice': () => raw(header, twice()),
    'a claim twice, deep inside': () =>
      raw(header, JSON.stringify({ ...claimsNow(), x: 0 }).replace('"x":0', '"x":{"y":1,"y":2}')),
  });
  refused(/^401 token_(?:issuer|claim_missing|claims_invalid)$/, {
    'claims that are inherited': () => raw(header, `{"__proto__":${JSON.stringify(claimsNow())}}`),
    'claims in a constructor': () =>
      raw(header, `{"constructor":{"prototype":${JSON.stringify(claimsNow())}}}`),
  });
  it('a member called __proto__ or constructor grants nothing and breaks nothing', async () => {
    const claims = JSON.stringify({ ...claimsNow(), scope: '' }).replace(
      '{',
      '{"__proto__":{"scope":"orders:read"},"constructor":"orders:read",',
    );
    expect(await present(raw(header, claims))).toBe('403 scope_insufficient');
  });
});

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
