/**
 * Where this verifier refuses what jose accepts, on purpose. Each rule tells by itself whether it applies to a token, in
 * another way than the product does, so that the differential test takes no one's word for it.
 */
import { nowSeconds } from './tokens.ts';

export interface Parts {
  readonly segments: readonly string[];
  readonly headerText: string;
  readonly claimsText: string;
  readonly header: Readonly<Record<string, unknown>>;
  readonly claims: Readonly<Record<string, unknown>>;
}

export interface StricterRule {
  readonly name: string;
  readonly codes: readonly string[];
  readonly applies: (parts: Parts) => boolean;
}

export function partsOf(token: string): Parts {
  const segments = token.split('.');
  const decoder = new TextDecoder('utf-8', { ignoreBOM: true });
  const text = (i: number): string => decoder.decode(Buffer.from(segments[i] ?? '', 'base64url'));
  const object = (json: string): Record<string, unknown> =>
    JSON.parse(json.replace(/^\u{FEFF}/u, '')) as Record<string, unknown>;
  const [headerText, claimsText] = [text(0), text(1)];
  return { segments, headerText, claimsText, header: object(headerText), claims: object(claimsText) };
}

/** Does any object of a valid JSON text have a name twice? A parser of its own, by recursive descent over tokens. */
export function hasTwin(text: string): boolean {
  const tokens = text.match(/"(?:[^"\\]|\\.)*"|[{}[\]:,]|[^\s{}[\]:,"]+/gu) ?? [];
  let i = 0;
  const value = (): boolean => {
    const token = tokens[i];
    i += 1;
    let twin = false;
    if (token === '[') {
      while (tokens[i] !== ']') {
        if (tokens[i] === ',') i += 1;
        else twin = value() || twin;
      }
      i += 1;
    } else if (token === '{') {
      const names = new Set<string>();
      while (tokens[i] !== '}') {
        if (tokens[i] === ',') i += 1;
        const name = JSON.parse(tokens[i]!) as string;
        i += 2;
        twin = value() || twin || names.has(name);
        names.add(name);
      }
      i += 1;
    }
    return twin;
  };
  return value();
}

function depthOf(value: unknown): number {
  if (typeof value !== 'object' || value === null) return 0;
  return 1 + Math.max(0, ...Object.values(value).map((member) => depthOf(member)));
}

const isString = (value: unknown): boolean => typeof value === 'string';
const header = (
  name: string,
  applies: (header: Parts['header'], parts: Parts) => boolean,
  ...codes: string[]
): StricterRule => ({
  name,
  codes,
  applies: (parts) => applies(parts.header, parts),
});
const claims = (
  name: string,
  applies: (claims: Parts['claims'], parts: Parts) => boolean,
  ...codes: string[]
): StricterRule => ({
  name,
  codes,
  applies: (parts) => applies(parts.claims, parts),
});

export const stricterRules: readonly StricterRule[] = [
  {
    name: 'T5: base64url is canonical: no padding, no other alphabet, no stray bits',
    codes: ['token_malformed'],
    applies: ({ segments }) =>
      segments.some((segment) => Buffer.from(segment, 'base64url').toString('base64url') !== segment),
  },
  {
    name: 'T7: a header names no member twice',
    codes: ['token_header_invalid'],
    applies: ({ headerText }) => hasTwin(headerText),
  },
  {
    name: 'T7: claims name no member twice',
    codes: ['token_claims_invalid'],
    applies: ({ claimsText }) => hasTwin(claimsText),
  },
  {
    name: 'T7: no byte order mark in the header',
    codes: ['token_header_invalid'],
    applies: ({ headerText }) => headerText.startsWith('\u{FEFF}'),
  },
  {
    name: 'T7: no byte order mark in the claims',
    codes: ['token_claims_invalid'],
    applies: ({ claimsText }) => claimsText.startsWith('\u{FEFF}'),
  },
  header('T13: the header nests 32 deep at most', (h) => depthOf(h) > 32, 'token_header_invalid'),
  claims('T13: claims nest 32 deep at most', (c) => depthOf(c) > 32, 'token_claims_invalid'),
  header(
    'T4: crit and b64 are refused even where they would change nothing',
    (h) => 'crit' in h || 'b64' in h,
    'token_header_invalid',
  ),
  header('kid is a string', (h) => 'kid' in h && !isString(h['kid']), 'token_header_invalid'),
  header('typ is a string', (h) => 'typ' in h && !isString(h['typ']), 'token_header_invalid'),
  header(
    'T11: typ is JWT, at+jwt or none',
    (h) => isString(h['typ']) && !/^(?:application\/)?(?:jwt|at\+jwt)$/i.test(h['typ'] as string),
    'token_typ',
  ),
  claims(
    'T8: exp, nbf and iat are finite',
    (c) => ['exp', 'nbf', 'iat'].some((name) => typeof c[name] === 'number' && !Number.isFinite(c[name])),
    'token_claims_invalid',
  ),
  claims(
    'T8: iat is not in the future',
    (c) => typeof c['iat'] === 'number' && c['iat'] > nowSeconds + 10,
    'token_issued_in_future',
  ),
  claims('sub is a string', (c) => 'sub' in c && !isString(c['sub']), 'token_claims_invalid'),
  claims(
    'T10: every member of aud is a string',
    (c) => Array.isArray(c['aud']) && !c['aud'].every((member) => isString(member)),
    'token_claims_invalid',
  ),
  claims(
    'RFC 7800: cnf names a certificate and nothing else',
    (c) => 'cnf' in c && !/^\{"x5t#S256":"[A-Za-z0-9_-]{43}"\}$/.test(JSON.stringify(c['cnf'])),
    'token_confirmation',
    'token_claims_invalid',
  ),
  claims('Z1: scope is a string', (c) => 'scope' in c && !isString(c['scope']), 'token_claims_invalid'),
  claims(
    'Z1: scp is a string or an array of strings',
    (c) => 'scp' in c && ![c['scp']].flat().every((member) => isString(member)),
    'token_claims_invalid',
  ),
];
