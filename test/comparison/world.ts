/**
 * Small configurations, requests and tokens for comparisons, and the verdict of the gateway's own parts on them: matcher,
 * decision, limits, and what a verifier makes of a token.
 */
import * as fc from 'fast-check';
import { configSchema } from '../../gateway/config/schema.ts';
import type { Facts } from '../../gateway/core/facts.ts';
import { maskOf } from '../../gateway/core/mask.ts';
import { methodIndex } from '../../gateway/core/methods.ts';
import { isDenial } from '../../gateway/core/verdict.ts';
import type { Side } from '../../gateway/comparison/side.ts';
import { compilePolicy } from '../../gateway/route/compile.ts';
import { decide } from '../../gateway/route/decide.ts';
import { compileMatcher } from '../../gateway/route/match.ts';
import { readTarget } from '../../gateway/route/path.ts';
import type { ConfigPath } from '../../gateway/route/problem.ts';

const now = 1_000_000;

export interface Token {
  readonly iss: string;
  readonly alg: string;
  readonly aud: readonly string[];
  readonly scopes: readonly string[];
  readonly type: string | undefined;
  readonly sub: string | null;
  readonly ageSeconds: number;
  readonly claims: readonly string[];
}

export interface Request {
  readonly method: string;
  readonly path: string;
  readonly bodyBytes: number;
  readonly token: Token | null;
}

/**
 * A generated configuration, compiled. What is wrong with a route is taken out of it, setting by setting, until it compiles;
 * null where that leaves nothing.
 */
export function sideOf(generated: object): Side | null {
  const config = configSchema.parse(generated);
  for (let attempt = 0; attempt < 30; attempt++) {
    const compiled = compilePolicy(config);
    if (compiled.ok) return { config, policy: compiled.policy };
    const { path } = compiled.problems[0]!;
    const end = depthOfNode(path);
    if (end === 0) return null;
    let parent = config as unknown as Tree;
    for (let at = 0; at < end - 2; at += 2) parent = parent.routes![path[at + 1] as number]!;
    const children = parent.routes!;
    const index = path[end - 1] as number;
    const setting = String(path[end] ?? '').replaceAll(/_([a-z])/g, (_, letter: string) =>
      letter.toUpperCase(),
    );
    if (setting in children[index]! && !['path', 'prefix', 'routes'].includes(setting))
      delete children[index]![setting];
    else children.splice(index, 1);
    if (children.length === 0) delete parent.routes;
    if (config.routes === undefined) return null;
  }
  return null;
}

type Tree = { routes?: Tree[] } & Record<string, unknown>;

/** How many steps of a path lead to a node of the route tree. */
function depthOfNode(path: ConfigPath): number {
  let depth = 0;
  while (path[depth] === 'routes' && typeof path[depth + 1] === 'number') depth += 2;
  return depth;
}

/** The verdict of one configuration on requests. */
export function judgeOf(side: Side): (request: Request) => boolean {
  const { config, policy } = side;
  const matcher = compileMatcher(policy);
  return (request) => {
    const target = readTarget(request.path, config.listener.maxTargetBytes);
    if (isDenial(target)) return false;
    const route = matcher.match(target.path, methodIndex(request.method));
    if (route === null || (target.oddities & ~route.pathAllowance) !== 0) return false;
    if (request.bodyBytes > route.bodyBytesMax) return false;
    if (route.access === null) return true;
    const facts = request.token === null ? null : factsOf(side, request.token);
    return facts !== null && !isDenial(decide(route, target.path, facts, [1], now));
  };
}

/** What a verifier makes of a well-signed token, or null where it refuses it. */
function factsOf({ config, policy }: Side, token: Token): Facts | null {
  const { vocabulary } = policy;
  const issuers = Object.values(config.issuers);
  const named = issuers.findIndex(({ issuer }) => issuer === token.iss);
  const index = named === -1 ? issuers.findIndex(({ issuer }) => issuer === undefined) : named;
  const issuer = issuers[index];
  if (issuer === undefined || !(issuer.algorithms as readonly string[]).includes(token.alg)) return null;
  if (!issuer.requiredClaims.every((claim) => token.claims.includes(claim))) return null;
  const types = issuer.tokenTypes;
  const type = types === undefined ? -1 : types.values.indexOf(token.type ?? types.default);
  if (types !== undefined && type === -1) return null;
  const bits = (names: readonly string[], known: readonly string[]): number[] =>
    names.map((name) => known.indexOf(name)).filter((bit) => bit !== -1);
  const granted = bits(token.scopes, vocabulary.scopes).flatMap((bit) => vocabulary.implied[bit]!);
  return {
    issuer: index, keyId: 0, expSeconds: now - token.ageSeconds, nbfSeconds: -Infinity, iatSeconds: -Infinity,
    audiences: maskOf(bits(token.aud, vocabulary.audiences), vocabulary.audiences.length),
    scopes: maskOf(granted, vocabulary.scopes.length),
    tokenType: type === -1 ? 0 : 1 << type, subject: token.sub, certificate: null, claims: [],
  }; // prettier-ignore
}

