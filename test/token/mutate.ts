/** Spoils tokens in every way that its author could think of, from a seed, so that a run can be repeated. */
import { encode, goodClaims, issuerName, nowSeconds, signSegments } from './tokens.ts';
import type { Signer } from './tokens.ts';

/** Mulberry32: small, fast, and the same everywhere. */
export function randomFrom(seed: number): (below: number) => number {
  let state = seed >>> 0;
  return (below) => {
    state = (state + 0x6d2b79f5) >>> 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return Math.floor((((t ^ (t >>> 14)) >>> 0) / 2 ** 32) * below);
  };
}

type Random = ReturnType<typeof randomFrom>;
const pick = <T>(random: Random, values: readonly T[]): T => values[random(values.length)]!;

const odd = [
  undefined,
  null,
  true,
  0,
  1,
  -1,
  1.5,
  '',
  'x',
  [],
  {},
  ['x'],
  { x: 1 },
  '1',
  '__proto__',
  ' ',
  2 ** 53,
];
const times = [
  nowSeconds,
  nowSeconds - 9,
  nowSeconds - 10,
  nowSeconds - 11,
  nowSeconds + 10,
  nowSeconds + 11,
  0,
  -1,
  0.5,
  1e300,
];
const claimValues: Readonly<Record<string, readonly unknown[]>> = {
  exp: [...times, ...odd],
  nbf: [...times, ...odd],
  iat: [...times, ...odd],
  iss: [issuerName, `${issuerName}/`, [issuerName], ...odd],
  aud: ['orders', ['orders'], ['x', 'billing'], ['orders', 1], [['orders']], 'Orders', ...odd],
  sub: odd,
  scope: ['orders:read orders:write', ['orders:read'], ...odd],
  scp: ['orders:read', ['orders:read'], [1], ...odd],
  jti: odd,
};
const headerValues: Readonly<Record<string, readonly unknown[]>> = {
  alg: ['none', 'None', 'HS256', 'HS512', 'EdDSA', 'Ed25519', 'ES256', 'RS256', 'PS256', 'dir', ...odd],
  kid: ['kid-EdDSA', 'kid-HS256', 'other', ...odd],
  typ: ['JWT', 'jwt', 'at+jwt', 'application/at+jwt', 'dpop+jwt', 'JOSE', ...odd],
  crit: [[], ['b64'], ['exp'], ...odd],
  b64: [true, false],
  jwk: [{ kty: 'oct', k: 'AA' }],
  jku: ['https://thief.example/'],
  cty: ['JWT'],
  zip: ['DEF'],
};

function edit(
  random: Random,
  from: object,
  values: Readonly<Record<string, readonly unknown[]>>,
): Record<string, unknown> {
  const edited: Record<string, unknown> = { ...from };
  for (let i = random(3); i >= 0; i -= 1) {
    const name = pick(random, Object.keys(values));
    edited[name] = pick(random, values[name]!);
  }
  return edited;
}

/** Text edits that JSON forgives, or does not. */
function editText(random: Random, text: string): string | Buffer {
  switch (random(10)) {
    case 0:
      return ` ${text}\n`;
    case 1:
      return text.replace('{', `{${text.slice(1, -1)},`);
    case 2:
      return text.replace('"', '"\\u0061');
    case 3:
      return `\u{FEFF}${text}`;
    case 4:
      return text.replace('}', ',"x":1e400}').replace(/"(exp|nbf|iat)":\d+/, '"$1":1e400');
    case 5:
      return Buffer.concat([
        Buffer.from(text.slice(0, -1)),
        Buffer.from(',"x":"'),
        Buffer.from([0xc3, 0x28]),
        Buffer.from('"}'),
      ]);
    case 6:
      return text.replace('}', `,"deep":${'['.repeat(40)}${']'.repeat(40)}}`);
    case 7:
      return text.replace('}', ',"__proto__":{"exp":1}}');
    case 8:
      return text.slice(0, random(text.length));
    default:
      return text.replace(/.$/u, pick(random, ['', '}}', ']', ',}', '} x', '}\u0000']));
  }
}

const encodeAny = (value: string | Buffer): string => Buffer.from(value as string).toString('base64url');
const alphabet = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_';
const strange = ['+', '/', '=', ' ', '.', '\n', '\t', '\0', '"', '{', '}', '~', 'é', '\u0141'];

function spoilText(random: Random, token: string, other: string): string {
  const at = random(token.length);
  switch (random(8)) {
    case 0:
      return token.slice(0, at) + alphabet[random(64)]! + token.slice(at + 1);
    case 1:
      return token.slice(0, at) + pick(random, strange) + token.slice(at + random(2));
    case 2:
      return token.slice(0, at);
    case 3:
      return token + pick(random, [...strange, 'A', 'AA', '==', other]);
    case 4:
      return token.slice(0, at) + token.slice(at + 1 + random(4));
    case 5: {
      const segments = token.split('.');
      const others = other.split('.');
      const i = random(3);
      segments[i] = pick(random, [others[i]!, others[random(3)]!, '', segments[random(3)]!]);
      return segments.join('.');
    }
    case 6: {
      const segments = token.split('.');
      const i = random(3);
      const last = segments[i]!.at(-1)!;
      segments[i] = segments[i]!.slice(0, -1) + alphabet[alphabet.indexOf(last) ^ (1 + random(15))]!;
      return segments.join('.');
    }
    default: {
      const segments = token.split('.');
      const i = random(3);
      const bytes = Buffer.from(segments[i]!, 'base64url');
      bytes[random(bytes.length)]! ^= 1 << random(8);
      segments[i] = bytes.toString('base64url');
      return segments.join('.');
    }
  }
}

/** One more token for a signer: about half of them signed anew after the edit, so that signatures do not hide the rest. */
export function mutate(random: Random, signer: Signer, base: readonly string[]): string {
  const baseHeader = { alg: signer.alg, typ: 'JWT', kid: signer.kid };
  const kind = random(10);
  if (kind < 5) return spoilText(random, pick(random, base), pick(random, base));
  let header: string = encode(kind === 5 || kind === 9 ? edit(random, baseHeader, headerValues) : baseHeader);
  let claims: string = encode(
    kind === 6 || kind === 7 || kind === 9 ? edit(random, goodClaims, claimValues) : goodClaims,
  );
  if (kind === 8) {
    const text = JSON.stringify(random(3) === 0 ? baseHeader : goodClaims);
    const edited = encodeAny(editText(random, text));
    if (text.startsWith('{"alg"')) header = edited;
    else claims = edited;
  }
  return signSegments(signer, header, claims);
}