// ---------------------------------------------------------------- generated

const scopeNames = ['r', 'w', 'x', 'admin'] as const;
const audiences = ['one', 'two'] as const;
const words = ['a', 'b', '5'] as const;
const some = <T>(values: readonly T[]) => fc.uniqueArray(fc.constantFrom(...values), { minLength: 1 });
const maybe = <T>(arbitrary: fc.Arbitrary<T>) => fc.option(arbitrary, { nil: undefined });

const issuer = (iss: string | undefined) =>
  fc.record({
    issuer: fc.constant(iss),
    audiences: fc.oneof(fc.constant([]), some(audiences)),
    algorithms: some(['RS256', 'ES256']),
    keys: fc.constant({ jwks_file: 'keys' }),
    leeway_seconds: fc.constantFrom(0, 30),
    required_claims: fc.oneof(fc.constant([]), fc.constant(['jti'])),
    token_types: maybe(
      fc.constantFrom(
        { values: ['e', 'w'], default: 'e' },
        { values: ['e', 'w'], default: 'w' },
        { values: ['e'], default: 'e' },
      ),
    ),
  });

const segment = fc.constantFrom('a', 'b', '{p}', '{q}');
const path = fc.oneof(
  fc.array(segment, { minLength: 1, maxLength: 3 }).map((segments) => `/${segments.join('/')}`),
  fc.constantFrom('/{k*}', '/a/{k*}/b', '/', '/a/'),
);

/** What a node of the tree may say besides its path. */
const settings = fc.record(
  {
    issuers: fc.constantFrom(['one'], ['two'], ['one', 'two']),
    audiences: some(audiences),
    scopes: fc.record({ all: some(scopeNames), any: some(scopeNames) }, { requiredKeys: [] }),
    token_types: fc.constantFrom(['e'], ['w'], ['e', 'w']),
    subject: fc.constantFrom({ param: 'p' }, { param: 'q' }),
    allow_in_path: fc.constantFrom([], ['semicolon'], ['empty_segment', 'semicolon']),
    max_body_bytes: fc.constantFrom(10, 100),
    methods: fc.constantFrom(['GET'], ['POST'], ['GET', 'POST'], ['HEAD', 'DELETE']),
    public: fc.boolean(),
  },
  { requiredKeys: [] },
);

const leaf = fc.tuple(path, settings).map(([text, more]) => Object.assign({ path: text }, more));
const tree = fc
  .tuple(fc.constantFrom('/', '/a', '/{p}'), settings, fc.boolean(), fc.array(leaf, { maxLength: 3 }))
  .map(([prefix, more, closed, routes]) =>
    Object.assign({ prefix }, more, routes.length === 0 ? {} : { closed, routes }),
  );
const node = fc.oneof(leaf, tree).map((made) => Object.assign({ upstream: 'up' }, made));

/** Configurations, most of which compile. */
export const config = fc
  .record({
    one: issuer('https://one'),
    two: fc.oneof(issuer('https://two'), issuer(undefined)),
    implies: fc.constantFrom({}, { admin: ['r', 'w'] }, { w: ['r'] }),
    routes: fc.array(node, { minLength: 1, maxLength: 4 }),
  })
  .map(({ one, two, implies, routes }) => ({
    version: 1,
    issuers: { one, two },
    upstreams: { up: { urls: ['http://127.0.0.1:1'] } },
    scopes: { implies },
    routes,
  }));

/** Mostly the first: a token that lacks one thing is refused for that alone. */
const mostly = <T>(usual: T, other: fc.Arbitrary<T>): fc.Arbitrary<T> =>
  fc.oneof({ weight: 4, arbitrary: fc.constant(usual) }, { weight: 1, arbitrary: other });

const token = fc.record({
  iss: mostly('https://one', fc.constantFrom('https://two', 'https://three')),
  alg: fc.constantFrom('RS256', 'ES256'),
  aud: mostly<readonly string[]>(audiences, fc.subarray([...audiences])),
  scopes: mostly<readonly string[]>(scopeNames, fc.subarray([...scopeNames])),
  type: fc.constantFrom(undefined, 'e', 'w'),
  sub: mostly<string | null>('a', fc.constantFrom(null, ...words)),
  ageSeconds: mostly(-60, fc.constant(10)),
  claims: mostly<readonly string[]>(['jti'], fc.constant([])),
});

export const request: fc.Arbitrary<Request> = fc.record({
  method: fc.constantFrom('GET', 'HEAD', 'POST', 'DELETE'),
  path: fc
    .tuple(
      fc.array(mostly('a', fc.constantFrom(...words, 'x;y')), { minLength: 1, maxLength: 4 }),
      mostly('/', fc.constant('//')),
      mostly('', fc.constant('/')),
    )
    .map(([segments, inner, end]) => `/${segments.join(inner)}${end}`),
  bodyBytes: mostly(0, fc.constantFrom(50, 1000)),
  token: fc.option(token, { freq: 20 }),
});
